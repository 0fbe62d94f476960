package dev.runcast.local;

import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/**
 * Holds what the HTTP door returns against the recording's own JSON. It shares nothing with the pipeline, not even the
 * reader of recordings, so a mistake there cannot hide itself.
 */
final class DemoCheck {
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final String base;

    DemoCheck(String base) {
        this.base = base;
    }

    /**
     * What a comparison found.
     *
     * @param executions how many were compared
     * @param changes their versions together
     * @param pieces messages, arguments and results that were compared
     * @param differences one sentence each; empty when nothing differs
     */
    record Compared(int executions, long changes, int pieces, List<String> differences) {}

    /** Compares every conversation of a file. */
    Compared compare(Path recordings) throws IOException, InterruptedException {
        int executions = 0;
        int pieces = 0;
        long changes = 0;
        List<String> differences = new ArrayList<>();
        for (String line : Files.readAllLines(recordings, StandardCharsets.UTF_8)) {
            JsonNode recorded = JSON.readTree(line);
            String id = recorded.path("conversation_id").stringValue();
            JsonNode execution = get("/v1/executions/" + id);
            String phase = "PHASE_" + recorded.path("outcome").path("phase").asString("COMPLETED");
            if (!execution.path("phase").asString("").equals(phase)) {
                differences.add(id + ": phase " + execution.path("phase") + " (recorded: " + phase + ")");
            }
            List<List<String>> wanted = new ArrayList<>();
            recorded(recorded.path("messages"), "", wanted);
            List<List<String>> found = found(id);
            pieces += wanted.size();
            executions++;
            changes += versions(id, execution.path("version").asLong(0), differences);
            // Agents that work at the same time interleave, so the order is compared within each of them.
            for (String agent : agents(wanted)) {
                List<List<String>> one = of(agent, wanted);
                List<List<String>> other = of(agent, found);
                if (!one.equals(other)) {
                    differences.add(
                            id + (agent.isEmpty() ? "" : " under " + agent) + ": " + firstDifference(one, other));
                }
            }
            if (wanted.size() != found.size()) {
                differences.add(id + ": " + found.size() + " pieces (recorded: " + wanted.size() + ")");
            }
        }
        return new Compared(executions, changes, pieces, differences);
    }

    private static List<String> agents(List<List<String>> pieces) {
        return pieces.stream().map(piece -> piece.get(0)).distinct().toList();
    }

    private static List<List<String>> of(String agent, List<List<String>> pieces) {
        return pieces.stream().filter(piece -> piece.get(0).equals(agent)).toList();
    }

    private static String firstDifference(List<List<String>> wanted, List<List<String>> found) {
        for (int i = 0; i < Math.min(wanted.size(), found.size()); i++) {
            if (!wanted.get(i).equals(found.get(i))) {
                return "piece " + (i + 1) + " is " + shortened(found.get(i)) + " (recorded: " + shortened(wanted.get(i))
                        + ")";
            }
        }
        return found.size() + " pieces (recorded: " + wanted.size() + ")";
    }

    private static String shortened(List<String> piece) {
        String whole = piece.toString();
        return whole.length() <= 120 ? whole : whole.substring(0, 120) + "…";
    }

    /** (agent, kind, text…) of everything that was said, called and answered. */
    private static void recorded(JsonNode messages, String agent, List<List<String>> pieces) {
        Map<String, Deque<Integer>> waiting = new HashMap<>();
        for (JsonNode message : messages) {
            switch (message.path("role").asString("")) {
                case "todos" -> {}
                case "sub_agents" -> {
                    for (JsonNode each : message.path("agents")) {
                        recorded(each.path("messages"), each.path("id").asString(""), pieces);
                    }
                }
                case "tool" -> {
                    String result = message.path("content")
                            .stringValue()
                            .repeat(Math.max(1, message.path("repeat").asInt(1)));
                    int call = waiting.getOrDefault(message.path("tool_call_id").stringValue(), new ArrayDeque<>())
                            .removeFirst();
                    List<String> answered = new ArrayList<>(pieces.get(call));
                    answered.set(4, result);
                    pieces.set(call, answered);
                }
                default -> {
                    JsonNode calls = message.path("tool_calls");
                    String text = message.path("content").asString("");
                    if (!text.isEmpty() || calls.isEmpty()) {
                        pieces.add(List.of(agent, role(message.path("role").stringValue()), text));
                    }
                    for (JsonNode call : calls) {
                        waiting.computeIfAbsent(call.path("id").stringValue(), unused -> new ArrayDeque<>())
                                .addLast(pieces.size());
                        pieces.add(List.of(
                                agent,
                                "call",
                                call.path("function").path("name").stringValue(),
                                call.path("function").path("arguments").stringValue(),
                                ""));
                    }
                }
            }
        }
    }

    private static String role(String role) {
        return switch (role) {
            case "user" -> "ROLE_HUMAN";
            case "assistant" -> "ROLE_AI";
            default -> "ROLE_" + role.toUpperCase(java.util.Locale.ROOT);
        };
    }

    private List<List<String>> found(String id) throws IOException, InterruptedException {
        List<List<String>> pieces = new ArrayList<>();
        for (JsonNode entry : all("/v1/executions/" + id + "/entries", "entries")) {
            String agent = entry.path("parentId").asString("");
            if (entry.has("message")) {
                JsonNode message = entry.path("message");
                pieces.add(List.of(
                        agent,
                        message.path("role").asString(""),
                        message.path("text").asString("")));
            } else if (entry.has("toolCall")) {
                JsonNode call = entry.path("toolCall");
                pieces.add(List.of(
                        agent,
                        "call",
                        call.path("name").asString(""),
                        call.path("arguments").asString(""),
                        call.path("result").asString("")));
            }
        }
        return pieces;
    }

    private long versions(String id, long version, List<String> differences) throws IOException, InterruptedException {
        long next = 1;
        for (JsonNode change : all("/v1/executions/" + id + "/changes", "changes")) {
            long found = change.path("version").asLong(0);
            if (found != next) {
                differences.add(id + ": version " + found + " in the history (expected: " + next + ")");
                return version;
            }
            next++;
        }
        if (next != version + 1) {
            differences.add(id + ": " + (next - 1) + " changes in the history (expected: " + version + ")");
        }
        return version;
    }

    /** Where an execution stands, without prefix; empty while there is none. */
    String phase(String id) throws IOException, InterruptedException {
        return shown(get("/v1/executions/" + id).path("phase").asString(""));
    }

    /** The phases that its history went through, one after the other. */
    List<String> phases(String id) throws IOException, InterruptedException {
        List<String> phases = new ArrayList<>();
        for (JsonNode change : all("/v1/executions/" + id + "/changes", "changes")) {
            String phase = shown(change.path("execution").path("phase").asString(""));
            if (!phase.isEmpty()
                    && (phases.isEmpty() || !phases.get(phases.size() - 1).equals(phase))) {
                phases.add(phase);
            }
        }
        return phases;
    }

    /** Why it failed. */
    String failure(String id) throws IOException, InterruptedException {
        JsonNode failure = get("/v1/executions/" + id).path("failure");
        return failure.path("code").asString("") + ", "
                + failure.path("message").asString("");
    }

    /** The newest attempt. */
    long epoch(String id) throws IOException, InterruptedException {
        return get("/v1/executions/" + id).path("epoch").asLong(0);
    }

    /** Whether a call of this tool is under way. */
    boolean runsTool(String id, String tool) throws IOException, InterruptedException {
        return all("/v1/executions/" + id + "/entries", "entries")
                .valueStream()
                .anyMatch(entry ->
                        entry.path("toolCall").path("name").asString("").equals(tool)
                                && entry.path("state").asString("").equals("ENTRY_STATE_RUNNING"));
    }

    private static String shown(String phase) {
        return phase.replaceFirst("^PHASE_", "");
    }

    /** Whether a rejection for this reason is listed, waiting for it. */
    boolean awaitRejection(String id, RejectionReason reason, Duration patience)
            throws IOException, InterruptedException {
        return await(patience, () -> all("/v1/executions/" + id + "/rejected", "rejectedUpdates")
                .valueStream()
                .anyMatch(rejected -> rejected.path("reason").asString("").equals(reason.name())));
    }

    /** Reports as an attempt that has been replaced would: straight to the door, knowing nothing. */
    void publishAsZombie(String ingest, String id, long epoch) {
        ManagedChannel channel =
                NettyChannelBuilder.forTarget(ingest).usePlaintext().build();
        try {
            IngestServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .publishUpdate(PublishUpdateRequest.newBuilder()
                            .setBatch(UpdateBatch.newBuilder()
                                    .setExecutionId(id)
                                    .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                                    .setEpoch(epoch)
                                    .setRequestId("zombie-" + epoch)
                                    .addUpdates(Update.newBuilder()
                                            .setPhaseChanged(PhaseChanged.newBuilder()
                                                    .setPhase(Phase.PHASE_FAILED)
                                                    .setReason("said by a worker that was replaced"))))
                            .build());
        } finally {
            channel.shutdownNow();
        }
    }

    /** What is wrong when the successor's words are not the whole message, or the run did not end well. */
    Optional<String> taleOfTheSuccessor(String id, String words) throws IOException, InterruptedException {
        JsonNode execution = get("/v1/executions/" + id);
        Predicate<JsonNode> said =
                entry -> entry.path("message").path("text").asString("").equals(words);
        boolean right = execution.path("phase").asString("").equals("PHASE_COMPLETED")
                && execution.path("attempts").asInt(0) == 2
                && all("/v1/executions/" + id + "/entries", "entries")
                                .valueStream()
                                .filter(said)
                                .count()
                        == 1;
        return right ? Optional.empty() : Optional.of(id + ": " + execution + " (expected: COMPLETED by attempt 2)");
    }

    /** Something that comes true. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /** Whether it comes true in this time. */
    boolean await(Duration patience, Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return true;
    }

    private ArrayNode all(String path, String key) throws IOException, InterruptedException {
        ArrayNode elements = JSON.createArrayNode();
        String token = "";
        do {
            JsonNode page = get(path + "?pageSize=500&pageToken=" + URLEncoder.encode(token, StandardCharsets.UTF_8));
            page.path(key).forEach(elements::add);
            token = page.path("nextPageToken").asString("");
        } while (!token.isEmpty());
        return elements;
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(URI.create(base + path))
                        .timeout(Duration.ofSeconds(30))
                        .build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        @Nullable String body = response.body();
        return JSON.readTree(body == null || body.isEmpty() ? "{}" : body);
    }
}
