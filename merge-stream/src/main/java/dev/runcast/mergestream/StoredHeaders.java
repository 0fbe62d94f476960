package dev.runcast.mergestream;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.state.v1.Header;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** All executions that a store knows, by their headers. */
final class StoredHeaders {
    /** The letter that begins their keys; the table of letters stands in {@code state.proto}. */
    private static final byte[] PREFIX = "h".getBytes(StandardCharsets.US_ASCII);

    private StoredHeaders() {}

    static void forEach(KeyValueStore<Bytes, byte[]> store, Consumer<Header> action) {
        try (KeyValueIterator<Bytes, byte[]> records = store.prefixScan(PREFIX, new ByteArraySerializer())) {
            while (records.hasNext()) {
                KeyValue<Bytes, byte[]> record = records.next();
                action.accept(parse(record));
            }
        }
    }

    private static Header parse(KeyValue<Bytes, byte[]> record) {
        try {
            return Header.parseFrom(record.value);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(
                    "state under " + new String(record.key.get(), StandardCharsets.UTF_8) + ": not a header", e);
        }
    }
}
