package dev.runcast.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A promise whose test has been renamed or deleted is no longer proved: each that a page names exists. */
class NamedTestsTest {
    private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
    /** {@code Class.method} or {@code Class}, of a class that is called a test. */
    private static final Pattern JAVA = Pattern.compile("`([A-Z]\\w*(?:Test|IT))(?:\\.(\\w+))?`");

    /** {@code file.py::function}; the file may have a folder before it. */
    private static final Pattern PYTHON = Pattern.compile("`(?:journey/)?(test_\\w+\\.py)(?:::(\\w+))?`");

    @ParameterizedTest
    @ValueSource(strings = {"docs/bad-input.md", "docs/guarantees.md", "docs/contract.md"})
    void everyTestThatThePageNamesExists(String page) throws IOException {
        String text = Files.readString(HOME.resolve(page));
        Map<String, String> classes = sources();
        List<String> missing = new ArrayList<>();
        int named = 0;
        for (Matcher test = JAVA.matcher(text); test.find(); named++) {
            String source = classes.get(test.group(1));
            String method = test.group(2);
            if (source == null || method != null && !source.contains(" " + method + "(")) {
                missing.add(test.group());
            }
        }
        for (Matcher test = PYTHON.matcher(text); test.find(); named++) {
            Path file = HOME.resolve("journey").resolve(test.group(1));
            String function = test.group(2);
            if (!Files.exists(file)
                    || function != null && !Files.readString(file).contains("def " + function + "(")) {
                missing.add(test.group());
            }
        }
        assertThat(missing).as("named on %s and not there", page).isEmpty();
        assertThat(named).as("tests named on %s", page).isPositive();
    }

    /** The text of every test class, by its name. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> modules = Files.list(HOME)) {
            for (Path module : modules.toList()) {
                Path tests = module.resolve("src/test/java");
                if (Files.isDirectory(tests)) {
                    read(tests, sources);
                }
            }
        }
        return sources;
    }

    private static void read(Path tests, Map<String, String> sources) throws IOException {
        try (Stream<Path> files = Files.walk(tests)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(file -> {
                try {
                    String name = file.getFileName().toString();
                    sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
