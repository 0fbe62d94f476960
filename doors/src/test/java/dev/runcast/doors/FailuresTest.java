package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.runcast.v1.RejectionReason;
import io.grpc.StatusRuntimeException;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailuresTest {
    @Test
    void everyReasonOfTheContractHasARow() {
        for (RejectionReason rejection : EnumSet.complementOf(
                EnumSet.of(RejectionReason.REJECTION_REASON_UNSPECIFIED, RejectionReason.UNRECOGNIZED))) {
            assertThat("REJECTION_REASON_" + Reason.of(rejection).name()).isEqualTo(rejection.name());
        }
    }

    @ParameterizedTest
    @EnumSource(Reason.class)
    void everyRowIsSaidWithReasonDomainCategoryAndAnHttpCodeThatIsAnError(Reason reason) throws Exception {
        Status status = Failures.status(Failures.of(reason, "x: 1 (expected: 2)"));
        ErrorInfo info = status.getDetails(0).unpack(ErrorInfo.class);
        assertThat(info.getReason()).isEqualTo(reason.name());
        assertThat(info.getDomain()).isEqualTo("runcast.dev");
        assertThat(info.getMetadataMap())
                .containsEntry("category", reason.category().name());
        assertThat(status.getDetailsCount()).isEqualTo(reason.retryable() ? 2 : 1);
        assertThat(Failures.httpCode(status)).isBetween(400, 599);
        assertThat(Failures.httpCode(status) >= 500)
                .isEqualTo(reason.category() != Category.CALLER && reason.code() != Code.RESOURCE_EXHAUSTED
                        || reason == Reason.UNIMPLEMENTED);
    }

    @Test
    void wrongValueNamesFieldValueAndExpectation() throws InvalidProtocolBufferException {
        Status status = Failures.status(Failures.value(Reason.INVALID, "sequence", "0", "1 or greater"));
        assertThat(status.getCode()).isEqualTo(Code.INVALID_ARGUMENT.getNumber());
        assertThat(status.getMessage()).isEqualTo("sequence: 0 (expected: 1 or greater)");
        assertThat(status.getDetails(0).unpack(ErrorInfo.class).getMetadataMap())
                .containsEntry("field", "sequence")
                .containsEntry("value", "0")
                .containsEntry("expected", "1 or greater");
        assertThat(status.getDetails(1)
                        .unpack(BadRequest.class)
                        .getFieldViolations(0)
                        .getField())
                .isEqualTo("sequence");
    }

    @Test
    void longValueIsShownShortened() {
        assertThat(Failures.value(Reason.INVALID, "id", "x".repeat(100_000), "an id")
                        .getMessage())
                .hasSizeLessThan(400)
                .contains("(100000 characters)");
    }

    @Test
    void nothingThatATerminalWouldActOnIsShown() {
        assertThat(Failures.value(Reason.INVALID, "name", "a\0\u001b[31m\u202eb\n\ud800 שלום 🚆", "a name"))
                .hasMessage("name: a\\u0000\\u001b[31m\\u202eb\\u000a\\ud800 שלום 🚆 (expected: a name)");
    }

    @Test
    void failureOfOursTellsTheCallerNothingOfIt() {
        Status status = Failures.status(new IllegalStateException("password=hunter2"));
        assertThat(status.getCode()).isEqualTo(Code.INTERNAL.getNumber());
        assertThat(status.toString()).doesNotContain("hunter2");
    }

    @Test
    void statusThatAnotherLayerSaidIsPassedOn() {
        StatusRuntimeException said =
                io.grpc.Status.RESOURCE_EXHAUSTED.withDescription("full").asRuntimeException();
        assertThat(Failures.status(said).getMessage()).isEqualTo("full");
        assertThat(Failures.grpc(said).getStatus().getCode()).isEqualTo(io.grpc.Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void jsonHasTheDetails() {
        assertThat(Failures.json(Failures.status(Failures.value(Reason.INVALID, "page_size", "-1", "0 to 500"))))
                .contains("\"code\": 3")
                .contains("type.googleapis.com/google.rpc.ErrorInfo")
                .contains("\"reason\": \"INVALID\"")
                .contains("type.googleapis.com/google.rpc.BadRequest");
    }
}
