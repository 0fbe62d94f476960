package dev.runcast.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * With which tokens the stack's own agents report: for each tenant of a token file the first that is a runner's, else the
 * first that is an operator's. One that is written as a digest cannot be used, since nobody here knows it.
 */
final class AgentTokens {
    private AgentTokens() {}

    /** @throws StackException when the file cannot be read */
    static Map<String, String> of(Path file) {
        Map<String, String> runners = new LinkedHashMap<>();
        Map<String, String> tokens = new LinkedHashMap<>();
        try {
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                String[] words = line.strip().split("\\s+");
                // Lines that are wrong the doors refuse, with their number.
                if (words.length == 4 && !words[0].startsWith("#") && !words[0].startsWith("sha256:")) {
                    switch (words[3].toLowerCase(Locale.ROOT)) {
                        case "runner" -> runners.putIfAbsent(words[1], words[0]);
                        case "operator" -> tokens.putIfAbsent(words[1], words[0]);
                        default -> {}
                    }
                }
            }
        } catch (IOException e) {
            throw new StackException("--tokens: " + file + " cannot be read: " + e, e);
        }
        tokens.putAll(runners);
        return tokens;
    }
}
