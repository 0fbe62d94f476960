package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Timestamp;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Progress;
import dev.runcast.v1.Totals;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class ExecutionRowTest {
    private static final Execution FULL = Execution.newBuilder()
            .setTenant("acme")
            .setExecutionId("run-1")
            .setVersion(9_007_199_254_740_993L)
            .setPhase(Phase.PHASE_FAILED)
            .setReason("a \"quoted\" \\ line\nand \u0001 \u2028 \uD83D\uDE00")
            .setEpoch(1_700_000_000_000L)
            .setTotals(Totals.newBuilder().setEntries(3).setCostMicros(5))
            .setCreatedAt(Timestamp.newBuilder().setSeconds(1_700_000_000L).setNanos(1_000_000))
            .setSpec(ExecutionSpec.newBuilder().setAgent("planner"))
            .setAttributes(ExecutionAttributes.newBuilder()
                    .putLabels("team", "b")
                    .putLabels("area", "a")
                    .setProgress(Progress.newBuilder().setPercent(40).setMessage("half")))
            .setFailure(Failure.newBuilder().setCode("TOOL_ERROR").setRetryable(true))
            .setLateOutcome(LateOutcome.newBuilder().setPhase(Phase.PHASE_COMPLETED))
            .setAttempt(Attempt.newBuilder().setWorker("pod-7").setBuild("1.2.3"))
            .build();

    @Test
    void rowIsFlatAndNumbersAreNumbers() {
        JsonObject row = row(FULL);
        assertThat(row.entrySet()).allSatisfy(column -> {
            assertThat(column.getKey()).matches("[a-z_]+");
            assertThat(column.getValue().isJsonPrimitive() || column.getValue().isJsonNull())
                    .isTrue();
        });
        assertThat(row.get("version").getAsJsonPrimitive().isNumber()).isTrue();
        assertThat(row.get("version").getAsLong()).isEqualTo(9_007_199_254_740_993L);
        assertThat(row.get("phase").getAsString()).isEqualTo("FAILED");
        assertThat(row.get("reason").getAsString()).isEqualTo(FULL.getReason());
        assertThat(row.get("created_at").getAsString()).isEqualTo("2023-11-14T22:13:20.001Z");
        assertThat(row.get("ended_at").isJsonNull()).isTrue();
        assertThat(row.get("labels").getAsString()).isEqualTo("{\"area\":\"a\",\"team\":\"b\"}");
        assertThat(row.get("progress_percent").getAsInt()).isEqualTo(40);
        assertThat(row.get("failure_code").getAsString()).isEqualTo("TOOL_ERROR");
        assertThat(row.get("late_phase").getAsString()).isEqualTo("COMPLETED");
        assertThat(row.get("attempt_worker").getAsString()).isEqualTo("pod-7");
        assertThat(row.get("attempt_build").getAsString()).isEqualTo("1.2.3");
    }

    @Test
    void timesAreWrittenAsInstantsAre() {
        Random random = new Random(5);
        int[] nanos = {0, 1_000_000, 120_000_000, 1_000, 999_999_000, 1, 999_999_999};
        for (int i = 0; i < 2_000; i++) {
            // From the year 1 to the year 9999, many at a whole minute or hour.
            long seconds = random.nextLong(-62_135_596_800L, 253_402_300_800L) / 60 * 60 + random.nextInt(3);
            int nano = nanos[random.nextInt(nanos.length)];
            assertThat(ExecutionRow.rfc3339(Timestamp.newBuilder()
                            .setSeconds(seconds)
                            .setNanos(nano)
                            .build()))
                    .isEqualTo(Instant.ofEpochSecond(seconds, nano).toString());
        }
    }

    @Test
    void labelsMayBeNamedAnything() {
        JsonObject row = row(Execution.newBuilder()
                .setTenant("acme")
                .setExecutionId("run-1")
                .setAttributes(ExecutionAttributes.newBuilder().putLabels("a\"\n", "b\\"))
                .build());
        assertThat(row.get("labels").getAsString()).isEqualTo("{\"a\\\"\\n\":\"b\\\\\"}");
    }

    @Test
    void everyRowHasEveryColumn() {
        Execution bare =
                Execution.newBuilder().setTenant("acme").setExecutionId("run-1").build();
        assertThat(row(bare).keySet()).isEqualTo(row(FULL).keySet());
        assertThat(row(bare).get("agent").isJsonNull()).isTrue();
        assertThat(row(bare).get("attempt_worker").isJsonNull()).isTrue();
    }

    @Test
    void recordCarriesItsKeyAndCloudEventsHeaders() {
        ProducerRecord<byte[], byte[]> record = ExecutionRow.record(FULL);
        assertThat(record.topic()).isEqualTo("runcast.executions.v1");
        assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("acme/run-1");
        Map<String, String> headers = StreamSupport.stream(record.headers().spliterator(), false)
                .collect(Collectors.toMap(
                        header -> header.key(), header -> new String(header.value(), StandardCharsets.UTF_8)));
        assertThat(headers)
                .containsEntry("ce_specversion", "1.0")
                .containsEntry("ce_type", "dev.runcast.execution.v1")
                .containsEntry("ce_id", "acme/run-1/9007199254740993")
                .containsEntry("content-type", "application/json")
                .containsKey("ce_source");
    }

    private static JsonObject row(Execution execution) {
        JsonElement json = JsonParser.parseString(new String(ExecutionRow.value(execution), StandardCharsets.UTF_8));
        return json.getAsJsonObject();
    }
}
