package dev.runcast.mergestream;

import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;
import org.springframework.util.unit.DataSize;

/**
 * The native memory that all stores of one instance share. By default every partition's store takes up to 98 MB of its
 * own; with one cache that the write buffers are charged to, the sum is bounded however many partitions there are.
 */
final class RocksMemory implements AutoCloseable {
    /** Small enough that a dozen stores can fill one each before the shared bound makes them flush early. */
    private static final long WRITE_BUFFER_BYTES = 4L * 1024 * 1024;

    private static final int SHARD_BITS_BY_SIZE = -1;

    private final Cache cache;
    private final WriteBufferManager writeBuffers;

    RocksMemory(DataSize total) {
        RocksDB.loadLibrary();
        cache = new LRUCache(total.toBytes(), SHARD_BITS_BY_SIZE, false, 0.1);
        writeBuffers = new WriteBufferManager(total.toBytes() / 2, cache);
    }

    void applyTo(Options options) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(cache);
        // Index and filter blocks count too; otherwise they grow outside of the bound.
        table.setCacheIndexAndFilterBlocks(true);
        table.setCacheIndexAndFilterBlocksWithHighPriority(true);
        table.setPinTopLevelIndexAndFilter(true);
        options.setTableFormatConfig(table);
        options.setWriteBufferManager(writeBuffers);
        options.setWriteBufferSize(WRITE_BUFFER_BYTES);
        options.setMaxWriteBufferNumber(2);
    }

    /** To be called when the last store is closed. */
    @Override
    public void close() {
        writeBuffers.close();
        cache.close();
    }
}
