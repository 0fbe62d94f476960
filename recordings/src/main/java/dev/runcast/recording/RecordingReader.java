package dev.runcast.recording;

import dev.runcast.recording.Recording.Agent;
import dev.runcast.recording.Recording.Answered;
import dev.runcast.recording.Recording.Called;
import dev.runcast.recording.Recording.Delegated;
import dev.runcast.recording.Recording.Message;
import dev.runcast.recording.Recording.ModelUsage;
import dev.runcast.recording.Recording.Planned;
import dev.runcast.recording.Recording.Said;
import dev.runcast.recording.Recording.Step;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads recordings: JSON lines, each a conversation in OpenAI chat form with a {@code
 * conversation_id}. Beside the roles user, assistant, tool and system it knows thinking, todos and
 * sub_agents. Whatever is wrong is said with the file and the line.
 */
public final class RecordingReader {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private RecordingReader() {}

    /**
     * All recordings of a file, in order.
     *
     * @throws RecordingException when the file cannot be read, has none, or a line is not a recording
     */
    public static List<Recording> read(Path file) {
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            return read(file.toString(), reader);
        } catch (NoSuchFileException e) {
            throw new RecordingException(file + ": no such file", e);
        } catch (CharacterCodingException e) {
            throw new RecordingException(file + ": not UTF-8 (expected: JSON lines in UTF-8)", e);
        } catch (IOException e) {
            throw new RecordingException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * All recordings of a source that errors call by this name.
     *
     * @throws RecordingException as of a file
     */
    public static List<Recording> read(String name, BufferedReader reader) throws IOException {
        List<Recording> recordings = new ArrayList<>();
        Set<String> ids = new LinkedHashSet<>();
        int number = 0;
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            number++;
            if (line.isBlank()) {
                continue;
            }
            String where = name + ":" + number + ": ";
            Recording recording = recording(where, line);
            if (!ids.add(recording.conversationId())) {
                throw new RecordingException(
                        where + "conversation_id: " + recording.conversationId() + " occurs twice");
            }
            recordings.add(recording);
        }
        if (recordings.isEmpty()) {
            throw new RecordingException(name + ": no recording in it (expected: JSON lines, one conversation each)");
        }
        return recordings;
    }

    private static Recording recording(String where, String line) {
        JsonNode root;
        try {
            root = JSON.readTree(line);
        } catch (JacksonException e) {
            throw new RecordingException(
                    where + "not JSON, or cut off: " + e.getOriginalMessage() + " (expected: one object)", e);
        }
        if (!root.isObject()) {
            throw new RecordingException(where + "not an object (expected: {\"conversation_id\": …})");
        }
        Fields fields = new Fields(where, root);
        String id = fields.required("conversation_id");
        if (!ID.matcher(id).matches()) {
            throw new RecordingException(where + "conversation_id: \"" + id + "\" (expected: " + ID.pattern() + ")");
        }
        Map<String, String> labels = new LinkedHashMap<>();
        root.path("labels").forEachEntry((key, value) -> labels.put(key, value.asString("")));
        if (root.has("reward")) {
            labels.put("reward", root.path("reward").asString(""));
        }
        JsonNode outcome = root.path("outcome");
        return new Recording(
                id,
                fields.optional("agent"),
                fields.optional("session_id"),
                labels,
                messages(where, root.path("messages"), "messages"),
                outcome.isMissingNode() ? Phase.PHASE_COMPLETED : phase(where, outcome),
                outcome.has("code") ? failure(outcome) : null);
    }

    private static Phase phase(String where, JsonNode outcome) {
        String name = outcome.path("phase").asString("");
        return switch (name) {
            case "COMPLETED" -> Phase.PHASE_COMPLETED;
            case "FAILED" -> Phase.PHASE_FAILED;
            case "CANCELLED" -> Phase.PHASE_CANCELLED;
            default ->
                throw new RecordingException(
                        where + "outcome.phase: \"" + name + "\" (expected: COMPLETED, FAILED or CANCELLED)");
        };
    }

    private static Failure failure(JsonNode node) {
        return Failure.newBuilder()
                .setCode(node.path("code").asString(""))
                .setMessage(node.path("message").asString(""))
                .build();
    }

    private static List<Message> messages(String where, JsonNode nodes, String path) {
        if (!nodes.isArray()) {
            throw new RecordingException(where + path + ": missing or not a list (expected: messages)");
        }
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            String at = path + "[" + i + "]";
            if (!nodes.get(i).isObject()) {
                throw new RecordingException(where + at + ": not an object (expected: {\"role\": …})");
            }
            add(messages, new Fields(where + at + ".", nodes.get(i)), nodes.get(i));
        }
        return messages;
    }

    private static void add(List<Message> messages, Fields fields, JsonNode node) {
        String role = fields.required("role");
        switch (role) {
            case "user", "system", "thinking" -> messages.add(new Said(role, fields.required("content"), null));
            case "assistant" -> assistant(messages, fields, node);
            case "tool" ->
                messages.add(new Answered(
                        fields.required("tool_call_id"),
                        fields.optional("name"),
                        fields.required("content")
                                .repeat(Math.max(1, node.path("repeat").asInt(1))),
                        node.has("error") ? failure(node.path("error")) : null));
            case "todos" -> messages.add(new Planned(steps(fields, node.path("todos"))));
            case "sub_agents" -> messages.add(new Delegated(agents(fields, node.path("agents"))));
            default ->
                throw new RecordingException(fields.where
                        + "role: \""
                        + role
                        + "\" (expected: user, assistant, tool, system, thinking, todos or sub_agents)");
        }
    }

    private static void assistant(List<Message> messages, Fields fields, JsonNode node) {
        JsonNode calls = node.path("tool_calls");
        String text = fields.optional("content");
        if (!text.isEmpty() || calls.isEmpty()) {
            JsonNode usage = node.path("usage");
            messages.add(new Said(
                    "assistant",
                    text,
                    usage.isMissingNode()
                            ? null
                            : new ModelUsage(
                                    usage.path("model").asString(""),
                                    usage.path("prompt_tokens").asLong(0),
                                    usage.path("completion_tokens").asLong(0))));
        }
        for (int i = 0; i < calls.size(); i++) {
            Fields call = new Fields(fields.where + "tool_calls[" + i + "].", calls.get(i));
            Fields function = new Fields(call.where + "function.", calls.get(i).path("function"));
            messages.add(new Called(call.required("id"), function.required("name"), function.required("arguments")));
        }
    }

    private static List<Step> steps(Fields fields, JsonNode nodes) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Fields step = new Fields(fields.where + "todos[" + i + "].", nodes.get(i));
            steps.add(new Step(step.required("id"), step.required("content"), step.required("status")));
        }
        return steps;
    }

    private static List<Agent> agents(Fields fields, JsonNode nodes) {
        List<Agent> agents = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            String at = fields.where + "agents[" + i + "].";
            Fields agent = new Fields(at, nodes.get(i));
            agents.add(new Agent(
                    agent.required("id"),
                    agent.required("name"),
                    agent.optional("input"),
                    messages(at, nodes.get(i).path("messages"), "messages"),
                    agent.optional("output")));
        }
        return agents;
    }

    /** The string fields of one object, and where it stands. */
    private record Fields(String where, JsonNode node) {
        String required(String name) {
            JsonNode value = node.path(name);
            if (!value.isString()) {
                throw new RecordingException(where + name + ": " + described(value) + " (expected: a string)");
            }
            return value.stringValue();
        }

        String optional(String name) {
            JsonNode value = node.path(name);
            return value.isMissingNode() || value.isNull() ? "" : required(name);
        }

        private static String described(@Nullable JsonNode value) {
            if (value == null || value.isMissingNode()) {
                return "missing";
            }
            String text = value.toString();
            return text.codePointCount(0, text.length()) <= 40
                    ? text
                    : text.substring(0, text.offsetByCodePoints(0, 39)) + "…";
        }
    }
}
