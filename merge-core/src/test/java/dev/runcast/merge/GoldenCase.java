package dev.runcast.merge;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.UpdateBatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A history and what must come of it, as a file that any way of running the merge can be held against: the pure merge,
 * the topology, a rebuild. The files of a released number of rules are never changed.
 *
 * @param name the situation, which is also the file's name under {@code golden/}
 * @param because what the case shows, for a person
 * @param history the batches in the order of the log, stamped as at a door, all of one execution
 * @param outcomes one for each update: {@code APPLIED}, {@code DUPLICATE} or {@code REJECTED} and the reason
 * @param changes all changes, without holes from version 1
 * @param execution what a view has at the end, all fields complete
 * @param entries what a view has at the end, texts filled in
 */
public record GoldenCase(
        String name,
        String because,
        List<UpdateBatch> history,
        List<String> outcomes,
        List<Change> changes,
        Execution execution,
        List<Entry> entries) {
    private static final String FOLDER = "/golden/";
    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /** All cases, as the file {@code golden/cases.txt} lists them. */
    public static List<GoldenCase> all() {
        return names().stream().map(GoldenCase::read).toList();
    }

    /** The names of all cases. */
    public static List<String> names() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(open("cases.txt"), StandardCharsets.UTF_8))) {
            return lines.lines().filter(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads one case. What is expected may be missing: then it is empty. */
    public static GoldenCase read(String name) {
        try (InputStreamReader text = new InputStreamReader(open(name + ".json"), StandardCharsets.UTF_8)) {
            JsonObject json = JsonParser.parseReader(text).getAsJsonObject();
            return new GoldenCase(
                    name,
                    json.get("because").getAsString(),
                    messages(json, "history", UpdateBatch.getDefaultInstance()),
                    array(json, "outcomes").asList().stream()
                            .map(JsonElement::getAsString)
                            .toList(),
                    messages(json, "changes", Change.getDefaultInstance()),
                    json.has("execution")
                            ? message(json.get("execution"), Execution.getDefaultInstance())
                            : Execution.getDefaultInstance(),
                    messages(json, "entries", Entry.getDefaultInstance()));
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    /** The file of this case. */
    String json() {
        JsonObject json = new JsonObject();
        json.addProperty("because", because);
        json.add("history", array(history));
        JsonArray received = new JsonArray();
        outcomes.forEach(received::add);
        json.add("outcomes", received);
        json.add("changes", array(changes));
        json.add("execution", element(execution));
        json.add("entries", array(entries));
        return GSON.toJson(json) + "\n";
    }

    @Override
    public String toString() {
        return name;
    }

    /** How an outcome stands in a case. */
    public static String shown(Outcome outcome) {
        if (outcome instanceof Outcome.Rejected rejected) {
            return rejected.reason().name().replaceFirst("REJECTION_REASON_", "REJECTED ");
        }
        return outcome instanceof Outcome.Applied ? "APPLIED" : "DUPLICATE";
    }

    private static InputStream open(String file) {
        InputStream stream = GoldenCase.class.getResourceAsStream(FOLDER + file);
        if (stream == null) {
            throw new IllegalArgumentException("golden case: %s (expected: a file under %s)".formatted(file, FOLDER));
        }
        return stream;
    }

    private static JsonArray array(JsonObject json, String name) {
        return json.has(name) ? json.getAsJsonArray(name) : new JsonArray();
    }

    private static <M extends Message> List<M> messages(JsonObject json, String name, M prototype) {
        List<M> messages = new ArrayList<>();
        for (JsonElement element : array(json, name)) {
            messages.add(message(element, prototype));
        }
        return List.copyOf(messages);
    }

    @SuppressWarnings("unchecked") // a builder builds messages of its prototype's kind
    private static <M extends Message> M message(JsonElement element, M prototype) {
        try {
            Message.Builder builder = prototype.newBuilderForType();
            JsonFormat.parser().merge(element.toString(), builder);
            return (M) builder.build();
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonArray array(List<? extends Message> messages) {
        JsonArray array = new JsonArray();
        messages.forEach(message -> array.add(element(message)));
        return array;
    }

    private static JsonElement element(Message message) {
        try {
            return JsonParser.parseString(JsonFormat.printer().print(message));
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }
}
