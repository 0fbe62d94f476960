package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Message;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
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

    private static DoorException refused(Message message) {
        return catchThrowableOfType(DoorException.class, () -> Contract.check(message));
    }
}
