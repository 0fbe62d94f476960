package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class WrongCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "localhost",
                "localhost:",
                ":8091",
                "127.0.0.1:99999",
                "127.0.0.1:0",
                "a b:1",
                "http://a:1"
            })
    void addressThatIsNoneIsRefusedAtOnceAndNothingElseIsPrinted(String address) {
        assertThat(run("list", "--server", address)).isEqualTo(2);
        assertThat(err.toString()).isEqualToIgnoringNewLines("runcast: server: " + address + " (expected: HOST:PORT)");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void serverThatIsNotThereIsSaidWithWhatToDoAndWithoutAHeading() {
        assertThat(run("list", "--server", "127.0.0.1:9")).isEqualTo(Runcast.UNAVAILABLE);
        assertThat(err.toString()).contains("127.0.0.1:9").contains("./runcast up");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"frobnicate", "wach"})
    void commandThatIsNoneIsSaidWithThoseThatAre(String command) {
        assertThat(run(command, "x")).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("runcast: " + command + ": no such command (expected: one of play, watch, ");
    }

    @Test
    void wrongOptionIsStillSaidAsOne() {
        assertThat(run("list", "--sever", "x")).isEqualTo(2);
        assertThat(err.toString()).contains("--sever").contains("--server");
    }

    private int run(String... arguments) {
        CommandLine commands =
                Runcast.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return commands.execute(arguments);
    }
}
