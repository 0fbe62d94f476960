package dev.runcast.api.door;

import com.google.rpc.Status;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import java.nio.charset.StandardCharsets;
import org.springframework.core.Ordered;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebExceptionHandler;
import reactor.core.publisher.Mono;

/** Says every failure of the HTTP door as {@code google.rpc.Status} in JSON, with the HTTP code that belongs to it. */
public final class HttpFailures implements WebExceptionHandler, Ordered {
    /** Before Spring Boot's own page of errors. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> handle(ServerWebExchange exchange, Throwable failure) {
        ServerHttpResponse response = exchange.getResponse();
        if (response.isCommitted()) {
            return Mono.error(failure);
        }
        Throwable known = failure instanceof ResponseStatusException spring ? translated(spring) : failure;
        Status status = Failures.status(known);
        int code = isWrongMethod(exchange, known) ? 405 : Failures.httpCode(status);
        response.setStatusCode(HttpStatusCode.valueOf(code));
        response.getHeaders().setContentType(MediaType.APPLICATION_JSON);
        response.getHeaders().setCacheControl("no-store");
        if (code == 401) {
            response.getHeaders().set(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
        }
        if (code == 503 || code == 429) {
            response.getHeaders().set(HttpHeaders.RETRY_AFTER, "1");
        }
        DataBuffer body = response.bufferFactory().wrap(Failures.json(status).getBytes(StandardCharsets.UTF_8));
        return response.writeWith(Mono.just(body));
    }

    private static boolean isWrongMethod(ServerWebExchange exchange, Throwable failure) {
        return failure instanceof DoorException said
                && said.reason() == Reason.UNIMPLEMENTED
                && exchange.getResponse().getHeaders().containsHeader(HttpHeaders.ALLOW);
    }

    /** What Spring itself refuses: an address or a header that it cannot read. */
    private static Throwable translated(ResponseStatusException failure) {
        if (failure.getStatusCode().value() == 404) {
            return Failures.of(Reason.NOT_FOUND, "nothing here");
        }
        return failure.getStatusCode().is4xxClientError()
                ? Failures.of(Reason.INVALID, String.valueOf(failure.getReason()))
                : failure;
    }
}
