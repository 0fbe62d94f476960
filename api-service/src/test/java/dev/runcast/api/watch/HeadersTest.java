package dev.runcast.api.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.api.Run;
import dev.runcast.api.TroubledStore;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.test.scheduler.VirtualTimeScheduler;

class HeadersTest {
    private final InMemoryExecutionStore stored = new InMemoryExecutionStore();
    private final TroubledStore store = new TroubledStore(stored);
    private final VirtualTimeScheduler time = VirtualTimeScheduler.create();
    private final Headers headers = new Headers(store, WatchSettings.DEFAULT, time);
    private final Run run = new Run("acme", "run-1").message("m1", "Once");
    private final Run other = new Run("acme", "run-2").message("m1", "upon");
    private final ExecutionKey nobody = new ExecutionKey("acme", "never");

    @BeforeEach
    void twoAreStored() {
        run.store(stored, 1);
        other.store(stored, 1);
    }

    @Test
    void whatIsAskedForWithinTheWindowIsOneQuery() {
        CompletableFuture<Optional<Execution>> first = headers.soon(run.key()).toFuture();
        CompletableFuture<Optional<Execution>> missing = headers.soon(nobody).toFuture();
        time.advanceTimeBy(headers.window().minusMillis(1));
        CompletableFuture<Optional<Execution>> second =
                headers.soon(other.key()).toFuture();
        CompletableFuture<Optional<Execution>> again = headers.soon(run.key()).toFuture();
        assertThat(first).isNotDone();
        time.advanceTimeBy(Duration.ofMillis(1));
        assertThat(first.join()).isEqualTo(stored.execution(run.key()).blockOptional());
        assertThat(second.join()).isEqualTo(stored.execution(other.key()).blockOptional());
        assertThat(again.join()).isEqualTo(first.join());
        assertThat(missing.join()).isEmpty();
        assertThat(store.commonReads).hasValue(1);
        headers.soon(run.key()).subscribe();
        time.advanceTimeBy(headers.window());
        assertThat(store.commonReads).hasValue(2);
    }

    @Test
    void fullQueryIsAskedAtOnceAndTheNextTakesWhatIsLeft() {
        List<CompletableFuture<Optional<Execution>>> asked = IntStream.rangeClosed(0, Headers.MOST)
                .mapToObj(i -> headers.soon(new ExecutionKey("acme", "e" + i)).toFuture())
                .toList();
        assertThat(asked.subList(0, Headers.MOST)).allMatch(CompletableFuture::isDone);
        assertThat(asked.get(Headers.MOST)).isNotDone();
        time.advanceTimeBy(headers.window());
        assertThat(asked.get(Headers.MOST).join()).isEmpty();
        assertThat(store.commonReads).hasValue(2);
    }

    @Test
    void oneThatIsDamagedHidesNoOther() {
        store.damage(other.key());
        CompletableFuture<Optional<Execution>> first = headers.soon(run.key()).toFuture();
        CompletableFuture<Optional<Execution>> missing = headers.soon(nobody).toFuture();
        CompletableFuture<Optional<Execution>> damaged =
                headers.soon(other.key()).toFuture();
        time.advanceTimeBy(headers.window());
        assertThat(first.join()).isEqualTo(stored.execution(run.key()).blockOptional());
        assertThat(missing.join()).isEmpty();
        assertThat(damaged).isCompletedExceptionally();
    }

    @Test
    void windowLeavesTheStoreItsTimeToAnswer() {
        WatchSettings patient = new WatchSettings(
                Duration.ofMinutes(10), Duration.ofMinutes(10), 64, 1024 * 1024, Duration.ofSeconds(1));
        assertThat(new Headers(store, patient, time).window()).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void storeThatIsDownFailsThem() {
        store.down(true);
        CompletableFuture<Optional<Execution>> first = headers.soon(run.key()).toFuture();
        time.advanceTimeBy(headers.window());
        assertThat(first).isCompletedExceptionally();
    }
}
