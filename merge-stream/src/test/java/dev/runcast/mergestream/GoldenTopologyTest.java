package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.ExecutionView;
import dev.runcast.merge.GoldenCase;
import dev.runcast.topics.ExecutionRow;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The golden cases of the merge, through the topology and its real store. */
class GoldenTopologyTest {
    @TempDir
    Path folder;

    static Stream<GoldenCase> cases() {
        return GoldenCase.all().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theTopologyMakesOfTheHistoryWhatTheCaseSays(GoldenCase expected) {
        try (MergeDriver merge = new MergeDriver(folder)) {
            expected.history().forEach(merge::send);

            List<Change> changes = merge.changes();
            assertThat(changes).isEqualTo(expected.changes());
            ExecutionView view = ExecutionView.EMPTY;
            for (Change change : changes) {
                view = view.apply(change);
            }
            assertThat(view.execution()).isEqualTo(expected.execution());
            assertThat(view.entries()).isEqualTo(expected.entries());
            assertThat(merge.rejected().stream()
                            .mapToInt(RejectedUpdate::getCount)
                            .sum())
                    .isEqualTo(refusals(expected));
            if (!changes.isEmpty()) {
                List<TestRecord<byte[], byte[]>> rows = merge.read(Topic.EXECUTIONS);
                assertThat(lasting(rows.get(rows.size() - 1).value()))
                        .isEqualTo(lasting(ExecutionRow.value(expected.execution())));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theSameComesOfOneUpdateABatch(GoldenCase expected) {
        try (MergeDriver merge = new MergeDriver(folder)) {
            for (UpdateBatch batch : expected.history()) {
                for (int i = 0; i < batch.getUpdatesCount(); i++) {
                    merge.send(single(batch, i));
                }
            }
            assertThat(merge.changes()).isEqualTo(expected.changes());
        }
    }

    /** A refused request makes a change, which answers it, and a rejection as well, by which it is found. */
    private static int refusals(GoldenCase expected) {
        long rejected = expected.outcomes().stream()
                .filter(outcome -> outcome.startsWith("REJECTED"))
                .count();
        long answered = expected.changes().stream()
                .filter(change ->
                        change.getRequestOutcome().getRefused() != RejectionReason.REJECTION_REASON_UNSPECIFIED)
                .count();
        return Math.toIntExact(rejected + answered);
    }

    private static UpdateBatch single(UpdateBatch batch, int index) {
        Update update = batch.getUpdates(index);
        UpdateBatch.Builder single = batch.toBuilder().clearUpdates().addUpdates(update);
        if (batch.hasFirstSequence()) {
            single.setFirstSequence(batch.getFirstSequence() + index);
        }
        return single.build();
    }

    /** A row without what every change moves, and what therefore makes no new row. */
    private static String lasting(byte[] row) {
        return new String(row, StandardCharsets.UTF_8)
                .replaceAll("\"(version|text_bytes)\":\\d+", "")
                .replaceAll("\"text_bytes\":\\d+", "")
                .replaceAll("\"updated_at\":\"[^\"]*\"", "");
    }
}
