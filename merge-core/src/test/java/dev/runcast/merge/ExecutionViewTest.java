package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import com.google.protobuf.ByteString;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ExecutionViewTest {
    private final Fixture execution = new Fixture();

    @Test
    void olderViewKeepsWhatItShowed() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING), Fixture.append("m1", 0, "one "));
        ExecutionView older = execution.view;
        execution.run(Fixture.append("m1", 4, "two"), Fixture.message("m2", EntryState.ENTRY_STATE_COMPLETED));
        assertThat(older.version()).isEqualTo(2);
        assertThat(text(older)).isEqualTo("one ");
        assertThat(older.entries()).hasSize(1);
        assertThat(text(execution.view)).isEqualTo("one two");
        assertThat(execution.view.entry("nobody")).isNull();
        assertThat(execution.view.text("m1", TextField.TEXT_FIELD_TEXT)).isEqualTo(ByteString.copyFromUtf8("one two"));
    }

    @Test
    void changeThatDoesNotFollowIsNotApplied() {
        execution.run(Fixture.started(), Fixture.started(), Fixture.started());
        Change third = execution.changes.get(2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ExecutionView.EMPTY.apply(third))
                .withMessage("change: versions 3 to 3 (expected: from 1)");
        assertThatIllegalArgumentException().isThrownBy(() -> execution.view.apply(third));
    }

    @Test
    void textBeyondTheEndIsNotApplied() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        Change.Builder wrong = Change.newBuilder().setFirstVersion(2).setVersion(2);
        wrong.addTexts(TextChange.newBuilder()
                .setEntryId("m1")
                .setField(TextField.TEXT_FIELD_TEXT)
                .setGeneration(1)
                .setOffset(3)
                .setText("x"));
        assertThatIllegalArgumentException().isThrownBy(() -> execution.view.apply(wrong.build()));
    }

    /** Twenty times the appends may cost about twenty times the time, and not four hundred times. */
    @Test
    void tenThousandAppendsAreAppliedAndFoldedWithoutCopyingTheText() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        String words = "ten bytes.".repeat(20);
        for (int i = 0; i < 10_000; i++) {
            execution.run(Fixture.append("m1", (long) i * words.length(), words));
        }
        Change folded = ExecutionView.fold(execution.changes);
        assertThat(folded.getFirstVersion()).isEqualTo(1);
        assertThat(folded.getVersion()).isEqualTo(10_001);
        assertThat(folded.getTextsList()).hasSize(1);
        assertThat(text(ExecutionView.EMPTY.apply(folded))).hasSize(2_000_000).isEqualTo(text(execution.view));
        assertThat(execution.view.execution().getTotals().getTextBytes()).isEqualTo(2_000_000);
    }

    @Test
    void foldKeepsTheLastAnswerAndAddsUpWhatWasOmitted() {
        execution.run(omitted(2), Fixture.started(), omitted(3));
        Change folded = ExecutionView.fold(
                ExecutionView.fold(execution.changes.get(0), execution.changes.get(1)), execution.changes.get(2));
        assertThat(folded.getOmitted()).isEqualTo(5);
        assertThat(folded.getFirstVersion()).isEqualTo(1);
        assertThat(folded.getCause().getSequence()).isEqualTo(3);
        assertThat(ExecutionView.EMPTY.apply(folded).execution()).isEqualTo(execution.view.execution());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ExecutionView.fold(execution.changes.get(0), execution.changes.get(2)));
        assertThatIllegalArgumentException().isThrownBy(() -> ExecutionView.fold(List.of()));
    }

    @Test
    void appendCarriesNoExecution() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        execution.run(Fixture.append("m1", 0, "Hello"));
        Change append = execution.changes.get(1);
        assertThat(append.hasExecution()).isFalse();
        assertThat(append.getSerializedSize()).isLessThan(200);
    }

    @Test
    void mapWithEqualHashesKeepsAll() {
        PersistentMap<Integer> map = new PersistentMap<>();
        List<String> same = List.of("AaAa", "BBBB", "AaBB", "BBAa"); // one hash code, all four
        for (int i = 0; i < same.size(); i++) {
            map = map.with(same.get(i), i);
        }
        for (int i = 0; i < 5_000; i++) {
            map = map.with("key-" + i, i).with("key-" + i, i);
        }
        assertThat(map.size()).isEqualTo(5_004);
        assertThat(map.get("AaBB")).isEqualTo(2);
        assertThat(map.get("BBAa")).isEqualTo(3);
        assertThat(map.get("key-4999")).isEqualTo(4_999);
        assertThat(map.get("key-5000")).isNull();
    }

    @Test
    void emptyViewShowsNothing() {
        assertThatNoException().isThrownBy(ExecutionView.EMPTY::execution);
        assertThat(ExecutionView.EMPTY.version()).isZero();
        assertThat(ExecutionView.EMPTY.entries()).isEmpty();
    }

    private static dev.runcast.v1.Update omitted(long count) {
        return dev.runcast.v1.Update.newBuilder()
                .setOmitted(dev.runcast.v1.Omitted.newBuilder().setCount(count))
                .build();
    }

    private static String text(ExecutionView view) {
        Entry entry = view.entry("m1");
        assertThat(entry).isNotNull();
        return entry.getMessage().getText();
    }
}
