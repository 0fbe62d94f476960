package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Artifact;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Role;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Usage;
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
    void nothingThatAnAgentSaysSteersTheTerminal() {
        String hostile = "\u001b[2J\u0000\u202e";
        Entry.Builder entry = Entry.newBuilder().setState(EntryState.ENTRY_STATE_COMPLETED);
        List<String> lines = lines(
                said("m", "", hostile),
                entry.setEntryId("call")
                        .setToolCall(ToolCall.newBuilder()
                                .setName(hostile)
                                .setArguments(hostile)
                                .setResult(hostile))
                        .build(),
                entry.setEntryId("agent")
                        .setSubAgent(SubAgent.newBuilder()
                                .setName(hostile)
                                .setInput(hostile)
                                .setOutput(hostile))
                        .build(),
                entry.setEntryId("file")
                        .setArtifact(Artifact.newBuilder().setName(hostile).setMediaType(hostile))
                        .build(),
                entry.setEntryId("gate")
                        .setApproval(Approval.newBuilder().setPrompt(hostile).setDecidedBy(hostile))
                        .build(),
                entry.setEntryId("cost")
                        .setUsage(Usage.newBuilder().setModel(hostile))
                        .setFailure(Failure.newBuilder().setCode(hostile))
                        .build());
        assertThat(lines).hasSizeGreaterThan(8).allSatisfy(line -> assertThat(line)
                .doesNotContain("\u001b", "\u0000", "\u202e"));
    }

    @Test
    void everyLineOfAMessageIsALine() {
        assertThat(lines(said("m", "", "one\ntwo\n"))).containsExactly("ai: one", "    two", "    ");
    }
}
