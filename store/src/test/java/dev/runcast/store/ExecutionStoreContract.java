package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Totals;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store must do. Each test has a tenant of its own, so that one server serves them all. */
abstract class ExecutionStoreContract {
    private String tenant = "";

    abstract ExecutionStore store();

    @BeforeEach
    void newTenant() {
        tenant = "t" + UUID.randomUUID();
    }

    @Test
    void whatWasNeverWrittenIsEmpty() {
        ExecutionKey key = new ExecutionKey(tenant, "none");
        assertThat(store().execution(key).blockOptional()).isEmpty();
        assertThat(store().changes(key, 0, Long.MAX_VALUE).collectList().block())
                .isEmpty();
        assertThat(store().versions(List.of(key)).block()).isEmpty();
        assertThat(store().executions(tenant, ExecutionFilter.ALL, "", 10)
                        .block()
                        .items())
                .isEmpty();
        assertThat(store().rejected(key, "", 10).block().items()).isEmpty();
    }

    @Test
    void requestIsFoundByItsId() {
        History history = history("asked").phase(Phase.PHASE_RUNNING);
        for (int i = 0; i < 150; i++) {
            history.nothing();
        }
        history.request("r1").nothing().request("r2");
        assertThat(store().request(history.key(), "r1").blockOptional()).isEmpty();
        write(history, 0, 153);
        assertThat(store().request(history.key(), "r1").block())
                .isEqualTo(history.changes().get(151));
        assertThat(store().request(history.key(), "r2").blockOptional()).isEmpty();
        write(history, 153, 154);
        // As after a failure whose outcome was not known.
        write(history, 0, 154);
        assertThat(store().request(history.key(), "r2").block())
                .isEqualTo(history.changes().get(153));
        assertThat(store().request(new ExecutionKey(tenant, "another"), "r1").blockOptional())
                .isEmpty();
        history.request("r1");
        write(history, 154, 155);
        write(history, 150, 153);
        assertThat(store().request(history.key(), "r1").block())
                .as("an id that was forgotten and used again")
                .isEqualTo(history.changes().get(154));
    }

    @Test
    void headerIsCompleteThoughPatchesAreNot() {
        History history = history("e")
                .declared("travel-planner", "s-1", Map.of("team", "search", "a.b/$c", "ü \"quoted\" $x.y"))
                .phase(Phase.PHASE_RUNNING)
                .failed(Failure.newBuilder()
                        .setCode("TOOL_ERROR")
                        .setMessage("no flight")
                        .build())
                .nothing();
        for (long version = 1; version <= history.version(); version++) {
            write(history, version - 1, version);
        }
        assertThat(read(history.key())).isEqualTo(history.execution());
        assertThat(read(history.key()).getAttributes().getLabelsMap()).containsEntry("a.b/$c", "ü \"quoted\" $x.y");
        history.recovered().nothing();
        write(history, 4, 6);
        assertThat(read(history.key())).isEqualTo(history.execution());
        assertThat(read(history.key()).hasFailure()).isFalse();
        assertThat(read(history.key()).getSpec().getAgent()).isEqualTo("travel-planner");
    }

    /** Over the descriptor, so that a message field that is added to Execution fails here until it is stored. */
    @Test
    void everyMessageFieldIsKeptUntilAnEmptyOneClearsIt() {
        for (FieldDescriptor field : Execution.getDescriptor().getFields()) {
            if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE
                    || field.getMessageType() == Timestamp.getDescriptor()
                    || field.getMessageType() == Totals.getDescriptor()) {
                continue;
            }
            FieldDescriptor text = firstText(field);
            Message.Builder value = Execution.newBuilder().newBuilderForField(field);
            if (text == null) {
                FieldDescriptor part = value.getDescriptorForType().getFields().stream()
                        .filter(inner -> inner.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !inner.isRepeated())
                        .findFirst()
                        .orElseThrow();
                value.setField(part, value.newBuilderForField(part).build());
            } else {
                value.setField(text, "a-" + field.getName());
            }
            History history = history("e-" + field.getName())
                    .phase(Phase.PHASE_RUNNING)
                    .with(field, value.build())
                    .phase(Phase.PHASE_PAUSED)
                    .nothing();
            write(history, 0, 1);
            write(history, 1, 2);
            write(history, 2, 4);
            assertThat(read(history.key()).getField(field)).as(field.getName()).isEqualTo(value.build());
            assertThat(read(history.key())).isEqualTo(history.execution());
            history.with(field, value.getDefaultInstanceForType());
            write(history, 4, 5);
            assertThat(read(history.key()).hasField(field)).as(field.getName()).isFalse();
        }
    }

    private static @Nullable FieldDescriptor firstText(FieldDescriptor field) {
        return field.getMessageType().getFields().stream()
                .filter(inner -> inner.getJavaType() == FieldDescriptor.JavaType.STRING && !inner.isRepeated())
                .findFirst()
                .orElse(null);
    }

    @Test
    void executionIsReadableBeforeItWasDeclared() {
        History history = history("e").phase(Phase.PHASE_RUNNING);
        write(history, 0, 1);
        assertThat(read(history.key())).isEqualTo(history.execution());
        history.declared("late", "s", Map.of());
        write(history, 1, 2);
        assertThat(list("agent = late")).containsExactly("e");
    }

    @Test
    void entriesComeInOrderOfAppearanceWithTheirTexts() {
        History history = history("e").phase(Phase.PHASE_RUNNING);
        for (int i = 1; i <= 150; i++) {
            history.message("m" + i).append("m" + i, "Hello ").append("m" + i, "мир 🌍 " + i);
        }
        history.toolCall("t1", "search").append("t1", "");
        store().write(history.all()).block();
        assertThat(entries(history)).isEqualTo(history.entries());
        assertThat(store().entries(history.execution(), 148)
                        .map(entry -> entry.record().getEntryId())
                        .collectList()
                        .block())
                .containsExactly("m149", "m150", "t1");
    }

    @Test
    void readerThatHasEnoughCancels() {
        History history = history("e").phase(Phase.PHASE_RUNNING);
        for (int i = 1; i <= 200; i++) {
            history.message("m" + i).append("m" + i, "x".repeat(10_000));
        }
        store().write(history.all()).block();
        assertThat(store().entries(history.execution(), 0).take(3).collectList().block())
                .hasSize(3);
    }

    @Test
    void textGrowsOverManyChangesAndBuckets() {
        History history = history("e").phase(Phase.PHASE_RUNNING).message("m").toolCall("t", "cat");
        for (int i = 0; i < 300; i++) {
            history.append("m", "token-" + i + "é ");
            if (i % 50 == 0) {
                history.append("t", "line " + i + "\n");
            }
        }
        writeInSplits(history, new Random(7));
        assertThat(entries(history)).isEqualTo(history.entries());
    }

    @Test
    void largeAppendsAndLargeChangesComeBackWhole() {
        String large = "0123456789абвгд".repeat(12_000);
        History history = history("e")
                .phase(Phase.PHASE_RUNNING)
                .toolCall("t", "cat")
                .append("t", large)
                .append("t", noise(200_000))
                .append("t", "end");
        store().write(history.all()).block();
        assertThat(entries(history)).isEqualTo(history.entries());
        assertThat(store().changes(history.key(), 0, Long.MAX_VALUE)
                        .collectList()
                        .block())
                .isEqualTo(history.changes());
        StoredEntry stored = store().entries(history.execution(), 0).blockLast();
        assertThat(stored.texts())
                .hasSizeGreaterThan(4)
                .allMatch(piece -> piece.getTextBytes().size() <= TextPieces.MAX_BYTES);
    }

    @Test
    void textThatIsCutAndWrittenAgainStaysSmallAndRight() {
        History history =
                history("e").phase(Phase.PHASE_RUNNING).toolCall("t", "build").append("t", "progress: ");
        for (int i = 0; i < 400; i++) {
            history.rewrite("t", 10, i + " %");
        }
        history.rewrite("t", 3, "").append("t", "spective");
        writeInSplits(history, new Random(8));
        assertThat(entries(history)).isEqualTo(history.entries());
        assertThat(history.text("t")).isEqualTo("prospective");
    }

    @Test
    void textThatBeginsAgainReplacesTheOneBefore() {
        History history = history("e")
                .phase(Phase.PHASE_RUNNING)
                .message("m")
                .append("m", "first attempt, long")
                .restart("m", "second")
                .append("m", " attempt");
        writeInSplits(history, new Random(9));
        assertThat(entries(history)).isEqualTo(history.entries());
    }

    @Test
    void textsAreOfTheHeadersVersionThoughNewerOnesAreWritten() {
        History history = history("e")
                .phase(Phase.PHASE_RUNNING)
                .message("m")
                .append("m", "0123456789")
                .message("n")
                .append("n", "old");
        store().write(history.all()).block();
        Execution header = read(history.key());
        history.rewrite("m", 2, "xyz").restart("n", "new").message("o").append("o", "later");
        write(history, header.getVersion(), history.version());
        List<StoredEntry> stored = store().entries(header, 0).collectList().block();
        assertThat(stored).hasSize(2);
        assertThat(stored.get(0).texts().get(0).getText()).isEqualTo("0123456789");
        assertThat(stored.get(1).texts().get(0).getText()).isEqualTo("old");
        assertThat(stored.get(1).texts().get(0).getGeneration()).isEqualTo(1);
        assertThat(entries(history)).isEqualTo(history.entries());
    }

    @Test
    void historyIsReadInRangesOverItsBuckets() {
        History history = history("e").declared("a", "s", Map.of());
        while (history.version() < 300) {
            history.nothing();
        }
        writeInSplits(history, new Random(10));
        assertThat(versions(history.key(), 0, Long.MAX_VALUE))
                .hasSize(300)
                .startsWith(1L)
                .endsWith(300L);
        assertThat(versions(history.key(), 126, 129)).containsExactly(127L, 128L, 129L);
        assertThat(versions(history.key(), 255, 256)).containsExactly(256L);
        assertThat(versions(history.key(), 300, Long.MAX_VALUE)).isEmpty();
        assertThat(versions(history.key(), 20, 20)).isEmpty();
        assertThat(store().changes(history.key(), 0, Long.MAX_VALUE)
                        .collectList()
                        .block())
                .isEqualTo(history.changes());
        assertThat(store().changes(history.key(), 0, Long.MAX_VALUE)
                        .take(2)
                        .map(Change::getVersion)
                        .collectList()
                        .block())
                .containsExactly(1L, 2L);
    }

    @Test
    void writingAgainChangesNothing() {
        History history = history("e")
                .declared("a", "s", Map.of("k", "v"))
                .message("m")
                .append("m", "one ")
                .append("m", "two ")
                .rewrite("m", 4, "three")
                .phase(Phase.PHASE_COMPLETED);
        store().write(history.all()).block();
        write(history, 0, 4);
        write(history, 2, 6);
        store().write(history.all()).block();
        assertThat(read(history.key())).isEqualTo(history.execution());
        assertThat(entries(history)).isEqualTo(history.entries());
        assertThat(versions(history.key(), 0, Long.MAX_VALUE)).hasSize(6);
    }

    @Test
    void anyHistoryInAnySplitWithAnyRepetitionIsReadBackAsItWas() {
        for (long seed = 1; seed <= 25; seed++) {
            Random random = new Random(seed);
            History history = randomHistory("e" + seed, random, 200);
            writeInSplits(history, random);
            String rerun = "seed %d (mvn -pl store verify -Dit.test=%s)"
                    .formatted(seed, getClass().getSimpleName());
            assertThat(read(history.key())).as(rerun).isEqualTo(history.execution());
            assertThat(entries(history)).as(rerun).isEqualTo(history.entries());
            assertThat(store().changes(history.key(), 0, Long.MAX_VALUE)
                            .collectList()
                            .block())
                    .as(rerun)
                    .isEqualTo(history.changes());
        }
    }

    @Test
    void whatIsRemovedIsGoneAndItsIdBeginsAnew() {
        History first =
                history("e").declared("a", "s", Map.of("k", "v")).message("m").append("m", noise(200_000));
        for (int i = 0; i < 300; i++) {
            first.append("m", " more");
        }
        first.request("asked");
        History neighbour = history("e-2").message("m").append("m", "stays");
        store().write(first.all()).block();
        store().write(neighbour.all()).block();
        assertThat(store().keys().collectList().block()).contains(first.key(), neighbour.key());

        store().remove(first.key()).block();
        store().remove(first.key()).block();

        assertThat(store().keys().collectList().block())
                .doesNotContain(first.key())
                .contains(neighbour.key());
        assertThat(store().execution(first.key()).blockOptional()).isEmpty();
        assertThat(store().changes(first.key(), 0, Long.MAX_VALUE).collectList().block())
                .isEmpty();
        History second = history("e").phase(Phase.PHASE_RUNNING).message("m").append("m", "other words");
        store().write(second.all()).block();
        assertThat(read(second.key())).isEqualTo(second.execution());
        assertThat(entries(second)).isEqualTo(second.entries());
        assertThat(store().request(first.key(), "asked").blockOptional()).isEmpty();
        assertThat(store().changes(first.key(), 0, Long.MAX_VALUE).collectList().block())
                .isEqualTo(second.changes());
        assertThat(entries(neighbour)).isEqualTo(neighbour.entries());
        assertThat(store().contradictions(second.key()).collectList().block()).isEmpty();
    }

    @Test
    void changeOfManyMegabytesComesBackWhole() {
        History history = history("e").declared("a", "s", Map.of());
        String noise = noise(60_000);
        history.records(400, i -> Failure.newBuilder()
                .setMessage(noise.substring(i) + noise.substring(0, i))
                .build());
        history.nothing();
        store().write(history.all()).block();
        assertThat(history.changes().get(1).getSerializedSize()).isGreaterThan(20 * 1024 * 1024);
        // Not by their texts: a failure would print them.
        assertThat(store().changes(history.key(), 0, Long.MAX_VALUE)
                        .collectList()
                        .block()
                        .equals(history.changes()))
                .isTrue();
        assertThat(entries(history).equals(history.entries())).isTrue();
    }

    @Test
    void oneWriteHoldsManyExecutions() {
        List<History> histories = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            histories.add(
                    history("e" + i).declared("a", "s", Map.of()).message("m").append("m", "text " + i));
        }
        store().write(StoreWrite.ofChanges(
                        histories.stream().map(h -> h.batch(0, h.version())).toList()))
                .block();
        assertThat(store().versions(histories.stream().map(History::key).toList())
                        .block())
                .hasSize(20)
                .containsEntry(new ExecutionKey(tenant, "e7"), 3L);
        ExecutionKey never = new ExecutionKey(tenant, "never-written");
        ExecutionKey third = histories.get(3).key();
        ExecutionKey other = histories.get(17).key();
        assertThat(store().executions(List.of(third, never, other)).block())
                .isEqualTo(Map.of(
                        third, store().execution(third).block(),
                        other, store().execution(other).block()));
        for (History history : histories) {
            assertThat(entries(history)).isEqualTo(history.entries());
        }
    }

    @Test
    void listIsNewestFirstPageByPageAndOfOneTenant() {
        for (int i = 0; i < 7; i++) {
            // Two share a millisecond: then the id decides.
            store().write(history("e" + i)
                            .at(1_800_000_000L + i / 2)
                            .declared("a", "s", Map.of())
                            .all())
                    .block();
        }
        store().write(new History("other" + tenant.substring(1, 30), "x")
                        .declared("a", "s", Map.of())
                        .all())
                .block();
        List<String> listed = new ArrayList<>();
        String token = "";
        do {
            Page<Execution> page =
                    store().executions(tenant, ExecutionFilter.ALL, token, 3).block();
            page.items().forEach(execution -> listed.add(execution.getExecutionId()));
            token = page.nextPageToken();
        } while (!token.isEmpty());
        assertThat(listed).containsExactly("e6", "e5", "e4", "e3", "e2", "e1", "e0");
    }

    @Test
    void everyFilterFindsItsExecutions() {
        store().write(history("a")
                        .at(1_800_000_000L)
                        .declared("planner", "s1", Map.of("team", "search", "x.y/z", "1"))
                        .phase(Phase.PHASE_RUNNING)
                        .all())
                .block();
        store().write(history("b")
                        .at(1_800_000_100L)
                        .declared("planner", "s2", Map.of("team", "ads"))
                        .phase(Phase.PHASE_COMPLETED)
                        .all())
                .block();
        store().write(history("c").at(1_800_000_200L).phase(Phase.PHASE_RUNNING).all())
                .block();
        assertThat(list("")).containsExactly("c", "b", "a");
        assertThat(list("phase = RUNNING")).containsExactly("c", "a");
        assertThat(list("phase != RUNNING")).containsExactly("b");
        assertThat(list("agent = planner")).containsExactly("b", "a");
        assertThat(list("agent = \"\"")).containsExactly("c");
        assertThat(list("session_id = 's2'")).containsExactly("b");
        assertThat(list("session_id != s2")).containsExactly("c", "a");
        assertThat(list("labels.team = search")).containsExactly("a");
        assertThat(list("labels.team != \"search\"")).containsExactly("c", "b");
        assertThat(list("labels.x.y/z = 1")).containsExactly("a");
        assertThat(list("labels.\"x.y/z\" = 1 AND labels.team = search AND phase = RUNNING"))
                .containsExactly("a");
        String middle = Instant.ofEpochSecond(1_800_000_100L, 123_456_789).toString();
        assertThat(list("created_at > " + middle)).containsExactly("c");
        assertThat(list("created_at >= " + middle)).containsExactly("c", "b");
        assertThat(list("created_at < " + middle)).containsExactly("a");
        assertThat(list("created_at <= " + middle)).containsExactly("b", "a");
        assertThat(list("created_at = " + middle)).containsExactly("b");
        assertThat(list("created_at != " + middle + " AND created_at < 2099-01-01T00:00:00+02:00"))
                .containsExactly("c", "a");
    }

    @Test
    void tokenOfAnotherQueryIsRefused() {
        store().write(history("a").declared("x", "s", Map.of()).all()).block();
        store().write(history("b").declared("x", "s", Map.of()).all()).block();
        String token =
                store().executions(tenant, ExecutionFilter.ALL, "", 1).block().nextPageToken();
        assertThatThrownBy(() -> store().executions(tenant, ExecutionFilter.parse("agent = x"), token, 1)
                        .block())
                .isInstanceOf(InvalidQueryException.class)
                .hasMessageContaining("page_token: \"" + token + "\" (expected: ");
        assertThatThrownBy(() ->
                        store().executions(tenant, ExecutionFilter.ALL, "!", 1).block())
                .isInstanceOf(InvalidQueryException.class);
        assertThatThrownBy(() -> store().rejected(new ExecutionKey(tenant, "a"), token, 1)
                        .block())
                .isInstanceOf(InvalidQueryException.class);
    }

    @Test
    void rejectedUpdatesComeLatestFirstPageByPage() {
        ExecutionKey key = new ExecutionKey(tenant, "e");
        List<RejectedUpdate> rejected = new ArrayList<>();
        int partition = Math.floorMod(tenant.hashCode(), 1_000_000);
        for (int i = 0; i < 5; i++) {
            rejected.add(RejectedUpdate.newBuilder()
                    .setTenant(tenant)
                    .setExecutionId(i == 4 ? "other" : "e")
                    .setReason(RejectionReason.forNumber(1 + i))
                    .setMessage("sequence: 9 (expected: 3)")
                    .setPartition(partition)
                    .setOffset(10 + i / 2)
                    .setIndex(i % 2)
                    .setCount(1)
                    .setReceivedAt(Timestamp.newBuilder().setSeconds(1_900_000_000L))
                    .build());
        }
        store().write(StoreWrite.ofRejected(rejected)).block();
        store().write(StoreWrite.ofRejected(rejected)).block();
        Page<RejectedUpdate> first = store().rejected(key, "", 3).block();
        assertThat(first.items()).containsExactly(rejected.get(3), rejected.get(2), rejected.get(1));
        Page<RejectedUpdate> second =
                store().rejected(key, first.nextPageToken(), 3).block();
        assertThat(second.items()).containsExactly(rejected.get(0));
        assertThat(second.nextPageToken()).isEmpty();
    }

    @Test
    void deadLettersAreKeptOnce() {
        DeadLetter letter = new DeadLetter(
                tenant,
                3,
                17,
                "a/b",
                "UNREADABLE",
                "value: 3 bytes (expected: a ChangeBatch)",
                Instant.ofEpochSecond(5));
        store().write(StoreWrite.ofDeadLetters(List.of(letter))).block();
        store().write(StoreWrite.ofDeadLetters(List.of(letter))).block();
        assertThat(store().deadLetters(1000).collectList().block()).containsOnlyOnce(letter);
    }

    @Test
    void generationStaysTheSame() {
        String generation = store().generation().block();
        assertThat(generation).isNotEmpty();
        assertThat(store().generation().block()).isEqualTo(generation);
    }

    History history(String executionId) {
        return new History(tenant, executionId);
    }

    void write(History history, long after, long through) {
        store().write(StoreWrite.ofChanges(List.of(history.batch(after, through))))
                .block();
    }

    Execution read(ExecutionKey key) {
        return store().execution(key).block();
    }

    List<Entry> entries(History history) {
        return store().entries(read(history.key()), 0)
                .map(StoredEntry::filled)
                .collectList()
                .block();
    }

    List<String> list(String filter) {
        return store().executions(tenant, ExecutionFilter.parse(filter), "", 100).block().items().stream()
                .map(Execution::getExecutionId)
                .toList();
    }

    private List<Long> versions(ExecutionKey key, long after, long through) {
        return store().changes(key, after, through)
                .map(Change::getVersion)
                .collectList()
                .block();
    }

    /** Polls of any size; some are written again, from somewhere before, as after a crash before the commit. */
    void writeInSplits(History history, Random random) {
        long written = 0;
        while (written < history.version()) {
            long through = Math.min(history.version(), written + 1 + random.nextInt(40));
            write(history, written, through);
            if (random.nextInt(4) == 0) {
                long from = Math.max(0, written - random.nextInt(20));
                long middle = from + random.nextInt((int) (through - from)) + 1;
                write(history, from, middle);
                if (middle < through) {
                    write(history, middle, through);
                }
            }
            written = through;
        }
    }

    static History randomHistory(String tenant, String id, Random random, int changes) {
        History history = new History(tenant, id).declared("a", "s", Map.of("k", "v"));
        int entries = 0;
        while (history.version() < changes) {
            String some = "m" + (entries == 0 ? 0 : random.nextInt(entries));
            int length = history.text(some).length();
            switch (entries == 0 ? 0 : random.nextInt(12)) {
                case 0 -> history.message("m" + entries++);
                case 1 -> history.restart(some, "again " + random.nextInt());
                case 2, 3 -> history.rewrite(some, random.nextInt(length + 1), "cut " + random.nextInt(99));
                case 4 -> history.rewrite(some, length / 2, "");
                case 5 -> history.nothing();
                case 6 -> history.append(some, "x".repeat(random.nextInt(9) == 0 ? 40_000 : 500));
                default -> history.append(some, " слово" + random.nextInt(99));
            }
        }
        return history;
    }

    private History randomHistory(String id, Random random, int changes) {
        return randomHistory(tenant, id, random, changes);
    }

    private static String noise(int length) {
        Random random = new Random(3);
        StringBuilder noise = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            noise.append((char) ('!' + random.nextInt(90)));
        }
        return noise.toString();
    }
}
