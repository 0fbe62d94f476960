package dev.runcast.local;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** For the list of commands: the benchmarks have a program of their own, which the script {@code runcast} starts. */
@Command(name = "bench", description = "Measure Runcast, each figure beside its rival in the same run.")
final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine()
                .getErr()
                .println("runcast: bench is not in this program (expected: ./runcast bench, which builds it)");
        return 2;
    }
}
