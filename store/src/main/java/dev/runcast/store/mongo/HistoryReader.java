package dev.runcast.store.mongo;

import static com.mongodb.client.model.Filters.eq;

import com.google.protobuf.InvalidProtocolBufferException;
import com.mongodb.reactivestreams.client.MongoCollection;
import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import org.bson.types.Binary;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Reads history bucket by bucket, one ahead of the reader, until a version is not there. */
final class HistoryReader {
    private final MongoCollection<Document> changes;

    HistoryReader(MongoDatabase database) {
        changes = database.getCollection(Names.CHANGES);
    }

    Flux<Change> read(ExecutionKey key, long afterVersion, long throughVersion) {
        long first = Math.max(1, afterVersion + 1);
        if (first > throughVersion) {
            return Flux.empty();
        }
        return Flux.<Long, Long>generate(() -> first, (next, sink) -> {
                    sink.next(next);
                    return endOfBucket(next) + 1;
                })
                .concatMap(from -> bucket(key, from, Math.min(throughVersion, endOfBucket(from))), 1)
                .takeUntil(bucket -> !bucket.whole || bucket.last >= throughVersion)
                .concatMap(bucket -> Flux.fromIterable(bucket.slots).concatMap(slot -> change(key, slot), 1), 1);
    }

    private static long endOfBucket(long version) {
        return version / Names.BUCKET * Names.BUCKET + Names.BUCKET - 1;
    }

    private Mono<Bucket> bucket(ExecutionKey key, long first, long last) {
        return Mono.from(changes.find(eq("_id", Names.changes(key, first))))
                .map(document -> {
                    Document stored = document.get("changes", Document.class);
                    List<Slot> slots = new ArrayList<>();
                    for (long version = first; version <= last; version++) {
                        Binary packed = stored.get("v" + version, Binary.class);
                        if (packed == null) {
                            return new Bucket(slots, version - 1, false);
                        }
                        slots.add(new Slot(version, packed.getData()));
                    }
                    return new Bucket(slots, last, true);
                })
                .defaultIfEmpty(new Bucket(List.of(), first - 1, false));
    }

    private Mono<Change> change(ExecutionKey key, Slot slot) {
        if (slot.packed.length > 0) {
            return Mono.fromCallable(() -> parse(key, slot.version, slot.packed));
        }
        return alone(key, slot.version, Names.change(key, slot.version))
                .flatMap(document -> document.containsKey("parts")
                        ? parts(key, slot.version, document.getInteger("parts"))
                        : Mono.just(HeaderDocument.bytes(document, "change")))
                .map(packed -> parse(key, slot.version, packed));
    }

    private Mono<byte[]> parts(ExecutionKey key, long version, int parts) {
        return Flux.range(0, parts)
                .concatMap(part -> alone(key, version, Names.changePart(key, version, part)), 1)
                .collect(
                        ByteArrayOutputStream::new, (all, part) -> all.writeBytes(HeaderDocument.bytes(part, "change")))
                .map(ByteArrayOutputStream::toByteArray);
    }

    private Mono<Document> alone(ExecutionKey key, long version, String id) {
        return Mono.from(changes.find(eq("_id", id)))
                .switchIfEmpty(Mono.error(() -> new IllegalStateException(
                        "change %d of %s: missing (expected: %s)".formatted(version, key, id))));
    }

    private static Change parse(ExecutionKey key, long version, byte[] packed) {
        try {
            return Change.parseFrom(Packed.unpack(packed));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("change %d of %s: damaged".formatted(version, key), e);
        }
    }

    /** A version and its change; no bytes when it has a document of its own. */
    private record Slot(long version, byte[] packed) {}

    private record Bucket(List<Slot> slots, long last, boolean whole) {}
}
