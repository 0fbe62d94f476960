package dev.runcast.faults;

import dev.runcast.runner.EntryReporter;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.Usage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Runs executions as an agent does, one after the other: messages that grow, tools, plans, usage. Some are taken over by
 * a second attempt while the first still talks. Remembers what it reported, to be held against what came of it.
 */
final class Agent {
    private static final String[] WORDS = {
        "plan", "Flug", "données", "東京", "naïve", "🙂", "refund", "seat 12A", "\"quoted\"", "a\\b", "\n", "the"
    };

    private final StatusReporter reporter;
    private final CallTimes.Agent calls;
    private final Records reported;
    private final Random random;
    private Transcript transcript = new Transcript("");

    Agent(StatusReporter reporter, CallTimes.Agent calls, Records reported, Random random) {
        this.reporter = reporter;
        this.calls = calls;
        this.reported = reported;
        this.random = random;
    }

    /** Runs one execution for about so long, to its end. */
    void run(String executionId, Duration duration) {
        long half = System.nanoTime() + duration.toNanos() / 2;
        long end = System.nanoTime() + duration.toNanos();
        boolean takenOver = random.nextInt(4) == 0;
        long epoch = System.currentTimeMillis();
        ExecutionReporter execution = reporter.execution(executionId, epoch);
        begin(execution, "first");
        work(execution, takenOver ? half : end);
        if (takenOver) {
            ExecutionReporter zombie = execution;
            execution = reporter.execution(executionId, Math.max(System.currentTimeMillis(), epoch + 1));
            begin(execution, "second");
            for (int i = 0; i < 5; i++) {
                String id = "zombie-" + i;
                call(() -> zombie.message(id, Role.ROLE_AI, "nobody listens"));
                pause();
            }
            work(execution, end);
        }
        end(execution);
    }

    private void begin(ExecutionReporter execution, String worker) {
        transcript = new Transcript(worker + '-');
        call(() -> execution.declared(
                ExecutionSpec.newBuilder().setAgent("faults").setInput("do what must be done").build(),
                Map.of("suite", "faults")));
        call(() -> execution.attemptStarted(worker, "1"));
        call(execution::running);
    }

    private void end(ExecutionReporter execution) {
        boolean fails = random.nextInt(5) == 0;
        call(() -> {
            if (fails) {
                execution.failed("TOOL_ERROR", "as drawn", true);
            } else {
                execution.completed();
            }
        });
        reported.write(Snapshot.newBuilder()
                .setExecution(Execution.newBuilder()
                        .setExecutionId(execution.executionId())
                        .setEpoch(execution.epoch())
                        .setPhase(fails ? Phase.PHASE_FAILED : Phase.PHASE_COMPLETED))
                .addAllEntries(transcript.entries())
                .build());
    }

    private void work(ExecutionReporter execution, long until) {
        for (int step = 0; System.nanoTime() - until < 0; step++) {
            switch (random.nextInt(6)) {
                case 0, 1 -> message(execution);
                case 2 -> tool(execution);
                case 3 -> call(() -> execution.progress(random.nextInt(101), words()));
                case 4 -> plan(execution);
                default -> usage(execution);
            }
            pause();
        }
    }

    private void message(ExecutionReporter execution) {
        String id = transcript.next("m");
        call(() -> execution.messageStarted(id, Role.ROLE_AI));
        StringBuilder text = new StringBuilder();
        for (int i = 2 + random.nextInt(8); i > 0; i--) {
            pause();
            String words = words();
            text.append(words);
            call(() -> execution.appendText(id, words));
        }
        call(() -> execution.messageCompleted(id));
        transcript.message(id, text.toString());
    }

    private void tool(ExecutionReporter execution) {
        String id = transcript.next("t");
        String arguments = "{\"query\":\"" + random.nextInt() + "\"}";
        call(() -> execution.toolCallStarted(id, "search", arguments));
        pause();
        if (random.nextInt(4) == 0) {
            call(() -> execution.toolCallFailed(id, "TOOL_ERROR", "as drawn"));
            transcript.tool(id, arguments, "", EntryState.ENTRY_STATE_FAILED);
        } else {
            String result = words();
            call(() -> execution.toolCallCompleted(id, result));
            transcript.tool(id, arguments, result, EntryState.ENTRY_STATE_COMPLETED);
        }
    }

    private void plan(EntryReporter execution) {
        List<TodoItem> plan = List.of(
                TodoItem.newBuilder().setEntryId("todo-1").setContent(words()).build(),
                TodoItem.newBuilder()
                        .setEntryId("todo-2")
                        .setContent("second")
                        .setState(EntryState.ENTRY_STATE_RUNNING)
                        .build());
        call(() -> execution.todos(plan));
    }

    private void usage(EntryReporter execution) {
        String id = transcript.next("u");
        Usage usage = Usage.newBuilder()
                .setModel("m")
                .setInputTokens(random.nextInt(1000))
                .setOutputTokens(random.nextInt(1000))
                .build();
        call(() -> execution.usage(id, usage));
        transcript.usage(id, usage);
    }

    private String words() {
        StringBuilder words = new StringBuilder();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            words.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        return words.toString();
    }

    private void call(Runnable call) {
        calls.call(call);
    }

    private void pause() {
        Await.pause(Duration.ofMillis(5 + random.nextInt(50)));
    }
}
