package dev.runcast.doors;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bearer tokens and whose they are, from a UTF-8 text file with one token a line:
 *
 * <pre>
 * # token                      tenant   name        role
 * 9f2c51b7d0e84a6f             acme     planner-1   runner
 * sha256:3a6eb0790f39ac87c9…   acme     dana        operator
 * </pre>
 *
 * Four words separated by white space; empty lines and lines that begin with {@code #} are skipped. A token is written
 * as it is (16 to 512 visible ASCII characters) or, so that the file gives nothing away, as {@code sha256:} and the 64
 * hexadecimal digits of its SHA-256. Roles are {@code runner}, {@code viewer} and {@code operator}.
 *
 * <p>The file is read again when it has changed, which is looked for at most once a second. A file that has become
 * unreadable or wrong changes nothing: the tokens read last go on to count, and the log says what is wrong.
 *
 * <p>Thread-safe.
 */
public final class TokenFile {
    // Only digests are kept and looked up, so neither a heap dump nor the time a lookup takes tells anything of a
    // token: to steer which digest a guess is compared with, one would have to find preimages of SHA-256.
    private static final Logger log = LoggerFactory.getLogger(TokenFile.class);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{16,512}");
    private static final Pattern DIGEST = Pattern.compile("[0-9a-fA-F]{64}");
    private static final String DIGEST_PREFIX = "sha256:";

    private final Path path;
    private final InstantSource clock;
    private volatile Content content;
    private volatile Instant lookAgainAt;

    private TokenFile(Path path, InstantSource clock, Content content) {
        this.path = path;
        this.clock = clock;
        this.content = content;
        this.lookAgainAt = clock.instant().plus(LOOK_EVERY);
    }

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException when a line is wrong; the message has its number
     * @throws IOException when the file cannot be read
     */
    public static TokenFile read(Path path, InstantSource clock) throws IOException {
        return new TokenFile(path, clock, Content.read(path));
    }

    /** Whose token it is; null when nobody's. */
    public @Nullable Principal principal(String token) {
        lookAgain();
        return content.byDigest().get(digest(token));
    }

    /** How many tokens there are. */
    public int size() {
        return content.byDigest().size();
    }

    private void lookAgain() {
        Instant now = clock.instant();
        if (now.isBefore(lookAgainAt)) {
            return;
        }
        synchronized (this) {
            if (now.isBefore(lookAgainAt)) {
                return;
            }
            lookAgainAt = now.plus(LOOK_EVERY);
            try {
                if (!Stamp.of(path).equals(content.stamp())) {
                    content = Content.read(path);
                    log.info("token file {} has changed: {} tokens", path, size());
                }
            } catch (IOException | IllegalArgumentException e) {
                log.error("token file {} is not usable, the tokens read last still count: {}", path, e.toString());
            }
        }
    }

    private static String digest(String token) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private record Stamp(FileTime modified, long size) {
        static Stamp of(Path path) throws IOException {
            return new Stamp(Files.getLastModifiedTime(path), Files.size(path));
        }
    }

    private record Content(Map<String, Principal> byDigest, Stamp stamp) {
        static Content read(Path path) throws IOException {
            Stamp stamp = Stamp.of(path);
            List<String> lines = Files.readAllLines(path, StandardCharsets.UTF_8);
            Map<String, Principal> byDigest = new HashMap<>();
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i).strip();
                if (line.isEmpty() || line.startsWith("#")) {
                    continue;
                }
                try {
                    readLine(line, byDigest);
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("%s:%d: %s".formatted(path, i + 1, e.getMessage()), e);
                }
            }
            if (byDigest.isEmpty()) {
                throw new IllegalArgumentException(
                        "%s: no token (expected: lines of \"token tenant name role\")".formatted(path));
            }
            return new Content(Map.copyOf(byDigest), stamp);
        }

        private static void readLine(String line, Map<String, Principal> byDigest) {
            String[] words = line.split("\\s+");
            if (words.length != 4) {
                // Not shown: a word of the line is a secret.
                throw new IllegalArgumentException(
                        "%d words (expected: 4, \"token tenant name role\")".formatted(words.length));
            }
            Principal principal = new Principal(words[1], words[2], role(words[3]));
            if (byDigest.put(digestOf(words[0]), principal) != null) {
                throw new IllegalArgumentException("token: given before (expected: each token once)");
            }
        }

        private static String digestOf(String word) {
            if (word.startsWith(DIGEST_PREFIX)) {
                String digits = word.substring(DIGEST_PREFIX.length());
                if (!DIGEST.matcher(digits).matches()) {
                    throw new IllegalArgumentException(
                            "token: sha256: and %d characters (expected: 64 hexadecimal digits)"
                                    .formatted(digits.length()));
                }
                return digits.toLowerCase(Locale.ROOT);
            }
            if (!TOKEN.matcher(word).matches()) {
                throw new IllegalArgumentException(
                        "token: %d characters (expected: 16 to 512 visible ASCII characters)".formatted(word.length()));
            }
            return digest(word);
        }

        private static Role role(String word) {
            for (Role role : Role.values()) {
                if (role.name().equalsIgnoreCase(word)) {
                    return role;
                }
            }
            throw new IllegalArgumentException("role: \"%s\" (expected: runner, viewer or operator)".formatted(word));
        }
    }
}
