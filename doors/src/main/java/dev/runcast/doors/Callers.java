package dev.runcast.doors;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells who is calling. With a token file every caller shows a bearer token (RFC 6750); without one everybody is
 * {@link Principal#LOCAL}, and only loopback is served. Thread-safe.
 */
public final class Callers {
    private static final String SCHEME = "bearer ";

    private final @Nullable TokenFile tokens;

    private Callers(@Nullable TokenFile tokens) {
        this.tokens = tokens;
    }

    /** Everybody on this machine, nobody else. */
    public static Callers loopbackOnly() {
        return new Callers(null);
    }

    /** Whoever shows a token of the file. */
    public static Callers with(TokenFile tokens) {
        return new Callers(tokens);
    }

    /**
     * The callers of a door that is about to listen.
     *
     * @param tokenFile null when there is none
     * @param bind the address the door will listen on
     * @throws IllegalArgumentException when the token file cannot be read or has a wrong line, or when there is none and
     *     the address is not a loopback address
     */
    public static Callers configured(@Nullable Path tokenFile, InetAddress bind, InstantSource clock) {
        if (tokenFile == null) {
            if (!bind.isLoopbackAddress()) {
                throw new IllegalArgumentException(
                        "address: %s without a token file (expected: a loopback address, or a token file)"
                                .formatted(bind.getHostAddress()));
            }
            return loopbackOnly();
        }
        try {
            return with(TokenFile.read(tokenFile, clock));
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "token file: %s cannot be read: %s (expected: lines of \"token tenant name role\")"
                            .formatted(tokenFile, e),
                    e);
        }
    }

    /** Whether callers show tokens; if not, everybody on this machine is {@link Principal#LOCAL}. */
    public boolean requireTokens() {
        return tokens != null;
    }

    /**
     * Who is calling.
     *
     * @param authorization the {@code authorization} header; null when there is none
     * @param peer where the call comes from; null or not an internet address means from inside this process
     * @throws DoorException UNAUTHENTICATED without a good token, LOOPBACK_ONLY without a token file from elsewhere
     */
    public Principal identify(@Nullable String authorization, @Nullable SocketAddress peer) {
        if (tokens == null) {
            if (peer instanceof InetSocketAddress internet && !isLoopback(internet)) {
                throw Failures.of(
                        Reason.LOOPBACK_ONLY,
                        "peer: %s (expected: a loopback address, since there is no token file)"
                                .formatted(internet.getAddress()));
            }
            return Principal.LOCAL;
        }
        if (authorization == null) {
            throw Failures.of(Reason.UNAUTHENTICATED, "authorization: absent (expected: Bearer and a token)");
        }
        if (!authorization.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
            throw Failures.of(Reason.UNAUTHENTICATED, "authorization: another scheme (expected: Bearer and a token)");
        }
        Principal principal =
                tokens.principal(authorization.substring(SCHEME.length()).strip());
        if (principal == null) {
            throw Failures.of(Reason.UNAUTHENTICATED, "authorization: unknown token (expected: one of the token file)");
        }
        return principal;
    }

    private static boolean isLoopback(InetSocketAddress peer) {
        return peer.getAddress() != null && peer.getAddress().isLoopbackAddress();
    }
}
