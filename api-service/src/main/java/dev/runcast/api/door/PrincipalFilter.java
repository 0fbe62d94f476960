package dev.runcast.api.door;

import dev.runcast.doors.Callers;
import dev.runcast.doors.Failures;
import dev.runcast.doors.MetadataLimit;
import dev.runcast.doors.Policy;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.PathContainer;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import org.springframework.web.util.UriUtils;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;
import reactor.core.publisher.Mono;

/**
 * Lets an HTTP request in when its caller may make it. What has no row in the policy is not reached, whatever else may
 * be mapped to it.
 *
 * <p>The token comes in the {@code Authorization} header or, since a browser's EventSource can set none, in the cookie
 * {@code runcast_token}, which the page sets when it has asked for a token. The cookie counts for reading only, so that
 * another site cannot make a browser ask for anything; the page itself asks with the header. See {@link CrossSite} for
 * where there are no tokens.
 */
public final class PrincipalFilter implements WebFilter, Ordered {
    /** The cookie that holds a token. */
    public static final String COOKIE = "runcast_token";

    private static final String PRINCIPAL = PrincipalFilter.class.getName() + ".principal";
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

    private record Row(HttpMethod method, PathPattern pattern, String name) {}

    private final Callers callers;
    private final Policy policy;
    private final List<Row> rows;

    /** Asks {@code callers} who it is and {@link HttpPolicy} whether it may call one of {@code routes}. */
    public PrincipalFilter(Callers callers, HttpRoutes routes) {
        this.callers = callers;
        this.policy = HttpPolicy.ROUTES;
        List<String> names = new ArrayList<>();
        routes.routes().forEach(route -> names.add(route.name()));
        names.addAll(HttpPolicy.ACTUATOR);
        this.rows = names.stream().map(PrincipalFilter::row).toList();
    }

    private static Row row(String name) {
        int blank = name.indexOf(' ');
        return new Row(
                HttpMethod.valueOf(name.substring(0, blank)),
                PathPatternParser.defaultInstance.parse(name.substring(blank + 1)),
                name);
    }

    /** The caller of a request that was let in. */
    static Principal principal(ServerWebExchange exchange) {
        return exchange.getRequiredAttribute(PRINCIPAL);
    }

    /** Before everything else. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 100;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return Mono.defer(() -> {
            exchange.getResponse().getHeaders().set("X-Content-Type-Options", "nosniff");
            return letIn(exchange)
                    ? chain.filter(exchange)
                    : exchange.getResponse().setComplete();
        });
    }

    /** Whether somebody further in answers; false when the answer has been made here. */
    private boolean letIn(ServerWebExchange exchange) {
        ServerHttpRequest request = exchange.getRequest();
        requireSmallHeaders(request.getHeaders());
        requireOurName(request);
        HttpMethod method = request.getMethod().equals(HttpMethod.HEAD) ? HttpMethod.GET : request.getMethod();
        PathContainer path = request.getPath().pathWithinApplication();
        List<Row> fitting =
                rows.stream().filter(row -> row.pattern().matches(path)).toList();
        Row row = fitting.stream()
                .filter(candidate -> candidate.method().equals(method))
                .findFirst()
                .orElse(null);
        if (row == null || !policy.isOpen(row.name()) || !callers.requireTokens()) {
            Principal principal = callers.identify(authorization(request), request.getRemoteAddress());
            if (row != null) {
                policy.check(row.name(), principal);
            }
            exchange.getAttributes().put(PRINCIPAL, principal);
        }
        if (row != null) {
            CrossSite.refuse(request);
            return true;
        }
        if (fitting.isEmpty()) {
            throw Failures.value(Reason.NOT_FOUND, "path", request.getPath().value(), "a path of this service");
        }
        allow(exchange, fitting);
        return false;
    }

    /** Says what this caller may do here, so that a page offers nobody what would be denied. */
    private void allow(ServerWebExchange exchange, List<Row> fitting) {
        Principal principal = principal(exchange);
        TreeSet<String> methods = new TreeSet<>(List.of("OPTIONS"));
        for (Row row : fitting) {
            if (!policy.permits(row.name(), principal)) {
                continue;
            }
            methods.add(row.method().name());
            if (row.method().equals(HttpMethod.GET)) {
                methods.add("HEAD");
            }
        }
        exchange.getResponse().getHeaders().set(HttpHeaders.ALLOW, String.join(", ", methods));
        if (!exchange.getRequest().getMethod().equals(HttpMethod.OPTIONS)) {
            throw Failures.value(
                    Reason.UNIMPLEMENTED,
                    "method",
                    exchange.getRequest().getMethod().name(),
                    "one of " + String.join(", ", methods));
        }
        exchange.getResponse().setStatusCode(HttpStatus.NO_CONTENT);
    }

    /**
     * Without tokens whoever reaches loopback is let in, so a page from elsewhere must not be able to pass for one of
     * ours by giving its own name our address (DNS rebinding).
     */
    private void requireOurName(ServerHttpRequest request) {
        if (callers.requireTokens()) {
            return;
        }
        String host = request.getHeaders().getFirst(HttpHeaders.HOST);
        if (host == null) {
            return;
        }
        String name = host.replaceFirst(":\\d+$", "").toLowerCase(Locale.ROOT);
        if (!LOOPBACK_NAMES.contains(name)) {
            throw Failures.value(
                    Reason.LOOPBACK_ONLY, "host", host, "localhost, 127.0.0.1 or [::1], since there is no token file");
        }
    }

    private static void requireSmallHeaders(HttpHeaders headers) {
        long bytes = headers.headerSet().stream()
                .flatMapToLong(header ->
                        header.getValue().stream().mapToLong(value -> MetadataLimit.size(header.getKey(), value)))
                .sum();
        if (bytes > MetadataLimit.MAX_BYTES) {
            throw MetadataLimit.tooLarge("headers", bytes);
        }
    }

    private static @Nullable String authorization(ServerHttpRequest request) {
        String header = request.getHeaders().getFirst(HttpHeaders.AUTHORIZATION);
        if (header != null) {
            return header;
        }
        boolean reads = request.getMethod().equals(HttpMethod.GET)
                || request.getMethod().equals(HttpMethod.HEAD)
                || request.getMethod().equals(HttpMethod.OPTIONS);
        HttpCookie cookie = reads ? request.getCookies().getFirst(COOKIE) : null;
        return cookie == null ? null : "Bearer " + decoded(cookie.getValue());
    }

    /** A token may have characters that a cookie may not: the page writes them as in an address. */
    private static String decoded(String value) {
        try {
            return UriUtils.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            // Not encoded, so not ours; an unknown token like any other.
            return value;
        }
    }
}
