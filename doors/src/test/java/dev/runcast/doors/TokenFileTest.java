package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenFileTest {
    private static final String TOKEN = "a-token-of-acme-1";

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("tokens");
    }

    @Test
    void linesGiveTokensAndCommentsAreSkipped() throws IOException {
        TokenFile tokens =
                read("# who may\n\n  " + TOKEN + "\tacme  planner-1 runner\nanother-token-0002 globex dana OPERATOR\n");
        assertThat(tokens.size()).isEqualTo(2);
        assertThat(tokens.principal(TOKEN)).isEqualTo(new Principal("acme", "planner-1", Role.RUNNER));
        assertThat(tokens.principal("another-token-0002")).isEqualTo(new Principal("globex", "dana", Role.OPERATOR));
        assertThat(tokens.principal("another-token-0003")).isNull();
    }

    @Test
    void digestInTheFileMatchesTheTokenItself() throws IOException {
        String digest = "sha256:" + "0123456789abcdef".repeat(4);
        TokenFile tokens = read(digest + " acme dana viewer\n");
        assertThat(tokens.principal("0123456789abcdef".repeat(4))).isNull();
        Files.writeString(file, sha256(TOKEN) + " acme dana viewer\n");
        Files.setLastModifiedTime(file, FileTime.from(now.get().plusSeconds(60)));
        now.set(now.get().plusSeconds(2));
        assertThat(tokens.principal(TOKEN)).isEqualTo(new Principal("acme", "dana", Role.VIEWER));
    }

    @Test
    void changedFileIsReadAgainAfterASecond() throws IOException {
        TokenFile tokens = read(TOKEN + " acme dana viewer\n");
        Files.writeString(file, "quite-another-token acme dana viewer\n");
        assertThat(tokens.principal(TOKEN)).isNotNull();
        now.set(now.get().plusSeconds(1));
        assertThat(tokens.principal(TOKEN)).isNull();
        assertThat(tokens.principal("quite-another-token")).isNotNull();
    }

    @Test
    void fileThatBecameWrongOrVanishedLeavesTheTokensAsTheyWere() throws IOException {
        TokenFile tokens = read(TOKEN + " acme dana viewer\n");
        Files.writeString(file, "nonsense\n");
        now.set(now.get().plusSeconds(1));
        assertThat(tokens.principal(TOKEN)).isNotNull();
        Files.delete(file);
        now.set(now.get().plusSeconds(1));
        assertThat(tokens.principal(TOKEN)).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a-token-of-acme-1 acme dana          | :2: 3 words (expected: 4, "token tenant name role")
            a-token-of-acme-1 acme dana king     | :2: role: "king" (expected: runner, viewer or operator)
            a-token-of-acme-1 a/b dana viewer    | :2: tenant: "a/b" (expected: 1 to 64 letters
            short acme dana viewer               | :2: token: 5 characters (expected: 16 to 512 visible ASCII characters)
            sha256:12 acme dana viewer           | :2: token: sha256: and 2 characters (expected: 64 hexadecimal digits)
            the-token-that-was acme dana viewer  | :2: token: given before (expected: each token once)
            """)
    void wrongLineIsNamedByItsNumber(String line, String message) {
        assertThatThrownBy(() -> read("the-token-that-was acme dana viewer\n" + line + "\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message.strip());
    }

    @Test
    void messageOfAWrongLineDoesNotShowTheToken() {
        assertThatThrownBy(() -> read(TOKEN + " acme\n")).message().doesNotContain(TOKEN);
        assertThatThrownBy(() -> read(TOKEN + " acme dana king\n")).message().doesNotContain(TOKEN);
    }

    @Test
    void fileWithoutATokenIsRefused() {
        assertThatThrownBy(() -> read("# nobody\n")).hasMessageContaining("no token (expected: lines of");
    }

    private TokenFile read(String content) throws IOException {
        Files.writeString(file, content);
        Files.setLastModifiedTime(file, FileTime.from(now.get()));
        return TokenFile.read(file, now::get);
    }

    private static String sha256(String token) {
        try {
            return "sha256:"
                    + java.util.HexFormat.of()
                            .formatHex(java.security.MessageDigest.getInstance("SHA-256")
                                    .digest(token.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
