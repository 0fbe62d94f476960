package dev.runcast.store.mongo;

import static com.mongodb.client.model.Filters.and;
import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Filters.lt;
import static com.mongodb.client.model.Filters.or;

import com.google.protobuf.InvalidProtocolBufferException;
import com.mongodb.ConnectionString;
import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoClientSettings;
import com.mongodb.ReadConcern;
import com.mongodb.WriteConcern;
import com.mongodb.client.model.FindOneAndUpdateOptions;
import com.mongodb.client.model.Projections;
import com.mongodb.client.model.ReturnDocument;
import com.mongodb.client.model.WriteModel;
import com.mongodb.reactivestreams.client.MongoClient;
import com.mongodb.reactivestreams.client.MongoClients;
import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionFilter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.Page;
import dev.runcast.store.PageToken;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.StoredEntry;
import dev.runcast.store.UnstorableException;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.bson.BsonMaximumSizeExceededException;
import org.bson.BsonSerializationException;
import org.bson.Document;
import org.bson.conversions.Bson;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The store on MongoDB, through the reactive streams driver.
 *
 * <p>Collections, each document found by {@code _id} alone:
 *
 * <ul>
 *   <li>{@code executions}: tenant/execution. Written after everything it promises.
 *   <li>{@code entries}: tenant/execution/ordinal. The record, and the list of where its texts lie.
 *   <li>{@code texts}: tenant/execution/entry/field/generation/⌊version ÷ 128⌋. Each append under its version, as what
 *       the text was from an offset on: a reader takes those up to its header's version and puts the text together. By
 *       version and not by offset, since a text that is cut and written again at one offset would else lose what a
 *       reader still needs, and grow one document without end.
 *   <li>{@code changes}: tenant/execution/⌊version ÷ 128⌋. Each change under its version, compressed.
 *   <li>{@code requests}: tenant/execution/request. The version that a request made.
 *   <li>{@code rejected}: partition/offset/index. Expires after 30 days.
 *   <li>{@code dead_letters}: topic/partition/offset.
 *   <li>{@code meta}: {@code store}, with this store's generation.
 * </ul>
 *
 * Appends of over 32 KiB and changes that stay over 32 KiB lie in documents of their own, and what then is over 8 MiB
 * in several, so none comes near 16 MiB.
 */
public final class MongoExecutionStore implements ExecutionStore, AutoCloseable {
    /** BSONObjectTooLarge, and what older servers say for it. */
    private static final Set<Integer> TOO_LARGE = Set.of(10334, 17419, 17420);

    private final MongoClient client;
    private final MongoDatabase database;
    private final boolean guarded;
    private final EntryReader entries;
    private final HistoryReader history;
    private final Contradictions contradictions;

    private MongoExecutionStore(MongoClient client, MongoSettings settings) {
        this.client = client;
        this.database = client.getDatabase(settings.database());
        this.guarded = settings.versionGuard();
        this.entries = new EntryReader(database);
        this.history = new HistoryReader(database);
        this.contradictions = new Contradictions(database);
    }

    /** A store that connects when it is first used. */
    public static MongoExecutionStore connect(MongoSettings settings) {
        long timeout = settings.timeout().toMillis();
        MongoClientSettings clientSettings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(settings.uri()))
                .applicationName("runcast")
                .writeConcern(WriteConcern.MAJORITY)
                .readConcern(ReadConcern.MAJORITY)
                .timeout(timeout, TimeUnit.MILLISECONDS)
                .applyToClusterSettings(cluster -> cluster.serverSelectionTimeout(timeout, TimeUnit.MILLISECONDS))
                .build();
        return new MongoExecutionStore(MongoClients.create(clientSettings), settings);
    }

    @Override
    public Mono<Void> prepare() {
        return StoreIndexes.prepare(database).then(generation()).then();
    }

    @Override
    public Mono<Execution> execution(ExecutionKey key) {
        return Mono.from(database.getCollection(Names.EXECUTIONS).find(eq("_id", key.toString())))
                .map(HeaderDocument::read);
    }

    @Override
    public Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys) {
        return Flux.from(database.getCollection(Names.EXECUTIONS).find(in("_id", ids(keys))))
                .collectMap(MongoExecutionStore::key, HeaderDocument::read);
    }

    @Override
    public Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys) {
        return Flux.from(database.getCollection(Names.EXECUTIONS)
                        .find(in("_id", ids(keys)))
                        .projection(Projections.include("version")))
                .collectMap(MongoExecutionStore::key, HeaderDocument::version);
    }

    @Override
    public Flux<ExecutionKey> keys() {
        return Flux.from(database.getCollection(Names.EXECUTIONS).find().projection(Projections.include("_id")))
                .map(MongoExecutionStore::key);
    }

    @Override
    public Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit) {
        return Mono.defer(() -> {
            String query = "executions " + tenant + ' ' + filter;
            Bson wanted = FilterDocument.of(tenant, filter);
            if (!pageToken.isEmpty()) {
                wanted = and(wanted, FilterDocument.after(PageToken.decode(query, pageToken)));
            }
            return Flux.from(database.getCollection(Names.EXECUTIONS)
                            .find(wanted)
                            .sort(new Document("created_at", -1).append("execution_id", -1))
                            .limit(limit + 1))
                    .collectList()
                    .map(found -> page(found, limit, HeaderDocument::read, last -> new PageToken(
                                    last.getDate("created_at").getTime(), last.getString("execution_id"))
                            .encode(query)));
        });
    }

    @Override
    public Flux<StoredEntry> entries(Execution execution, long afterOrdinal) {
        return entries.read(execution, afterOrdinal);
    }

    @Override
    public Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion) {
        return history.read(key, afterVersion, throughVersion);
    }

    @Override
    public Mono<Change> request(ExecutionKey key, String requestId) {
        return Mono.from(database.getCollection(Names.REQUESTS).find(eq("_id", Names.request(key, requestId))))
                .map(HeaderDocument::version)
                .flatMap(version -> history.read(key, version - 1, version).next());
    }

    @Override
    public Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit) {
        return Mono.defer(() -> {
            String query = "rejected " + key;
            Bson wanted = eq("execution", key.toString());
            if (!pageToken.isEmpty()) {
                PageToken token = PageToken.decode(query, pageToken);
                wanted = and(
                        wanted,
                        or(
                                lt("offset", token.first()),
                                and(eq("offset", token.first()), lt("index", Integer.parseInt(token.second())))));
            }
            return Flux.from(database.getCollection(Names.REJECTED)
                            .find(wanted)
                            .sort(new Document("offset", -1).append("index", -1))
                            .limit(limit + 1))
                    .collectList()
                    .map(found -> page(found, limit, MongoExecutionStore::readRejected, last -> new PageToken(
                                    last.getLong("offset"), Integer.toString(last.getInteger("index")))
                            .encode(query)));
        });
    }

    @Override
    public Flux<DeadLetter> deadLetters(int limit) {
        return Flux.from(database.getCollection(Names.DEAD_LETTERS)
                        .find()
                        .sort(new Document("at", -1))
                        .limit(limit))
                .map(document -> new DeadLetter(
                        document.getString("topic"),
                        document.getInteger("partition"),
                        document.getLong("offset"),
                        document.getString("key"),
                        document.getString("reason"),
                        document.getString("message"),
                        document.getDate("at").toInstant()));
    }

    @Override
    public Mono<String> generation() {
        Document given = new Document("generation", UUID.randomUUID().toString()).append("created_at", new Date());
        return Mono.from(database.getCollection(Names.META).find(eq("_id", "store")))
                .switchIfEmpty(Mono.defer(() -> Mono.from(database.getCollection(Names.META)
                        .findOneAndUpdate(
                                eq("_id", "store"),
                                new Document("$setOnInsert", given),
                                new FindOneAndUpdateOptions().upsert(true).returnDocument(ReturnDocument.AFTER)))))
                .map(document -> document.getString("generation"));
    }

    @Override
    public Mono<Void> write(StoreWrite write) {
        return Mono.defer(() -> {
                    PollFold fold = new PollFold(write, guarded);
                    return Mono.when(
                                    bulk(Names.ENTRIES, fold.entries()),
                                    bulk(Names.TEXTS, fold.texts()),
                                    bulk(Names.CHANGES, fold.changes()),
                                    bulk(Names.REQUESTS, fold.requests()),
                                    bulk(Names.REJECTED, fold.rejected()),
                                    bulk(Names.DEAD_LETTERS, fold.deadLetters()))
                            .then(Mono.defer(() -> bulk(Names.EXECUTIONS, fold.executions())));
                })
                .onErrorMap(
                        MongoExecutionStore::isHopeless,
                        error -> new UnstorableException(String.valueOf(error.getMessage()), error));
    }

    @Override
    public Mono<Void> remove(ExecutionKey key) {
        Bson of = Names.all(key);
        return Flux.just(Names.ENTRIES, Names.TEXTS, Names.CHANGES, Names.REQUESTS)
                .flatMap(collection -> database.getCollection(collection).deleteMany(of))
                .then(Mono.defer(
                        () -> Mono.from(database.getCollection(Names.EXECUTIONS).deleteOne(eq("_id", key.toString())))))
                .then();
    }

    @Override
    public Mono<Void> removeHeadless() {
        return keys().hasElements()
                .flatMap(any -> any
                        ? Mono.empty()
                        : Flux.just(Names.ENTRIES, Names.TEXTS, Names.CHANGES, Names.REQUESTS)
                                .flatMap(collection ->
                                        database.getCollection(collection).deleteMany(new Document()))
                                .then());
    }

    @Override
    public Flux<String> contradictions(ExecutionKey key) {
        return contradictions.of(key);
    }

    /**
     * For drills: changes one byte of one stored document of an execution, so that a rebuild has something to find.
     *
     * @return which one, in words; empty when nothing is stored of the execution
     */
    public Mono<String> damage(ExecutionKey key, Random random) {
        return new Damage(database, random).of(key);
    }

    /** What the data is to blame for, not the server: everything else may heal. */
    private static boolean isHopeless(Throwable error) {
        if (error instanceof MongoBulkWriteException bulk) {
            return bulk.getWriteErrors().stream().anyMatch(failed -> TOO_LARGE.contains(failed.getCode()));
        }
        return error instanceof BsonMaximumSizeExceededException
                || error instanceof IllegalArgumentException
                || error instanceof BsonSerializationException;
    }

    @Override
    public void close() {
        client.close();
    }

    private static ExecutionKey key(Document header) {
        return ExecutionKey.parse(header.getString("_id"));
    }

    private static List<String> ids(Collection<ExecutionKey> keys) {
        return keys.stream().map(ExecutionKey::toString).toList();
    }

    private Mono<Void> bulk(String collection, List<WriteModel<Document>> writes) {
        return GuardedWrites.write(database.getCollection(collection), writes);
    }

    private static RejectedUpdate readRejected(Document document) {
        try {
            return RejectedUpdate.parseFrom(HeaderDocument.bytes(document, "raw"));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("rejected update %s: damaged".formatted(document.get("_id")), e);
        }
    }

    private static <T> Page<T> page(
            List<Document> found, int limit, Function<Document, T> read, Function<Document, String> token) {
        List<Document> shown = found.size() > limit ? found.subList(0, limit) : found;
        return new Page<>(
                shown.stream().map(read).toList(),
                shown.size() < found.size() ? token.apply(shown.get(limit - 1)) : "");
    }
}
