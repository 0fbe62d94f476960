package dev.runcast.store;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.CRC32;

/**
 * Where a list goes on: after the item with these two keys. Opaque to callers, so they may not build on its form, and
 * bound to the query it came from.
 *
 * @param first the key a list is sorted by
 * @param second what tells items of the same first key apart
 */
public record PageToken(long first, String second) {
    private static final String EXPECTED = "the token of the page before, with the same query";

    /** The token as text. */
    public String encode(String query) {
        String text = "%s|%d|%s".formatted(sum(query), first, second);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** @throws InvalidQueryException when the text is not a token of this query */
    public static PageToken decode(String query, String token) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
            String[] parts = text.split("\\|", 3);
            if (parts.length == 3 && parts[0].equals(sum(query))) {
                return new PageToken(Long.parseLong(parts[1]), parts[2]);
            }
        } catch (IllegalArgumentException e) {
            // Not our form: answered below like a token of another query.
        }
        throw new InvalidQueryException("page_token", "\"%s\"".formatted(token), EXPECTED);
    }

    private static String sum(String query) {
        CRC32 sum = new CRC32();
        sum.update(query.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(sum.getValue());
    }
}
