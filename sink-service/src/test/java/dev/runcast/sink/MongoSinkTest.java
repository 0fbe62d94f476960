package dev.runcast.sink;

import static dev.runcast.sink.SinkTesting.assertStored;
import static dev.runcast.sink.SinkTesting.record;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.store.DeadLetter;
import dev.runcast.store.StoreWrite;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.TextChange;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.junit.jupiter.api.Test;

class MongoSinkTest {
    private final FaultyStore store = new FaultyStore();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private MongoSink sink = newSink();
    private long offset;

    @Test
    void pollIsFoldedIntoOneWrite() {
        RunLog first = RunLog.of("a", 50);
        RunLog second = RunLog.of("b", 70);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(feed(first));
        records.addAll(feed(second));
        sink.onMessage(records, consumer);
        assertStored(store, first);
        assertStored(store, second);
        assertThat(store.writes).hasValue(1);
        assertThat(counter("changes.written")).isEqualTo(first.version() + second.version());
        assertThat(counter("changes.repeated")).isZero();
    }

    @Test
    void pollThatComesAgainAfterARestartIsLeftOutByItsVersion() {
        RunLog run = RunLog.of("a", 20);
        sink.onMessage(feed(run), consumer);
        sink = newSink();
        sink.onMessage(feed(run), consumer);
        assertStored(store, run);
        assertThat(counter("changes.repeated")).isEqualTo(run.version());
    }

    @Test
    void writeOfWhichNoAnswerCameIsMadeAgain() {
        RunLog run = RunLog.of("a", 20);
        store.writesThatFail.set(2);
        assertThatThrownBy(() -> sink.onMessage(feed(run), consumer)).hasMessage("no answer");
        assertThatThrownBy(() -> sink.onMessage(feed(run), consumer)).hasMessage("no answer");
        sink.onMessage(feed(run), consumer);
        assertStored(store, run);
    }

    @Test
    void idThatIsUsedAgainBeginsAnewInTheStore() {
        Instant now = Instant.now().minusSeconds(60);
        RunLog ended = RunLog.of("a", 40, now.minus(Duration.ofDays(31)));
        RunLog again = RunLog.of("a", 5, now);
        sink.onMessage(feed(ended), consumer);
        store.writesThatFail.set(1);
        assertThatThrownBy(() -> sink.onMessage(feed(again), consumer)).hasMessage("no answer");
        sink = newSink();
        sink.onMessage(feed(again), consumer);
        sink.onMessage(feed(again), consumer);
        assertStored(store, again);
    }

    @Test
    void idThatIsUsedAgainInTheSamePollBeginsAnew() {
        Instant now = Instant.now().minusSeconds(60);
        RunLog again = RunLog.of("a", 5, now);
        List<ConsumerRecord<byte[], byte[]>> records =
                new ArrayList<>(feed(RunLog.of("a", 40, now.minus(Duration.ofDays(31)))));
        records.addAll(feed(again));
        sink.onMessage(records, consumer);
        assertStored(store, again);
    }

    @Test
    void anySplitWithAnyRepetitionGivesTheSame() {
        for (long seed = 1; seed <= 50; seed++) {
            Random random = new Random(seed);
            RunLog run = RunLog.of("s" + seed, 60);
            List<ConsumerRecord<byte[], byte[]>> feed = feed(run);
            for (int at = 0; at < feed.size(); ) {
                int to = Math.min(feed.size(), at + 1 + random.nextInt(10));
                sink.onMessage(feed.subList(Math.max(0, at - random.nextInt(10)), to), consumer);
                at = to;
            }
            assertStored(store, run);
        }
    }

    @Test
    void poisonBecomesADeadLetterAndItsNeighboursAreStored() {
        RunLog run = RunLog.of("a", 10);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(feed(run));
        ChangeBatch noChanges =
                ChangeBatch.newBuilder().setTenant("t").setExecutionId("e").build();
        ChangeBatch noRecord = noChanges.toBuilder()
                .addChanges(Change.newBuilder()
                        .setFirstVersion(1)
                        .setVersion(1)
                        .addTexts(TextChange.newBuilder().setEntryId("m")))
                .build();
        records.add(3, record(1, 100, "k".getBytes(UTF_8), new byte[] {1, 2, 3}, 0));
        records.add(5, record(1, 101, run.recordKey(), null, 0));
        records.add(
                7,
                record(
                        1,
                        102,
                        "default/other".getBytes(UTF_8),
                        run.changes().get(0).toByteArray(),
                        0));
        records.add(9, record(1, 103, noChanges));
        records.add(record(1, 104, noRecord));
        sink.onMessage(records, consumer);
        assertStored(store, run);
        assertThat(store.deadLetters(100).collectList().block())
                .extracting(DeadLetter::offset, DeadLetter::reason)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(100L, "UNREADABLE"),
                        org.assertj.core.groups.Tuple.tuple(101L, "UNREADABLE"),
                        org.assertj.core.groups.Tuple.tuple(102L, "UNREADABLE"),
                        org.assertj.core.groups.Tuple.tuple(103L, "UNREADABLE"),
                        org.assertj.core.groups.Tuple.tuple(104L, "UNREADABLE"));
        assertThat(counter("dead.letters")).isEqualTo(5);
    }

    @Test
    void holeIsNotWrittenOverAndHoldsNobodyElse() {
        RunLog whole = RunLog.of("whole", 5);
        RunLog holed = RunLog.of("holed", 10);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(feed(holed));
        ConsumerRecord<byte[], byte[]> lost = records.remove(6);
        records.addAll(feed(whole));
        sink.onMessage(records, consumer);
        assertStored(store, whole);
        assertThat(store.execution(holed.key()).block().getVersion()).isEqualTo(6);
        List<DeadLetter> letters = store.deadLetters(100).collectList().block();
        assertThat(letters)
                .hasSize((int) holed.version() - 7)
                .allMatch(letter -> letter.reason().equals("VERSION_GAP"))
                .anyMatch(letter -> letter.message().equals("first_version: 8 (expected: 7 or less)"));
        // Once it is repaired, the feed goes on.
        sink.onMessage(List.of(lost), consumer);
        records.add(0, lost);
        sink.onMessage(records, consumer);
        assertStored(store, holed);
    }

    @Test
    void whatIsRememberedIsCheckedBeforeAHoleIsSeen() {
        RunLog run = RunLog.of("a", 30);
        List<ConsumerRecord<byte[], byte[]>> feed = feed(run);
        sink.onMessage(feed.subList(0, 5), consumer);
        store.real
                .write(StoreWrite.ofChanges(List.of(ChangeBatch.newBuilder()
                        .setTenant("default")
                        .setExecutionId("a")
                        .addAllChanges(run.changes().subList(5, 20).stream()
                                .flatMap(batch -> batch.getChangesList().stream())
                                .toList())
                        .build())))
                .block();
        sink.onMessage(feed.subList(20, feed.size()), consumer);
        assertStored(store, run);
        assertThat(store.deadLetters(1).collectList().block()).isEmpty();
    }

    @Test
    void whatCanNeverBeStoredStopsNobodyElse() {
        RunLog good = RunLog.of("good", 5);
        RunLog bad = RunLog.of("bad", 3);
        store.unstorable.add("bad");
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(feed(bad));
        records.addAll(feed(good));
        sink.onMessage(records, consumer);
        assertStored(store, good);
        assertThat(store.execution(bad.key()).blockOptional()).isEmpty();
        assertThat(store.deadLetters(100).collectList().block())
                .hasSize(bad.changes().size())
                .allMatch(letter -> letter.reason().equals("UNSTORABLE"));
    }

    private MongoSink newSink() {
        return new MongoSink(
                store, new FeedProgress("mongo", InstantSource.system(), registry), InstantSource.system());
    }

    private List<ConsumerRecord<byte[], byte[]>> feed(RunLog run) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        run.changes().forEach(batch -> records.add(record(0, offset++, batch)));
        return records;
    }

    private long counter(String name) {
        return Math.round(
                registry.counter("runcast.sink." + name, "feed", "mongo").count());
    }
}
