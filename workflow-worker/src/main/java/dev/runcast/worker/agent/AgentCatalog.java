package dev.runcast.worker.agent;

import dev.runcast.recording.RecordingException;
import dev.runcast.recording.RecordingReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * The agents of the reference runner by name: those in its folder, {@code echo} which says its input, and {@code script}
 * whose input is its steps. Thread-safe.
 */
final class AgentCatalog {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final @Nullable Path folder;

    AgentCatalog(@Nullable Path folder) {
        this.folder = folder;
    }

    /** Whether there is an agent of this name. */
    boolean has(String agent) {
        return agent.equals("script") || agent.equals("echo") || file(agent).isPresent();
    }

    /**
     * What an agent does with an input.
     *
     * @throws IllegalArgumentException when its script is wrong
     */
    List<Step> steps(String agent, String input) {
        if (agent.equals("script")) {
            return StepReader.read(input);
        }
        if (agent.equals("echo")) {
            String text = JSON.writeValueAsString(input.isEmpty() ? "Nothing was said." : input);
            return StepReader.read("[{think: Says what it was told.}, {say: {text: " + text + "}}]");
        }
        Path file = file(agent).orElseThrow(() -> new IllegalArgumentException(unknown(agent)));
        try {
            return file.toString().endsWith(".jsonl")
                    ? RecordedSteps.of(RecordingReader.read(file).get(0))
                    : StepReader.read(Files.readString(file));
        } catch (RecordingException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read: " + e, e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file.getFileName() + ": " + e.getMessage(), e);
        }
    }

    /** What a person who asked for an agent that does not exist is told. */
    String unknown(String agent) {
        return "agent: \"" + agent + "\" (expected: one of " + names() + ")";
    }

    private Set<String> names() {
        Set<String> names = new TreeSet<>(List.of("echo", "script"));
        if (folder != null && Files.isDirectory(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.matches(".+\\.(yaml|json|jsonl)"))
                        .forEach(name -> names.add(name.substring(0, name.lastIndexOf('.'))));
            } catch (IOException e) {
                throw new UncheckedIOException(folder + " cannot be listed: " + e, e);
            }
        }
        return names;
    }

    private Optional<Path> file(String agent) {
        if (folder == null || !NAME.matcher(agent).matches()) {
            return Optional.empty();
        }
        return Stream.of(".yaml", ".json", ".jsonl")
                .map(ending -> folder.resolve(agent + ending))
                .filter(Files::isRegularFile)
                .findFirst();
    }
}
