package dev.runcast.store.mongo;

import com.mongodb.client.model.IndexModel;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.reactivestreams.client.MongoDatabase;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One index for each filter of a list, each also in the list's order. Everything else is found by {@code _id}. */
final class StoreIndexes {
    /**
     * Where the server has no expiry, an operator deletes by date: {@code db.rejected.deleteMany({received_at: {$lt:
     * …}})}.
     */
    static final int REJECTED_DAYS = 30;

    private StoreIndexes() {}

    static Map<String, List<IndexModel>> all() {
        Map<String, List<IndexModel>> all = new LinkedHashMap<>();
        List<IndexModel> executions = new ArrayList<>();
        executions.add(index("newest", newestFirst(new Document("tenant", 1))));
        for (String field : List.of("phase", "agent", "session_id", "labels")) {
            executions.add(index("newest_by_" + field, newestFirst(new Document("tenant", 1).append(field, 1))));
        }
        all.put(Names.EXECUTIONS, executions);
        all.put(
                Names.REJECTED,
                List.of(
                        index(
                                "newest_by_execution",
                                new Document("execution", 1)
                                        .append("offset", -1)
                                        .append("index", -1)),
                        new IndexModel(
                                new Document("received_at", 1),
                                new IndexOptions().name("expiry").expireAfter((long) REJECTED_DAYS, TimeUnit.DAYS))));
        return all;
    }

    /** Creates what is missing and checks that all are there: fails when one has the name but not the keys. */
    static Mono<Void> prepare(MongoDatabase database) {
        return Flux.fromIterable(all().entrySet())
                .concatMap(entry -> Flux.from(
                                database.getCollection(entry.getKey()).createIndexes(entry.getValue()))
                        .then(check(database, entry.getKey(), entry.getValue())))
                .then();
    }

    private static Mono<Void> check(MongoDatabase database, String collection, List<IndexModel> expected) {
        return Flux.from(database.getCollection(collection).listIndexes())
                .map(index -> index.get("key", Document.class).keySet())
                .collectList()
                .flatMap(present -> {
                    Set<String> missing = new HashSet<>();
                    for (IndexModel index : expected) {
                        Set<String> keys = ((Document) index.getKeys()).keySet();
                        if (!present.contains(keys)) {
                            missing.add(keys.toString());
                        }
                    }
                    return missing.isEmpty()
                            ? Mono.<Void>empty()
                            : Mono.error(new IllegalStateException("indexes of %s: %s missing (expected: all present)"
                                    .formatted(collection, missing)));
                });
    }

    private static Document newestFirst(Document keys) {
        return keys.append("created_at", -1).append("execution_id", -1);
    }

    private static IndexModel index(String name, Document keys) {
        return new IndexModel(keys, new IndexOptions().name(name));
    }
}
