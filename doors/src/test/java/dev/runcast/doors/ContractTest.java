package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ContractTest {
    private static final UpdateBatch GOOD = UpdateBatch.newBuilder()
            .setExecutionId("run-1")
            .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
            .setEpoch(1)
            .setFirstSequence(1)
            .addUpdates(Update.newBuilder().setOmitted(Omitted.newBuilder().setCount(1)))
            .build();

    @Test
    void goodMessagePasses() {
        Contract.check(GOOD);
    }

    @Test
    void wrongValuesAreNamedWithWhatWasExpected() {
        assertThat(refused(GOOD.toBuilder().setExecutionId("a b").build()).getMessage())
                .startsWith("execution_id: \"a b\" (expected: [A-Za-z0-9][A-Za-z0-9_-]{0,63})");
        assertThat(refused(GOOD.toBuilder().setFirstSequence(0).build()).getMessage())
                .isEqualTo("first_sequence: 0 (expected: greater than or equal to 1)");
        assertThat(refused(GOOD.toBuilder().clearWriter().build()).getMessage())
                .startsWith("writer: absent (expected: ");
        assertThat(refused(GOOD.toBuilder().clearUpdates().build()).getMessage())
                .startsWith("updates: 0 items (expected: ");
        assertThat(refused(PublishUpdatesRequest.getDefaultInstance()).getMessage())
                .startsWith("frame: absent (expected: ");
    }

    @Test
    void fieldInsideARepeatedOneIsNamedByItsIndex() {
        UpdateBatch wrong = GOOD.toBuilder()
                .addUpdates(Update.newBuilder()
                        .setPhaseChanged(PhaseChanged.newBuilder().setPhaseValue(99)))
                .build();
        DoorException refused = refused(wrong);
        assertThat(refused.reason()).isEqualTo(Reason.INVALID);
        assertThat(refused.metadata()).containsEntry("field", "updates[1].phase_changed.phase");
        assertThat(refused.getMessage()).contains("99");
    }

    @Test
    void updateWithoutAChangeIsRefused() {
        assertThat(refused(GOOD.toBuilder()
                                .addUpdates(Update.getDefaultInstance())
                                .build())
                        .getMessage())
                .startsWith("updates[1].change: absent (expected: ");
    }

    @Test
    void whatIsOnlyTooLargeIsCalledSoAndShownShortened() {
        DoorException refused =
                refused(ExecutionSpec.newBuilder().setInput("x".repeat(131_073)).build());
        assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(refused.getMessage())
                .hasSizeLessThan(600)
                .contains("131073 characters")
                .contains("131072");
    }

    @Test
    void everyWrongFieldIsNamed() {
        assertThat(refused(ListExecutionsRequest.newBuilder()
                                .setPageSize(-1)
                                .setFilter("x".repeat(1025))
                                .build())
                        .violations())
                .extracting(violation -> violation.getField())
                .containsExactlyInAnyOrder("page_size", "filter");
    }

    @Test
    void whatIsNoDurationIsNamedWhateverTheRulesSayOfIt() {
        assertThat(begin(60, 0)).isNull();
        assertThat(begin(61, 0)).hasMessageStartingWith("begin_within: 61s (expected: ");
        assertThat(begin(Long.MAX_VALUE, Integer.MAX_VALUE))
                .hasMessage("begin_within: seconds 9223372036854775807, nanos 2147483647"
                        + " (expected: a google.protobuf.Duration)");
        assertThat(begin(1, -1)).hasMessageStartingWith("begin_within: seconds 1, nanos -1 (");
        assertThat(begin(0, 1_000_000_000)).hasMessageStartingWith("begin_within: seconds 0, nanos 1000000000 (");
    }

    @Test
    void whatIsNoDurationIsNamedByItsPlace() {
        DoorException refused = refused(PublishUpdatesResponse.newBuilder()
                .setSignal(Signal.newBuilder()
                        .setSlowDown(Duration.newBuilder().setNanos(-2).setSeconds(1)))
                .build());
        assertThat(refused.reason()).isEqualTo(Reason.INVALID);
        assertThat(refused.metadata()).containsEntry("field", "signal.slow_down");
    }

    private static @Nullable DoorException begin(long seconds, int nanos) {
        return refused(WatchExecutionRequest.newBuilder()
                .setExecutionId("run-1")
                .setBeginWithin(Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
                .build());
    }

    private static DoorException refused(Message message) {
        return catchThrowableOfType(DoorException.class, () -> Contract.check(message));
    }
}
