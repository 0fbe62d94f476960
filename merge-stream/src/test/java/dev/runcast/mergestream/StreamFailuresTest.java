package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StreamFailuresTest {
    static Throwable[] causesOutside() {
        return new Throwable[] {
            new TimeoutException("no answer"),
            new StreamsException(new TimeoutException("no answer")),
            new StreamsException(new StreamsException(new DisconnectException())),
            new ProcessorStateException("disk", new IOException("no space left on device")),
            new StreamsException("source topics are missing"),
        };
    }

    static Throwable[] causesInside() {
        return new Throwable[] {
            new StreamsException(new UnknownRulesException("topic t, partition 0, offset 1", 9, 1)),
            new StreamsException(new NullPointerException()),
            new StreamsException(new IllegalStateException("state under h: not a header")),
            new StreamsException(new RecordTooLargeException("5 MiB")),
            new OutOfMemoryError("Java heap space"),
        };
    }

    @ParameterizedTest
    @MethodSource("causesOutside")
    void whatMayHealIsTriedAgain(Throwable failure) {
        assertThat(StreamFailures.mayHeal(failure)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("causesInside")
    void whatWouldFailAgainInTheSamePlaceStopsTheService(Throwable failure) {
        assertThat(new StreamFailures().handle(failure)).isEqualTo(StreamThreadExceptionResponse.SHUTDOWN_CLIENT);
    }

    @Test
    void aDeadThreadIsReplaced() {
        assertThat(new StreamFailures().handle(new TimeoutException("no answer")))
                .isEqualTo(StreamThreadExceptionResponse.REPLACE_THREAD);
    }

    @Test
    void theMessageSaysWhichRulesAreKnownAndWhatToDo() {
        assertThat(new UnknownRulesException("topic runcast.updates.v1, partition 3, offset 17", 2, 1))
                .hasMessage(
                        "topic runcast.updates.v1, partition 3, offset 17: rules: 2 (expected: at most 1, the newest"
                                + " this build knows; upgrade merge-stream before the services that stamp newer rules)");
    }
}
