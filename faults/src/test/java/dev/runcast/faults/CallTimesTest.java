package dev.runcast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.faults.CallTimes.Slow;
import dev.runcast.faults.CallTimes.Span;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a call of ten milliseconds, from 100 to 110, took by itself. */
class CallTimesTest {
    private static final long MS = 1_000_000;

    @TempDir
    Path folder;

    @Test
    void whoDidNotGiveUpItsCoreTookTheProcessorsTime() {
        assertThat(call(3, 2, 0).own(List.of(), List.of())).isEqualTo(3 * MS);
    }

    @Test
    void ofWhoWaitedTheTimeWithoutACoreAndTheSafepointsAreTakenOff() {
        assertThat(call(1, 2, 3).own(List.of(span(99, 102)), List.of())).isEqualTo(6 * MS);
        // One wait is the safepoint's own.
        assertThat(call(1, 2, 1).own(List.of(span(99, 102)), List.of())).isEqualTo(MS);
    }

    @Test
    void aPauseOfTheCoreIsTakenOffAsFarAsItFellIntoTheCall() {
        assertThat(call(9, 0, 0).own(List.of(), List.of(span(104, 108)))).isEqualTo(5 * MS);
        assertThat(call(9, 0, 0).own(List.of(), List.of(span(97, 103)))).isEqualTo(6 * MS);
        assertThat(call(9, 0, 0).own(List.of(), List.of(span(90, 100), span(110, 120))))
                .isEqualTo(9 * MS);
        assertThat(call(9, 0, 0).own(List.of(), List.of(span(50, 150)))).isZero();
    }

    @Test
    void ofCoresThatPausedTogetherOneCounts() {
        assertThat(call(9, 0, 0).own(List.of(), List.of(span(104, 108), span(103, 106))))
                .isEqualTo(5 * MS);
    }

    @Test
    void theLogsAreReadLineByLineAndNothingIsThereWhereNobodyCouldLook() throws IOException {
        Path pauses = Files.writeString(folder.resolve("pauses"), "104000000 108000000\n105");
        assertThat(Span.pauses(pauses)).containsExactly(span(104, 108));
        assertThat(Span.pauses(folder.resolve("none"))).isEmpty();

        Path safepoints = Files.writeString(folder.resolve("safepoints"), """
                [101000000ns] Safepoint "ICBufferFull", Time since last: 1 ns, Reaching safepoint: 2 ns, Total:   1000000 ns
                [102000000ns] something else
                """);
        assertThat(Span.safepoints(safepoints)).containsExactly(span(100, 101));
    }

    private static Slow call(long ran, long withoutCore, long waits) {
        return new Slow(100 * MS, 110 * MS, ran * MS, withoutCore * MS, waits);
    }

    private static Span span(long from, long to) {
        return new Span(from * MS, to * MS);
    }
}
