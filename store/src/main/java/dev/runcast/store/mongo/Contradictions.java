package dev.runcast.store.mongo;

import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.in;

import com.google.protobuf.InvalidProtocolBufferException;
import com.mongodb.client.model.Projections;
import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.bson.Document;
import reactor.core.publisher.Flux;

/**
 * Compares the fields that lists filter by and people read in a shell with the message that lies beside them, which
 * alone is read back.
 */
final class Contradictions {
    private static final int WINDOW = 256;

    private final MongoDatabase database;

    Contradictions(MongoDatabase database) {
        this.database = database;
    }

    Flux<String> of(ExecutionKey key) {
        return Flux.from(database.getCollection(Names.EXECUTIONS).find(eq("_id", key.toString())))
                .concatMap(stored -> {
                    Execution execution = HeaderDocument.read(stored);
                    Document expected =
                            HeaderDocument.update(key, execution, true).get("$set", Document.class);
                    return Flux.fromIterable(between("execution", stored, expected))
                            .concatWith(entries(key, execution.getTotals().getEntries()));
                });
    }

    private Flux<String> entries(ExecutionKey key, long count) {
        List<String> ids = LongStream.rangeClosed(1, count)
                .mapToObj(ordinal -> Names.entry(key, ordinal))
                .toList();
        return Flux.fromIterable(ids)
                .buffer(WINDOW)
                .concatMap(
                        some -> Flux.from(database.getCollection(Names.ENTRIES)
                                .find(in("_id", some))
                                .projection(Projections.exclude("pieces"))),
                        1)
                .concatMapIterable(stored -> of(key, stored));
    }

    private static List<String> of(ExecutionKey key, Document stored) {
        String id = stored.getString("_id");
        try {
            Entry entry = Entry.parseFrom(HeaderDocument.bytes(stored, "raw"));
            List<String> found =
                    between("entries[" + entry.getOrdinal() + "]", stored, PollFold.entryFields(key, entry));
            if (!id.equals(Names.entry(key, entry.getOrdinal()))) {
                found.add("entries: _id %s (expected: %s)".formatted(id, Names.entry(key, entry.getOrdinal())));
            }
            return found;
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("entry %s: damaged".formatted(id), e);
        }
    }

    private static List<String> between(String what, Document stored, Document expected) {
        List<String> found = new ArrayList<>();
        expected.forEach((field, value) -> {
            if (!field.startsWith("raw") && !Objects.equals(stored.get(field), value)) {
                found.add("%s.%s: %s (expected: %s)".formatted(what, field, stored.get(field), value));
            }
        });
        return found;
    }
}
