package dev.runcast.store.mongo;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.bulk.BulkWriteError;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.model.WriteModel;
import com.mongodb.reactivestreams.client.MongoCollection;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;
import reactor.core.publisher.Mono;

/**
 * Unordered bulk writes. An upsert that is guarded by version and finds a newer document tries to insert a second one
 * and is answered with a duplicate key. The same answer comes when two first writes race. So it is tried once more
 * without inserting: what then matches was a race, what does not is older than what is stored, and well so.
 */
final class GuardedWrites {
    private static final int DUPLICATE_KEY = 11000;
    private static final BulkWriteOptions UNORDERED = new BulkWriteOptions().ordered(false);
    private static final UpdateOptions NO_INSERT = new UpdateOptions().upsert(false);

    private GuardedWrites() {}

    static Mono<Void> write(MongoCollection<Document> collection, List<WriteModel<Document>> writes) {
        if (writes.isEmpty()) {
            return Mono.empty();
        }
        return Mono.from(collection.bulkWrite(writes, UNORDERED))
                .then()
                .onErrorResume(MongoBulkWriteException.class, error -> retry(collection, writes, error));
    }

    private static Mono<Void> retry(
            MongoCollection<Document> collection, List<WriteModel<Document>> writes, MongoBulkWriteException error) {
        List<WriteModel<Document>> again = new ArrayList<>();
        for (BulkWriteError failed : error.getWriteErrors()) {
            if (failed.getCode() != DUPLICATE_KEY) {
                return Mono.error(error);
            }
            UpdateOneModel<Document> update = (UpdateOneModel<Document>) writes.get(failed.getIndex());
            again.add(new UpdateOneModel<>(
                    update.getFilter(), java.util.Objects.requireNonNull(update.getUpdate()), NO_INSERT));
        }
        if (again.isEmpty() || error.getWriteConcernError() != null) {
            return Mono.error(error);
        }
        return Mono.from(collection.bulkWrite(again, UNORDERED)).then();
    }
}
