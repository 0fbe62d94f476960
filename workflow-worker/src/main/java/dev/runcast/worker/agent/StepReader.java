package dev.runcast.worker.agent;

import dev.runcast.runner.EntryReporter;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Role;
import dev.runcast.v1.TodoItem;
import dev.runcast.worker.agent.Step.Act;
import dev.runcast.worker.agent.Step.Ask;
import dev.runcast.worker.agent.Step.Beat;
import dev.runcast.worker.agent.Step.Crash;
import dev.runcast.worker.agent.Step.Fail;
import dev.runcast.worker.agent.Step.Hang;
import dev.runcast.worker.agent.Step.Throw;
import dev.runcast.workflow.FailureDetail;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads the steps of a scripted agent from YAML, of which JSON is a part: a list of steps, each with one word that says
 * what it does. docs/activities.md lists them. Whatever is wrong is said with its place.
 */
final class StepReader {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int PIECE_CHARACTERS = 24;
    private static final Duration PIECE = Duration.ofMillis(20);

    private StepReader() {}

    /** @throws IllegalArgumentException when the text is not a list of steps */
    static List<Step> read(String text) {
        Object root;
        try {
            root = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
        } catch (YAMLException e) {
            throw new IllegalArgumentException("steps: not YAML: " + e.getMessage(), e);
        }
        return steps("steps", root);
    }

    private static List<Step> steps(String at, @Nullable Object node) {
        List<Step> steps = new ArrayList<>();
        List<?> list = list(at, node);
        for (int i = 0; i < list.size(); i++) {
            Node step = Node.only(at + "[" + i + "]", list.get(i));
            steps.add(step(step, "s" + (i + 1)));
        }
        return steps;
    }

    private static Step step(Node step, String id) {
        return switch (step.word()) {
            case "ask" ->
                new Ask(
                        id,
                        step.text("tool", "tool"),
                        step.json("arguments", "{}"),
                        step.text("prompt", "Go on?"),
                        step.seconds("seconds", 0.2));
            case "fail" ->
                new Fail(
                        new FailureDetail(
                                step.text("code", "AGENT_FAILED"), step.text("message", "as scripted"), false),
                        step.times());
            case "throw" -> new Throw(step.text("message", "as scripted"), step.times());
            case "hang" -> new Hang(step.seconds("seconds", 3600), step.times());
            case "crash" -> new Crash(step.times());
            default -> new Act(acts(step, id, execution -> execution));
        };
    }

    /** What takes its time and is over: the only steps that sub-agents have. */
    private static List<Beat> acts(Node step, String id, Function<ExecutionReporter, EntryReporter> where) {
        List<Beat> beats = new ArrayList<>();
        switch (step.word()) {
            case "say" -> speak(beats, step, id, Role.ROLE_AI, where);
            case "think" -> speak(beats, step, id, Role.ROLE_THINKING, where);
            case "wait" -> beats.add(new Beat(step.seconds("seconds", 1), execution -> {}));
            case "tool" -> {
                String name = step.text("name", "tool");
                String arguments = step.json("arguments", "{}");
                String result = step.text("result", "ok").repeat(step.number("repeat", 1));
                beats.add(new Beat(Duration.ofMillis(20), execution -> where.apply(execution)
                        .toolCallStarted(id, name, arguments)));
                beats.add(new Beat(step.seconds("seconds", 0.2), execution -> where.apply(execution)
                        .toolCallCompleted(id, result)));
            }
            case "progress" -> {
                int count = step.number("count", 1);
                Duration every = step.seconds("every", 0);
                for (int i = 1; i <= count; i++) {
                    int percent = (int) (100L * i / count);
                    beats.add(new Beat(every, execution -> execution.progress(percent, step.text("message", ""))));
                }
            }
            case "plan" -> {
                List<TodoItem> plan = new ArrayList<>();
                for (Object each : list(step.at(), step.value())) {
                    plan.add(TodoItem.newBuilder()
                            .setEntryId(id + "-" + (plan.size() + 1))
                            .setContent(String.valueOf(each))
                            .setState(EntryState.ENTRY_STATE_PENDING)
                            .build());
                }
                beats.add(new Beat(Duration.ofMillis(20), execution -> where.apply(execution)
                        .todos(plan)));
            }
            case "agents" -> agents(beats, step, id, where);
            default ->
                throw new IllegalArgumentException(step.at() + ": " + step.word()
                        + " (expected: say, think, wait, tool, progress, plan or agents; not within agents also ask,"
                        + " fail, throw, hang, crash)");
        }
        return beats;
    }

    private static void speak(
            List<Beat> beats, Node step, String id, Role role, Function<ExecutionReporter, EntryReporter> where) {
        String text = step.text("text", "").repeat(step.number("repeat", 1));
        beats.add(new Beat(
                Duration.ofMillis(20), execution -> where.apply(execution).messageStarted(id, role)));
        for (int from = 0; from < text.length(); ) {
            int to = Math.min(text.length(), from + PIECE_CHARACTERS);
            if (to < text.length() && Character.isHighSurrogate(text.charAt(to - 1))) {
                to++;
            }
            String piece = text.substring(from, to);
            beats.add(new Beat(PIECE, execution -> where.apply(execution).appendText(id, piece)));
            from = to;
        }
        beats.add(new Beat(Duration.ZERO, execution -> where.apply(execution).messageCompleted(id)));
    }

    /** They work at the same time: their beats are put in the order in which they are due. */
    private static void agents(
            List<Beat> beats, Node step, String id, Function<ExecutionReporter, EntryReporter> where) {
        record Due(Duration at, Consumer<ExecutionReporter> report) {}
        List<Due> due = new ArrayList<>();
        List<?> agents = list(step.at(), step.value());
        for (int i = 0; i < agents.size(); i++) {
            Node agent = Node.of(step.at() + "[" + i + "]", agents.get(i));
            String agentId = id + "-a" + (i + 1);
            List<Beat> lane = new ArrayList<>();
            String name = agent.text("name", "agent");
            String input = agent.text("input", "");
            String output = agent.text("output", "done");
            lane.add(new Beat(
                    Duration.ofMillis(20), execution -> where.apply(execution).subAgentStarted(agentId, name, input)));
            List<?> steps = agent.has("steps") ? list(agent.at() + ".steps", agent.get("steps")) : List.of();
            for (int s = 0; s < steps.size(); s++) {
                lane.addAll(acts(
                        Node.only(agent.at() + ".steps[" + s + "]", steps.get(s)),
                        agentId + "-s" + (s + 1),
                        execution -> execution.under(agentId)));
            }
            lane.add(new Beat(Duration.ZERO, execution -> where.apply(execution).subAgentCompleted(agentId, output)));
            Duration at = Duration.ZERO;
            for (Beat beat : lane) {
                at = at.plus(beat.pause());
                due.add(new Due(at, beat.report()));
            }
        }
        due.sort(Comparator.comparing(Due::at));
        Duration now = Duration.ZERO;
        for (Due each : due) {
            beats.add(new Beat(each.at().minus(now), each.report()));
            now = each.at();
        }
    }

    private static List<?> list(String at, @Nullable Object node) {
        if (!(node instanceof List<?> list)) {
            throw new IllegalArgumentException(at + ": " + node + " (expected: a list)");
        }
        return list;
    }

    /** A word and what belongs to it; what belongs to it may be one text. */
    private record Node(String at, String word, @Nullable Object value) {
        static Node only(String at, @Nullable Object node) {
            if (node instanceof String word) {
                return new Node(at + "." + word, word, null);
            }
            if (!(node instanceof Map<?, ?> map) || map.size() != 1) {
                throw new IllegalArgumentException(at + ": " + node + " (expected: one word and what belongs to it)");
            }
            Map.Entry<?, ?> entry = map.entrySet().iterator().next();
            return new Node(at + "." + entry.getKey(), String.valueOf(entry.getKey()), entry.getValue());
        }

        static Node of(String at, @Nullable Object node) {
            return new Node(at, "", node);
        }

        boolean has(String name) {
            return value instanceof Map<?, ?> map && map.get(name) != null;
        }

        @Nullable
        Object get(String name) {
            return value instanceof Map<?, ?> map ? map.get(name) : null;
        }

        /** Said by name, or as the only thing that there is: {@code say: Hello}, {@code wait: 2}. */
        private @Nullable Object said(String name) {
            boolean only = (name.equals("text") || name.equals("seconds") || name.equals("message"))
                    && value != null
                    && !(value instanceof Map)
                    && !(value instanceof List);
            return only ? value : get(name);
        }

        String text(String name, String otherwise) {
            Object said = said(name);
            return said == null ? otherwise : String.valueOf(said);
        }

        /** A text as it is; what is written as YAML or JSON, as JSON. */
        String json(String name, String otherwise) {
            Object said = said(name);
            return said == null || said instanceof String ? text(name, otherwise) : JSON.writeValueAsString(said);
        }

        int number(String name, int otherwise) {
            Object said = get(name);
            if (said == null) {
                return otherwise;
            }
            if (said instanceof Number number && number.intValue() >= 1) {
                return number.intValue();
            }
            throw new IllegalArgumentException(at + "." + name + ": " + said + " (expected: 1 or greater)");
        }

        int times() {
            return number("times", 1);
        }

        Duration seconds(String name, double otherwise) {
            Object said = said(name);
            if (said == null) {
                return Duration.ofMillis((long) (otherwise * 1000));
            }
            if (said instanceof Number number && number.doubleValue() >= 0) {
                return Duration.ofMillis((long) (number.doubleValue() * 1000));
            }
            throw new IllegalArgumentException(at + "." + name + ": " + said + " (expected: seconds, 0 or more)");
        }
    }
}
