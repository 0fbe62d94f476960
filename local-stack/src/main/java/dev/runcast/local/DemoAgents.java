package dev.runcast.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The agents of the demo, as files that the stack's own runner of agents takes: recorded ones and scripted ones. */
final class DemoAgents {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> SCRIPTED = List.of("booking-agent", "archivist", "bookkeeper", "solver");

    /** One recorded conversation: {@code create} makes the execution that its agent tells again. */
    record Recorded(String execution, String agent, String session, String input, List<String> labels) {}

    private DemoAgents() {}

    /** Puts all of them into a folder; one of the same name is replaced. */
    static List<Recorded> into(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String agent : SCRIPTED) {
            Files.write(folder.resolve(agent + ".yaml"), resource("/demo/agents/" + agent + ".yaml"));
        }
        List<Recorded> recorded = new ArrayList<>();
        for (String line :
                new String(conversations(), StandardCharsets.UTF_8).lines().toList()) {
            JsonNode conversation = JSON.readTree(line);
            String agent = conversation.path("agent").stringValue();
            Files.writeString(folder.resolve(agent + ".jsonl"), line);
            List<String> labels = new ArrayList<>();
            conversation.path("labels").forEachEntry((key, value) -> labels.add(key + "=" + value.stringValue()));
            recorded.add(new Recorded(
                    conversation.path("conversation_id").stringValue(),
                    agent,
                    conversation.path("session_id").stringValue(),
                    asked(conversation.path("messages")),
                    labels));
        }
        return recorded;
    }

    private static String asked(JsonNode messages) {
        return messages.valueStream()
                .filter(message -> message.path("role").asString("").equals("user"))
                .map(message -> message.path("content").stringValue())
                .findFirst()
                .orElse("");
    }

    /** What was recorded, as JSON lines. */
    static byte[] conversations() throws IOException {
        return resource("/demo/conversations.jsonl");
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream own = Objects.requireNonNull(DemoAgents.class.getResourceAsStream(name), name)) {
            return own.readAllBytes();
        }
    }
}
