package dev.runcast.doors;

import io.grpc.Context;
import java.util.regex.Pattern;

/**
 * Who is calling, as the credentials say. The tenant of everything a caller reads or writes comes from here and never
 * from a message.
 *
 * @param tenant an id: 1 to 64 letters, digits, {@code _} and {@code -}, the first a letter or digit
 * @param name what the caller is called in histories: 1 to 128 characters without white space
 * @param role what it may do
 */
public record Principal(String tenant, String name, Role role) {
    private static final Context.Key<Principal> CURRENT = Context.key("dev.runcast.principal");
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");
    private static final Pattern NAME = Pattern.compile("\\S{1,128}");

    /** Who everybody is where there is no token file: then only loopback is served. */
    public static final Principal LOCAL = new Principal("default", "local", Role.OPERATOR);

    /** @throws IllegalArgumentException when the tenant is not an id or the name does not fit */
    public Principal {
        if (!ID.matcher(tenant).matches()) {
            throw new IllegalArgumentException(
                    "tenant: \"%s\" (expected: 1 to 64 letters, digits, _ and -, the first a letter or digit)"
                            .formatted(tenant));
        }
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "name: \"%s\" (expected: 1 to 128 characters without white space)".formatted(name));
        }
    }

    /**
     * The caller of the gRPC method that runs in the current context.
     *
     * @throws IllegalStateException outside a call that {@link PrincipalInterceptor} let through
     */
    public static Principal current() {
        Principal principal = CURRENT.get();
        if (principal == null) {
            throw new IllegalStateException(
                    "no principal in this context (expected: a call behind PrincipalInterceptor)");
        }
        return principal;
    }

    /** The context in which this principal is {@link #current()}. */
    Context in(Context context) {
        return context.withValue(CURRENT, this);
    }
}
