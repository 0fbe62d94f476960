package dev.runcast.worker.agent;

import dev.runcast.workflow.ApprovalDecision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * How far an agent has come, in a file, so that the next attempt goes on there, in whichever process. Thread-safe within
 * one attempt; of two attempts at once the older is fenced, and what it writes costs a repetition at most.
 */
final class AgentThread {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * What the file holds.
     *
     * @param next the first step that is not known to be durable
     * @param happened how often a step that happens a number of times has, by its index
     * @param decisions what people decided, by approval
     */
    record State(int next, Map<Integer, Integer> happened, Map<String, ApprovalDecision> decisions) {
        static final State EMPTY = new State(0, Map.of(), Map.of());
    }

    private final Path file;
    private State state;

    private AgentThread(Path file, State state) {
        this.file = file;
        this.state = state;
    }

    /**
     * Opens a thread, which begins empty.
     *
     * @throws UncheckedIOException when its file cannot be read
     */
    static AgentThread open(Path folder, String tenant, String executionId) {
        Path file = folder.resolve(tenant).resolve(executionId + ".json");
        try {
            return new AgentThread(
                    file, Files.exists(file) ? JSON.readValue(Files.readAllBytes(file), State.class) : State.EMPTY);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read: " + e, e);
        }
    }

    synchronized int next() {
        return state.next();
    }

    /** Everything before this step is durable. */
    synchronized void durable(int next) {
        if (next > state.next()) {
            save(new State(next, state.happened(), state.decisions()));
        }
    }

    /** Whether a step that happens so many times is to happen once more; it is written down before it does. */
    synchronized boolean happens(int step, int times) {
        int before = state.happened().getOrDefault(step, 0);
        if (before >= times) {
            return false;
        }
        Map<Integer, Integer> happened = new HashMap<>(state.happened());
        happened.put(step, before + 1);
        save(new State(state.next(), happened, state.decisions()));
        return true;
    }

    /** Keeps what people decided. */
    synchronized void decided(List<ApprovalDecision> given) {
        if (!given.isEmpty()) {
            Map<String, ApprovalDecision> decisions = new HashMap<>(state.decisions());
            given.forEach(decision -> decisions.put(decision.approvalId(), decision));
            save(new State(state.next(), state.happened(), decisions));
        }
    }

    synchronized @Nullable ApprovalDecision decision(String approvalId) {
        return state.decisions().get(approvalId);
    }

    /** Written whole or not at all. */
    private void save(State changed) {
        try {
            Files.createDirectories(file.getParent());
            Path written =
                    Files.createTempFile(file.getParent(), file.getFileName().toString(), ".new");
            Files.write(written, JSON.writeValueAsBytes(changed));
            Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written: " + e, e);
        }
        state = changed;
    }
}
