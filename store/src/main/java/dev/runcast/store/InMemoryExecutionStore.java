package dev.runcast.store;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.TextChange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Stream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The twin: keeps the history and replays it for whatever is asked, so that it is slow and plainly right. For tests and
 * for trying things out; forgets everything at exit.
 */
public final class InMemoryExecutionStore implements ExecutionStore {
    private static final Comparator<Execution> NEWEST_FIRST = Comparator.<Execution>comparingLong(
                    execution -> Times.millis(execution.getCreatedAt()))
            .thenComparing(Execution::getExecutionId)
            .reversed();
    private static final Comparator<RejectedUpdate> LATEST_FIRST = Comparator.comparingLong(RejectedUpdate::getOffset)
            .thenComparingInt(RejectedUpdate::getIndex)
            .reversed();

    private final String generation = UUID.randomUUID().toString();
    private final ConcurrentNavigableMap<ExecutionKey, NavigableMap<Long, Change>> histories =
            new ConcurrentSkipListMap<>();
    private final Map<String, RejectedUpdate> rejected = new ConcurrentHashMap<>();
    private final Map<String, DeadLetter> deadLetters = new ConcurrentHashMap<>();

    @Override
    public Mono<Void> prepare() {
        return Mono.empty();
    }

    @Override
    public Mono<Execution> execution(ExecutionKey key) {
        return Mono.fromSupplier(() -> {
            NavigableMap<Long, Change> history = histories.get(key);
            return history == null ? null : executionAt(key, history, Long.MAX_VALUE);
        });
    }

    @Override
    public Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys) {
        return Flux.fromIterable(keys)
                .concatMap(key -> execution(key).map(found -> Map.entry(key, found)))
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    @Override
    public Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys) {
        return Mono.fromSupplier(() -> {
            Map<ExecutionKey, Long> versions = new TreeMap<>();
            for (ExecutionKey key : keys) {
                NavigableMap<Long, Change> history = histories.get(key);
                if (history != null) {
                    versions.put(key, history.lastKey());
                }
            }
            return versions;
        });
    }

    @Override
    public Flux<ExecutionKey> keys() {
        return Flux.defer(() -> Flux.fromIterable(List.copyOf(histories.keySet())));
    }

    @Override
    public Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit) {
        return Mono.fromSupplier(() -> {
            String query = "executions " + tenant + ' ' + filter;
            Stream<Execution> found = histories.entrySet().stream()
                    .filter(history -> history.getKey().tenant().equals(tenant))
                    .map(history -> executionAt(history.getKey(), history.getValue(), Long.MAX_VALUE))
                    .filter(filter::matches)
                    .sorted(NEWEST_FIRST);
            if (!pageToken.isEmpty()) {
                PageToken after = PageToken.decode(query, pageToken);
                found = found.filter(execution -> isAfter(execution, after));
            }
            return page(found.toList(), limit, last -> new PageToken(
                            Times.millis(last.getCreatedAt()), last.getExecutionId())
                    .encode(query));
        });
    }

    @Override
    public Flux<StoredEntry> entries(Execution execution, long afterOrdinal) {
        return Flux.defer(() -> {
            ExecutionKey key = new ExecutionKey(execution.getTenant(), execution.getExecutionId());
            NavigableMap<Long, Change> history = histories.get(key);
            if (history == null) {
                return Flux.empty();
            }
            Map<String, Entry> records = new TreeMap<>();
            Map<String, Map<Integer, NaiveText>> texts = new TreeMap<>();
            for (Change change : history.headMap(execution.getVersion(), true).values()) {
                change.getEntriesList().forEach(entry -> records.put(entry.getEntryId(), entry));
                for (TextChange text : change.getTextsList()) {
                    texts.computeIfAbsent(text.getEntryId(), id -> new TreeMap<>())
                            .computeIfAbsent(text.getFieldValue(), field -> new NaiveText())
                            .apply(text);
                }
            }
            return Flux.fromStream(records.values().stream()
                    .filter(entry -> entry.getOrdinal() > afterOrdinal)
                    .sorted(Comparator.comparingLong(Entry::getOrdinal))
                    .map(entry -> new StoredEntry(
                            entry,
                            texts.getOrDefault(entry.getEntryId(), Map.of()).values().stream()
                                    .flatMap(NaiveText::pieces)
                                    .toList())));
        });
    }

    @Override
    public Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion) {
        return Flux.defer(() -> {
            NavigableMap<Long, Change> history = histories.get(key);
            return history == null || afterVersion >= throughVersion
                    ? Flux.empty()
                    : Flux.fromIterable(history.subMap(afterVersion, false, throughVersion, true)
                            .values());
        });
    }

    @Override
    public Mono<Change> request(ExecutionKey key, String requestId) {
        return changes(key, 0, Long.MAX_VALUE)
                .filter(change -> change.getRequestOutcome().getRequestId().equals(requestId))
                .takeLast(1)
                .next();
    }

    @Override
    public Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit) {
        return Mono.fromSupplier(() -> {
            String query = "rejected " + key;
            Stream<RejectedUpdate> found = rejected.values().stream()
                    .filter(update -> update.getTenant().equals(key.tenant())
                            && update.getExecutionId().equals(key.executionId()))
                    .sorted(LATEST_FIRST);
            if (!pageToken.isEmpty()) {
                PageToken after = PageToken.decode(query, pageToken);
                found = found.filter(update -> isAfter(update, after));
            }
            return page(
                    found.toList(), limit, last -> new PageToken(last.getOffset(), Integer.toString(last.getIndex()))
                            .encode(query));
        });
    }

    @Override
    public Flux<DeadLetter> deadLetters(int limit) {
        return Flux.defer(() -> Flux.fromStream(deadLetters.values().stream()
                .sorted(Comparator.comparing(DeadLetter::at).reversed())
                .limit(limit)));
    }

    @Override
    public Mono<String> generation() {
        return Mono.just(generation);
    }

    @Override
    public Mono<Void> write(StoreWrite write) {
        return Mono.fromRunnable(() -> {
            write.changes().forEach(this::write);
            write.rejected()
                    .forEach(update -> rejected.put(
                            update.getPartition() + "/" + update.getOffset() + '/' + update.getIndex(), update));
            write.deadLetters()
                    .forEach(letter ->
                            deadLetters.put(letter.topic() + '/' + letter.partition() + '/' + letter.offset(), letter));
        });
    }

    @Override
    public Mono<Void> remove(ExecutionKey key) {
        return Mono.fromRunnable(() -> histories.remove(key));
    }

    @Override
    public Mono<Void> removeHeadless() {
        return Mono.empty();
    }

    @Override
    public Flux<String> contradictions(ExecutionKey key) {
        return Flux.empty();
    }

    private void write(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        // Replaced, not changed: readers keep what they have.
        histories.compute(key, (same, before) -> {
            NavigableMap<Long, Change> after = before == null ? new TreeMap<>() : new TreeMap<>(before);
            batch.getChangesList().forEach(change -> after.put(change.getVersion(), change));
            return after;
        });
    }

    private static Execution executionAt(ExecutionKey key, NavigableMap<Long, Change> history, long version) {
        Execution execution = Execution.getDefaultInstance();
        for (Change change : history.headMap(version, true).values()) {
            execution = ExecutionPatch.apply(execution, change);
        }
        return execution.toBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .build();
    }

    private static boolean isAfter(Execution execution, PageToken token) {
        int compared = Long.compare(token.first(), Times.millis(execution.getCreatedAt()));
        return compared != 0 ? compared > 0 : token.second().compareTo(execution.getExecutionId()) > 0;
    }

    private static boolean isAfter(RejectedUpdate update, PageToken token) {
        return update.getOffset() != token.first()
                ? update.getOffset() < token.first()
                : update.getIndex() < Integer.parseInt(token.second());
    }

    private static <T> Page<T> page(List<T> found, int limit, Function<T, String> token) {
        return found.size() <= limit
                ? new Page<>(found, "")
                : new Page<>(found.subList(0, limit), token.apply(found.get(limit - 1)));
    }

    /** A text rebuilt append by append. */
    private static final class NaiveText {
        private final List<TextChange> shape = new ArrayList<>();
        private byte[] bytes = new byte[0];

        void apply(TextChange change) {
            if (shape.isEmpty() || change.getGeneration() > shape.get(0).getGeneration()) {
                bytes = new byte[0];
            }
            shape.clear();
            shape.add(change.toBuilder().clearText().clearOffset().build());
            byte[] added = change.getTextBytes().toByteArray();
            byte[] joined = Arrays.copyOf(bytes, (int) change.getOffset() + added.length);
            System.arraycopy(added, 0, joined, (int) change.getOffset(), added.length);
            bytes = joined;
        }

        Stream<TextChange> pieces() {
            return TextPieces.cut(shape.get(0), bytes).stream();
        }
    }
}
