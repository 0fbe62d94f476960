package dev.runcast.store.mongo;

import static com.mongodb.client.model.Filters.eq;

import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.merge.ExecutionKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bson.Document;
import org.bson.types.Binary;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Changes one byte of what is read back of an execution: of an entry's record or of a change in its history. */
final class Damage {
    private final MongoDatabase database;
    private final Random random;

    Damage(MongoDatabase database, Random random) {
        this.database = database;
        this.random = random;
    }

    private record Target(String collection, String id, String field, byte[] bytes) {}

    /** What was damaged, in words; empty when there is nothing. */
    Mono<String> of(ExecutionKey key) {
        return Flux.concat(entries(key), changes(key))
                .collectList()
                .filter(targets -> !targets.isEmpty())
                .flatMap(targets -> damage(targets.get(random.nextInt(targets.size()))));
    }

    private Flux<Target> entries(ExecutionKey key) {
        return Flux.from(database.getCollection(Names.ENTRIES).find(Names.all(key)))
                .map(document ->
                        new Target(Names.ENTRIES, document.getString("_id"), "raw", HeaderDocument.bytes(document, "raw")));
    }

    private Flux<Target> changes(ExecutionKey key) {
        return Flux.from(database.getCollection(Names.CHANGES).find(Names.all(key)))
                .flatMapIterable(document -> {
                    List<Target> targets = new ArrayList<>();
                    Document inline = document.get("changes", new Document());
                    inline.forEach((version, packed) -> {
                        byte[] bytes = ((Binary) packed).getData();
                        if (bytes.length > 0) {
                            targets.add(new Target(Names.CHANGES, document.getString("_id"), "changes." + version, bytes));
                        }
                    });
                    return targets;
                });
    }

    private Mono<String> damage(Target target) {
        byte[] bytes = target.bytes.clone();
        // Not the last byte: a compressed change may end in bits that say nothing.
        int at = random.nextInt(Math.max(1, bytes.length - 1));
        byte before = bytes[at];
        do {
            bytes[at] = (byte) (before ^ 1 << random.nextInt(8));
        } while (target.collection.equals(Names.CHANGES) && isStillTheSame(target.bytes, bytes));
        return Mono.from(database.getCollection(target.collection)
                        .updateOne(
                                eq("_id", target.id),
                                new Document("$set", new Document(target.field, new Binary(bytes)))))
                .thenReturn("%s %s, %s: byte %d of %d, 0x%02x, is now 0x%02x"
                        .formatted(target.collection, target.id, target.field, at, bytes.length, before, bytes[at]));
    }

    private static boolean isStillTheSame(byte[] before, byte[] after) {
        try {
            return Arrays.equals(Packed.unpack(before), Packed.unpack(after));
        } catch (IllegalStateException e) {
            return false;
        }
    }
}
