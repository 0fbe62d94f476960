package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Role;
import dev.runcast.v1.ToolCall;
import java.util.List;
import org.junit.jupiter.api.Test;

class TranscriptTest {
    private static Entry said(String id, String parent, String text) {
        return Entry.newBuilder()
                .setEntryId(id)
                .setParentId(parent)
                .setState(EntryState.ENTRY_STATE_COMPLETED)
                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI).setText(text))
                .build();
    }

    private static List<String> lines(Entry... entries) {
        Transcript transcript = new Transcript(List.of(entries));
        return transcript.inOrder().stream()
                .flatMap(entry -> transcript.lines(entry, Timestamp.getDefaultInstance()).stream())
                .toList();
    }

    @Test
    void anEntryStandsUnderItsParentEvenWhenTheParentAppearsLater() {
        assertThat(lines(said("child", "parent", "c"), said("parent", "", "p"), said("next", "", "n")))
                .containsExactly("ai: p", "  ai: c", "ai: n");
    }

    @Test
    void aParentThatIsUnknownOrARingOfParentsHidesNothing() {
        assertThat(lines(said("orphan", "nobody", "o"), said("a", "b", "a"), said("b", "a", "b"), said("s", "s", "s")))
                .containsExactlyInAnyOrder("ai: o", "ai: a", "ai: b", "ai: s");
    }

    @Test
    void aToolCallShowsItsStateItsDurationAndTheBeginningOfALongResult() {
        Entry call = Entry.newBuilder()
                .setEntryId("c")
                .setState(EntryState.ENTRY_STATE_FAILED)
                .setStartedAt(Timestamp.newBuilder().setSeconds(10))
                .setEndedAt(Timestamp.newBuilder().setSeconds(12))
                .setToolCall(ToolCall.newBuilder()
                        .setName("search")
                        .setArguments("{}")
                        .setResult("x".repeat(1000)))
                .build();
        assertThat(lines(call).get(0)).isEqualTo("✗ (2.0 s) search {}");
        assertThat(lines(call).get(1)).endsWith("… (1000 characters)");
    }

    @Test
    void everyLineOfAMessageIsALine() {
        assertThat(lines(said("m", "", "one\ntwo\n"))).containsExactly("ai: one", "    two", "    ");
    }
}
