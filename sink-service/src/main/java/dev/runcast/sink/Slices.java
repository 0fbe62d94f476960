package dev.runcast.sink;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Cuts a poll into pieces that can be in memory as messages at one time. A poll is bounded by its records and by the
 * bytes that came over the wire, which are compressed: a thousand full batches take a hundred times that as objects.
 */
final class Slices {
    /** Of serialized values; as objects they take some ten times that. */
    static final int MAX_BYTES = 4 * 1024 * 1024;

    private Slices() {}

    /** All of them in their order; each piece has at least one record, and no more than the bound if it has several. */
    static List<List<ConsumerRecord<byte[], byte[]>>> of(List<ConsumerRecord<byte[], byte[]>> records) {
        List<List<ConsumerRecord<byte[], byte[]>>> slices = new ArrayList<>();
        int begin = 0;
        long bytes = 0;
        for (int i = 0; i < records.size(); i++) {
            int size = Math.max(0, records.get(i).serializedValueSize());
            if (i > begin && bytes + size > MAX_BYTES) {
                slices.add(records.subList(begin, i));
                begin = i;
                bytes = 0;
            }
            bytes += size;
        }
        if (begin < records.size()) {
            slices.add(records.subList(begin, records.size()));
        }
        return slices;
    }
}
