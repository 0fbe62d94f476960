package dev.runcast.api.door;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The live page: one file without anything from elsewhere, and the policy (CSP 3) that lets a browser run exactly its
 * script and its style, and nothing that a run could have smuggled in. Immutable.
 */
final class LivePage {
    private static final String RESOURCE = "/page/live.html";

    private final byte[] html;
    private final String contentSecurityPolicy;

    private LivePage(byte[] html) {
        String text = new String(html, StandardCharsets.UTF_8);
        this.html = html;
        this.contentSecurityPolicy =
                "default-src 'none'; script-src %s; style-src %s; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
                        .formatted(hashOf(text, "script"), hashOf(text, "style"));
    }

    static LivePage load() {
        try (InputStream resource = LivePage.class.getResourceAsStream(RESOURCE)) {
            if (resource == null) {
                throw new IllegalStateException("%s is not in the jar".formatted(RESOURCE));
            }
            return new LivePage(resource.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] html() {
        return html;
    }

    String contentSecurityPolicy() {
        return contentSecurityPolicy;
    }

    /** The hash of the one element of this name, as the policy names it. */
    private static String hashOf(String html, String element) {
        String open = '<' + element + '>';
        int start = html.indexOf(open) + open.length();
        String content = html.substring(start, html.indexOf("</" + element + '>', start));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(digest) + '\'';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
