package dev.runcast.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What crosses the wire is the contract of workers in other languages. */
class JsonTest {
    private static final DataConverter CONVERTER = DefaultDataConverter.newDefaultInstance();

    @Test
    void anAttemptIsGivenAsTheContractSays() {
        AttemptRequest request = new AttemptRequest(
                "acme",
                "run-1",
                "planner",
                "",
                "t1",
                "plan",
                7,
                true,
                0,
                List.of(new ApprovalDecision("a1", "EDIT", "{}", "", "dana")));
        assertThat(json(request))
                .isEqualTo("{\"tenant\":\"acme\",\"execution_id\":\"run-1\",\"agent\":\"planner\",\"session_id\":\"\","
                        + "\"thread_id\":\"t1\",\"input\":\"plan\",\"least_epoch\":7,\"attach\":true,\"recovery\":0,"
                        + "\"decisions\":[{\"approval_id\":\"a1\",\"decision\":\"EDIT\",\"arguments\":\"{}\","
                        + "\"comment\":\"\",\"decided_by\":\"dana\"}]}");
    }

    @Test
    void aResultOfAnotherLanguageMayLackWhatIsEmptyAndHaveMore() {
        AttemptResult result = CONVERTER.fromPayload(
                payload("{\"status\": \"WAITING\", \"epoch\": 5, \"waiting_for\": [\"a1\"], \"took_ms\": 12}"),
                AttemptResult.class,
                AttemptResult.class);
        assertThat(result)
                .isEqualTo(new AttemptResult(AttemptResult.Status.WAITING, 5, false, null, List.of("a1"), null));
    }

    private static String json(Object value) {
        return CONVERTER.toPayload(value).orElseThrow().getData().toStringUtf8();
    }

    private static Payload payload(String json) {
        return Payload.newBuilder()
                .putMetadata("encoding", ByteString.copyFromUtf8("json/plain"))
                .setData(ByteString.copyFromUtf8(json))
                .build();
    }
}
