package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How fast text is said, and how soon a stream is tried again. */
class PaceTest {
    private static final long MILLISECOND = 1_000_000;

    @Test
    void theCadenceSlowsDownWithLateAcksAndComesBack() {
        Cadence cadence = new Cadence(Duration.ofMillis(100), Duration.ofMillis(500));
        assertThat(cadence.interval()).isEqualTo(100 * MILLISECOND);
        for (int i = 0; i < 10; i++) {
            cadence.acked(2_000 * MILLISECOND);
        }
        assertThat(cadence.interval()).isEqualTo(500 * MILLISECOND);
        cadence.acked(400 * MILLISECOND);
        assertThat(cadence.interval()).isEqualTo(500 * MILLISECOND);
        for (int i = 0; i < 20; i++) {
            cadence.acked(MILLISECOND);
        }
        assertThat(cadence.interval()).isEqualTo(100 * MILLISECOND);
        cadence.slower();
        assertThat(cadence.interval()).isEqualTo(150 * MILLISECOND);
    }

    @Test
    void theBackoffIsRandomBelowABoundThatDoublesUpToItsMost() {
        Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(30), new Random(3));
        long bound = 100 * MILLISECOND;
        for (int i = 0; i < 100; i++) {
            assertThat(backoff.next()).isBetween(0L, bound);
            bound = Math.min(30_000 * MILLISECOND, bound * 2);
        }
        assertThat(backoff.slow()).isBetween(15_000 * MILLISECOND, 30_000 * MILLISECOND);
        backoff.reset();
        assertThat(backoff.next()).isBetween(0L, 100 * MILLISECOND);
    }

    @Test
    void theLongestBackoffDoesNotOverflow() {
        Backoff backoff = new Backoff(Duration.ofHours(1), Duration.ofHours(1), new Random(3));
        for (int i = 0; i < 100; i++) {
            assertThat(backoff.next()).isBetween(0L, Duration.ofHours(1).toNanos());
        }
    }

    @Test
    void theWindowFindsEverySequenceWhileItGrowsAndShrinks() {
        Window window = new Window();
        Random random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            if (window.size() == 0 || random.nextInt(10_000) > i / 2) {
                window.add(
                        new Sequenced(dev.runcast.v1.Update.getDefaultInstance(), window.next(), 1, false, false, ""));
            } else {
                long first = window.first();
                assertThat(window.removeFirst().ordinal).isEqualTo(first);
            }
            if (window.size() > 0) {
                long sequence = window.first() + random.nextInt((int) window.size());
                assertThat(window.get(sequence).ordinal).isEqualTo(sequence);
            }
        }
    }
}
