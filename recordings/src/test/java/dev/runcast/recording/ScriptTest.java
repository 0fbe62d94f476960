package dev.runcast.recording;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Update;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScriptTest {
    private static List<Script.Step> steps(Recording.Message... messages) {
        Recording recording = new Recording("a", "", "", Map.of(), List.of(messages), Phase.PHASE_COMPLETED, null);
        return Script.of(recording, Timestamp::getDefaultInstance);
    }

    private static List<Entry> upserts(List<Script.Step> steps) {
        List<Entry> entries = new ArrayList<>();
        for (Script.Step step : steps) {
            if (step instanceof Script.Report report) {
                Update update = report.update().get();
                if (update.hasEntryUpserted()) {
                    entries.add(update.getEntryUpserted().getEntry());
                }
            }
        }
        return entries;
    }

    @Test
    void theModelsTextGrowsInPiecesThatTogetherAreTheText() {
        String text = "🙂".repeat(100) + "日本語".repeat(20) + "\n\n";
        List<Script.Step> steps = steps(new Recording.Said("assistant", text, null));
        StringBuilder whole = new StringBuilder();
        for (Script.Step step : steps) {
            if (step instanceof Script.Append append) {
                assertThat(append.text().codePoints()).noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
                whole.append(append.text());
            }
        }
        assertThat(whole).hasToString(text);
        assertThat(upserts(steps))
                .extracting(Entry::getState)
                .containsExactly(EntryState.ENTRY_STATE_RUNNING, EntryState.ENTRY_STATE_COMPLETED);
    }

    @Test
    void aCallIdThatIsUsedAgainMakesAnotherEntryAndItsAnswerGoesToTheOldestOpenCall() {
        List<Entry> entries = upserts(steps(
                new Recording.Called("c", "one", "1"),
                new Recording.Called("c", "two", "2"),
                new Recording.Answered("c", "one", "first", null),
                new Recording.Answered("c", "two", "second", null)));
        assertThat(entries).extracting(Entry::getEntryId).containsExactly("c", "c-2", "c", "c-2");
        assertThat(entries.get(2).getToolCall().getResult()).isEqualTo("first");
        assertThat(entries.get(3).getToolCall().getResult()).isEqualTo("second");
    }

    @Test
    void aCallIdThatIsNoEntryIdIsReplaced() {
        List<Entry> entries = upserts(steps(new Recording.Called("tool/1:x", "one", "")));
        assertThat(entries.get(0).getEntryId()).isEqualTo("call-1");
    }

    @Test
    void anAnswerThatNobodyAskedForIsAnEntryOfItsOwn() {
        List<Entry> entries = upserts(steps(new Recording.Answered("c", "tool", "late", null)));
        assertThat(entries).hasSize(1);
        assertThat(entries.get(0).getToolCall().getName()).isEqualTo("tool");
    }

    @Test
    void agentsThatWorkAtTheSameTimeTakeTurnsAndKeepTheirEntriesApart() {
        Recording.Message said = new Recording.Said("user", "x", null);
        List<Entry> entries = upserts(steps(new Recording.Delegated(List.of(
                new Recording.Agent("one", "one", "", List.of(said), "done"),
                new Recording.Agent("two", "two", "", List.of(said), "done")))));
        assertThat(entries)
                .extracting(Entry::getEntryId)
                .containsExactly("one", "two", "one-m1", "two-m1", "one", "two");
        assertThat(entries.get(2).getParentId()).isEqualTo("one");
    }

    @Test
    void theSameRecordingMakesTheSameStepsAgain() {
        Recording.Message[] messages = {
            new Recording.Said("user", "hello", null), new Recording.Called("c", "tool", "{}"),
            new Recording.Answered("c", "tool", "ok", null), new Recording.Said("assistant", "bye", null)
        };
        assertThat(upserts(steps(messages))).isEqualTo(upserts(steps(messages)));
    }
}
