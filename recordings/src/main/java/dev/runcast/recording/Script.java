package dev.runcast.recording;

import com.google.protobuf.Timestamp;
import dev.runcast.recording.Recording.Agent;
import dev.runcast.recording.Recording.Answered;
import dev.runcast.recording.Recording.Called;
import dev.runcast.recording.Recording.Delegated;
import dev.runcast.recording.Recording.Message;
import dev.runcast.recording.Recording.ModelUsage;
import dev.runcast.recording.Recording.Planned;
import dev.runcast.recording.Recording.Said;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Role;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import dev.runcast.v1.Usage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A recording as the steps a runner would report, each with the time an agent would take before it.
 * The same recording always makes the same steps with the same entry ids.
 */
public final class Script {
    private static final Pattern ENTRY_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,59}");
    private static final int PIECE_CHARACTERS = 24;
    private static final long PIECE_MILLIS = 35;
    private static final long THINK_MILLIS = 250;

    /** What happens: an update, or a piece of a message's text. */
    public sealed interface Step {
        /** How long the agent takes before it, at its own speed, in milliseconds. */
        long pauseMillis();
    }

    /** An update, stamped with its time when it is reported. */
    public record Report(long pauseMillis, Supplier<Update> update) implements Step {}

    /** A message's text grows. */
    public record Append(long pauseMillis, String entryId, String text) implements Step {}

    private final Supplier<Timestamp> clock;
    private final Set<String> entryIds = new HashSet<>();

    private Script(Supplier<Timestamp> clock) {
        this.clock = clock;
    }

    /** The steps of a recording, without its first and last: those are the attempt's. */
    public static List<Step> of(Recording recording, Supplier<Timestamp> clock) {
        return new Script(clock).steps("", "", recording.messages());
    }

    private List<Step> steps(String prefix, String parent, List<Message> messages) {
        List<Step> steps = new ArrayList<>();
        Map<String, Deque<String>> unanswered = new HashMap<>();
        int number = 0;
        for (Message message : messages) {
            number++;
            String id = prefix + "m" + number;
            if (message instanceof Said said) {
                say(steps, unique(id), parent, said);
            } else if (message instanceof Called called) {
                String entryId = unique(prefix + callId(called.callId(), number));
                unanswered
                        .computeIfAbsent(called.callId(), unused -> new ArrayDeque<>())
                        .addLast(entryId);
                call(steps, entryId, parent, called);
            } else if (message instanceof Answered answered) {
                Deque<String> waiting = unanswered.get(answered.callId());
                String entryId = waiting == null ? null : waiting.pollFirst();
                answer(steps, entryId == null ? unique(id) : entryId, entryId == null, parent, answered);
            } else if (message instanceof Planned planned) {
                plan(steps, prefix, parent, planned);
            } else if (message instanceof Delegated delegated) {
                delegate(steps, prefix, parent, delegated);
            }
        }
        return steps;
    }

    private static String callId(String callId, int number) {
        return ENTRY_ID.matcher(callId).matches() ? callId : "call-" + number;
    }

    private String unique(String id) {
        String candidate = id;
        for (int n = 2; !entryIds.add(candidate); n++) {
            candidate = id + "-" + n;
        }
        return candidate;
    }

    private void say(List<Step> steps, String id, String parent, Said said) {
        Role role =
                switch (said.role()) {
                    case "user" -> Role.ROLE_HUMAN;
                    case "system" -> Role.ROLE_SYSTEM;
                    case "thinking" -> Role.ROLE_THINKING;
                    default -> Role.ROLE_AI;
                };
        ChatMessage.Builder message = ChatMessage.newBuilder().setRole(role);
        if (role == Role.ROLE_HUMAN || role == Role.ROLE_SYSTEM) {
            upsert(steps, THINK_MILLIS, now -> finished(entry(id, parent), EntryState.ENTRY_STATE_COMPLETED, now)
                    .setStartedAt(now)
                    .setMessage(message.setText(said.text())));
            return;
        }
        upsert(steps, THINK_MILLIS, now -> entry(id, parent)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setStartedAt(now)
                .setMessage(message.setText("")));
        for (String piece : pieces(said.text())) {
            steps.add(new Append(PIECE_MILLIS, id, piece));
        }
        upsert(steps, 0, now -> finished(entry(id, ""), EntryState.ENTRY_STATE_COMPLETED, now));
        ModelUsage usage = said.usage();
        if (usage != null) {
            String usageId = unique(id + "-usage");
            upsert(steps, 0, now -> finished(entry(usageId, parent), EntryState.ENTRY_STATE_COMPLETED, now)
                    .setUsage(Usage.newBuilder()
                            .setModel(usage.model())
                            .setInputTokens(usage.promptTokens())
                            .setOutputTokens(usage.completionTokens())));
        }
    }

    private static List<String> pieces(String text) {
        List<String> pieces = new ArrayList<>();
        for (int from = 0; from < text.length(); ) {
            int to = Math.min(text.length(), from + PIECE_CHARACTERS);
            if (to < text.length() && Character.isHighSurrogate(text.charAt(to - 1))) {
                to++;
            }
            pieces.add(text.substring(from, to));
            from = to;
        }
        return pieces;
    }

    private void call(List<Step> steps, String id, String parent, Called called) {
        upsert(steps, THINK_MILLIS, now -> entry(id, parent)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setStartedAt(now)
                .setToolCall(ToolCall.newBuilder().setName(called.name()).setArguments(called.arguments())));
    }

    private void answer(List<Step> steps, String id, boolean unasked, String parent, Answered answered) {
        // Long enough to be seen running; the same for the same tool.
        long took = 300L + Math.floorMod(answered.name().hashCode(), 900);
        Failure failure = answered.failure();
        EntryState state = failure == null ? EntryState.ENTRY_STATE_COMPLETED : EntryState.ENTRY_STATE_FAILED;
        upsert(steps, took, now -> {
            Entry.Builder entry = finished(entry(id, unasked ? parent : ""), state, now);
            ToolCall.Builder tool = ToolCall.newBuilder().setResult(answered.result());
            if (unasked) {
                tool.setName(answered.name());
            }
            if (failure != null) {
                entry.setFailure(failure);
            }
            return entry.setToolCall(tool);
        });
    }

    private void plan(List<Step> steps, String prefix, String parent, Planned planned) {
        TodosReplaced.Builder todos = TodosReplaced.newBuilder().setParentId(parent);
        for (Recording.Step step : planned.steps()) {
            todos.addTodos(TodoItem.newBuilder()
                    .setEntryId(prefix + "todo-" + step.id())
                    .setContent(step.content())
                    .setState(
                            switch (step.status()) {
                                case "in_progress" -> EntryState.ENTRY_STATE_RUNNING;
                                case "completed" -> EntryState.ENTRY_STATE_COMPLETED;
                                case "cancelled" -> EntryState.ENTRY_STATE_CANCELLED;
                                default -> EntryState.ENTRY_STATE_PENDING;
                            }));
        }
        TodosReplaced replaced = todos.build();
        steps.add(new Report(THINK_MILLIS, () -> Update.newBuilder()
                .setOccurredAt(clock.get())
                .setTodosReplaced(replaced)
                .build()));
    }

    private void delegate(List<Step> steps, String prefix, String parent, Delegated delegated) {
        List<Deque<Step>> lanes = new ArrayList<>();
        for (Agent agent : delegated.agents()) {
            String id = unique(prefix + agent.id());
            Deque<Step> lane = new ArrayDeque<>();
            List<Step> own = new ArrayList<>();
            upsert(own, THINK_MILLIS, now -> entry(id, parent)
                    .setState(EntryState.ENTRY_STATE_RUNNING)
                    .setStartedAt(now)
                    .setSubAgent(SubAgent.newBuilder().setName(agent.name()).setInput(agent.input())));
            own.addAll(steps(id + "-", id, agent.messages()));
            upsert(own, 0, now -> finished(entry(id, ""), EntryState.ENTRY_STATE_COMPLETED, now)
                    .setSubAgent(SubAgent.newBuilder().setOutput(agent.output())));
            lane.addAll(own);
            lanes.add(lane);
        }
        // They work at the same time: one step of each in turn.
        while (!lanes.isEmpty()) {
            lanes.forEach(lane -> steps.add(lane.removeFirst()));
            lanes.removeIf(Deque::isEmpty);
        }
    }

    private interface AtTime {
        Entry.Builder entry(Timestamp now);
    }

    private void upsert(List<Step> steps, long pauseMillis, AtTime atTime) {
        steps.add(new Report(pauseMillis, () -> {
            Timestamp now = clock.get();
            return Update.newBuilder()
                    .setOccurredAt(now)
                    .setEntryUpserted(EntryUpserted.newBuilder().setEntry(atTime.entry(now)))
                    .build();
        }));
    }

    private static Entry.Builder entry(String id, @Nullable String parent) {
        Entry.Builder entry = Entry.newBuilder().setEntryId(id);
        return parent == null || parent.isEmpty() ? entry : entry.setParentId(parent);
    }

    private static Entry.Builder finished(Entry.Builder entry, EntryState state, Timestamp now) {
        return entry.setState(state).setEndedAt(now);
    }
}
