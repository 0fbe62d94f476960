package dev.runcast.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.v1.Phase;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordingReaderTest {
    private static List<Recording> read(String content) throws IOException {
        return RecordingReader.read("file.jsonl", new BufferedReader(new StringReader(content)));
    }

    @Test
    void argumentsAndResultsAreKeptByteForByte() throws IOException {
        Recording recording =
                read("{\"conversation_id\":\"a\",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
                                + "[{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{ \\\"n\\\": 1.50,\\t\\\"x\\\":1e400 }\"}}]},"
                                + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"name\":\"f\",\"content\":\" \\u0000 e\\u0301 \\ud83d\\ude42\\n\"}]}")
                        .get(0);
        assertThat(recording.messages())
                .containsExactly(
                        new Recording.Called("c1", "f", "{ \"n\": 1.50,\t\"x\":1e400 }"),
                        new Recording.Answered("c1", "f", " \u0000 e\u0301 \ud83d\ude42\n", null));
    }

    @Test
    void whatTheRecordingDoesNotSayIsEmptyAndCompleted() throws IOException {
        Recording recording =
                read("\n{\"conversation_id\":\"a\",\"messages\":[]}\n\n").get(0);
        assertThat(recording)
                .isEqualTo(new Recording("a", "", "", java.util.Map.of(), List.of(), Phase.PHASE_COMPLETED, null));
    }

    @Test
    void aRepeatedContentIsWrittenOut() throws IOException {
        Recording recording = read("{\"conversation_id\":\"a\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\","
                        + "\"content\":\"ab\",\"repeat\":3}]}")
                .get(0);
        assertThat(recording.messages()).containsExactly(new Recording.Answered("c", "", "ababab", null));
    }

    @Test
    void anIdThatOccursTwiceIsRefusedWithItsLine() {
        String line = "{\"conversation_id\":\"a\",\"messages\":[]}\n";
        assertThatThrownBy(() -> read(line + line)).hasMessage("file.jsonl:2: conversation_id: a occurs twice");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        ``                                                              | no recording in it
        nonsense                                                        | :1: not JSON
        {"conversation_id":"a"                                          | :1: not JSON, or cut off
        {"conversation_id":"a","messages":[]} {}                        | :1: not JSON
        []                                                              | :1: not an object
        {"messages":[]}                                                 | conversation_id: missing (expected: a string)
        {"conversation_id":7,"messages":[]}                             | conversation_id: 7 (expected: a string)
        {"conversation_id":"-a","messages":[]}                          | conversation_id: "-a" (expected: [A-Za-z0-9]
        {"conversation_id":"a"}                                         | messages: missing or not a list
        {"conversation_id":"a","messages":[3]}                          | messages[0]: not an object
        {"conversation_id":"a","messages":[{"content":"x"}]}            | messages[0].role: missing
        {"conversation_id":"a","messages":[{"role":"x","content":"x"}]} | role: "x" (expected: user, assistant, tool
        {"conversation_id":"a","messages":[],"outcome":{"phase":"OK"}}  | outcome.phase: "OK" (expected: COMPLETED
        """)
    void whatIsWrongIsSaidWithTheLineTheValueAndTheExpectation(String content, String complaint) {
        assertThatThrownBy(() -> read(content))
                .isInstanceOf(RecordingException.class)
                .hasMessageContaining(complaint);
    }
}
