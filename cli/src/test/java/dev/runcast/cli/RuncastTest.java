package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.Phase;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class RuncastTest {
    @ParameterizedTest
    @CsvSource({"PHASE_COMPLETED, 0", "PHASE_FAILED, 10", "PHASE_CANCELLED, 11", "PHASE_TERMINATED, 12"})
    void everyEndHasAnExitCodeOfItsOwn(Phase outcome, int code) {
        assertThat(WatchCommand.exitCode(outcome)).isEqualTo(code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"create", "cancel", "pause", "resume", "recover", "approve", "reject", "skip", "watch"})
    void helpSaysTheExitCodes(String command) {
        StringWriter printed = new StringWriter();
        CommandLine commands = Runcast.commandLine().setOut(new PrintWriter(printed, true));
        assertThat(commands.execute(command, "--help")).isZero();
        assertThat(printed.toString()).contains("Exit codes");
    }

    @Test
    void everyRequestOfTheContractHasACommand() {
        Set<String> verbs = new TreeSet<>();
        ExecutionServiceGrpc.getServiceDescriptor().getMethods().forEach(method -> {
            String name = String.valueOf(method.getBareMethodName());
            if (!name.matches("(Get|List|Watch).*|DecideApproval")) {
                verbs.add(name.replaceFirst("Execution$", "").toLowerCase(java.util.Locale.ROOT));
            }
        });
        assertThat(Runcast.commandLine().getSubcommands().keySet()).containsAll(verbs);
        assertThat(verbs).contains("create", "cancel", "pause", "resume", "recover");
    }

    /** picocli would take it for a file of arguments. */
    @Test
    void wordThatBeginsWithAnAtIsLeftAsItIs() {
        assertThat(Runcast.commandLine().isExpandAtFiles()).isFalse();
    }
}
