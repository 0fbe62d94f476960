package dev.runcast.api.door;

import com.google.protobuf.MessageOrBuilder;
import dev.runcast.api.control.ExecutionControl;
import dev.runcast.api.control.ExecutionCreation;
import dev.runcast.api.read.ExecutionReader;
import dev.runcast.api.read.Json;
import dev.runcast.api.watch.WatchService;
import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Principal;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.GetExecutionResponse;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.ListRejectedUpdatesRequest;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.RecoverExecutionRequest;
import dev.runcast.v1.ResumeExecutionRequest;
import dev.runcast.v1.WatchExecutionRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.server.HandlerFunction;
import org.springframework.web.reactive.function.server.RequestPredicates;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;
import org.springframework.web.reactive.function.server.ServerResponse;
import reactor.core.publisher.Mono;

/**
 * The routes of the HTTP door: each reads its parameters into the contract's request and answers with ProtoJSON. Who may
 * call them stands in {@link HttpPolicy} and is checked by {@link PrincipalFilter}.
 */
public final class HttpRoutes {
    private static final MediaType JSON = MediaType.APPLICATION_JSON;
    private static final Set<String> PAGING = Set.of("page_size", "page_token");
    private static final LivePage PAGE = LivePage.load();

    /** One route. */
    record Route(HttpMethod method, String pattern, HandlerFunction<ServerResponse> handler) {
        /** Its name in {@link HttpPolicy}. */
        String name() {
            return method + " " + pattern;
        }
    }

    private final ExecutionReader reader;
    private final WatchService watches;
    private final ExecutionCreation creation;
    private final ExecutionControl control;
    private final List<Route> routes;

    /** Answers from these. */
    public HttpRoutes(
            ExecutionReader reader, WatchService watches, ExecutionCreation creation, ExecutionControl control) {
        this.reader = reader;
        this.watches = watches;
        this.creation = creation;
        this.control = control;
        // The first that fits counts: what has a verb stands before what would take the verb for a part of the id.
        this.routes = List.of(
                new Route(HttpMethod.GET, "/", this::page),
                new Route(HttpMethod.GET, "/v1/executions", this::list),
                new Route(HttpMethod.POST, "/v1/executions", this::create),
                new Route(HttpMethod.GET, "/v1/executions:watch", request -> notServed("WatchExecutions")),
                new Route(HttpMethod.GET, "/v1/executions/{id}:watch", this::watch),
                new Route(HttpMethod.POST, "/v1/executions/{id}:cancel", this::cancel),
                new Route(HttpMethod.POST, "/v1/executions/{id}:pause", this::pause),
                new Route(HttpMethod.POST, "/v1/executions/{id}:resume", this::resume),
                new Route(HttpMethod.POST, "/v1/executions/{id}:recover", this::recover),
                new Route(HttpMethod.GET, "/v1/executions/{id}", this::get),
                new Route(HttpMethod.GET, "/v1/executions/{id}/entries", this::entries),
                new Route(HttpMethod.GET, "/v1/executions/{id}/changes", this::changes),
                new Route(HttpMethod.GET, "/v1/executions/{id}/rejected", this::rejected),
                new Route(HttpMethod.POST, "/v1/executions/{id}/approvals/{approval}:decide", this::decide));
    }

    /** All routes, in the order in which they are tried. */
    List<Route> routes() {
        return routes;
    }

    /** The routes as Spring takes them. */
    public RouterFunction<ServerResponse> router() {
        RouterFunctions.Builder router = RouterFunctions.route();
        for (Route route : routes) {
            router.route(
                    RequestPredicates.method(route.method())
                            .or(RequestPredicates.method(
                                    route.method().equals(HttpMethod.GET) ? HttpMethod.HEAD : route.method()))
                            .and(RequestPredicates.path(route.pattern())),
                    request -> Mono.defer(() -> route.handler().handle(request)));
        }
        return router.build();
    }

    /** Whatever its query is: links are given words of their own on the way, and the page reads none. */
    private Mono<ServerResponse> page(ServerRequest request) {
        return ServerResponse.ok()
                .contentType(new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8))
                .header("Content-Security-Policy", PAGE.contentSecurityPolicy())
                .header("Referrer-Policy", "no-referrer")
                .cacheControl(CacheControl.noCache())
                .bodyValue(PAGE.html());
    }

    private Mono<ServerResponse> list(ServerRequest request) {
        Parameters parameters = Parameters.of(request.queryParams(), Set.of("page_size", "page_token", "filter"));
        return json(reader.list(
                tenant(request),
                ListExecutionsRequest.newBuilder()
                        .setPageSize(parameters.integer("page_size"))
                        .setPageToken(parameters.text("page_token"))
                        .setFilter(parameters.text("filter"))
                        .build()));
    }

    private Mono<ServerResponse> get(ServerRequest request) {
        Parameters parameters = Parameters.of(request.queryParams(), Set.of("at_version"));
        return json(reader.get(
                        tenant(request),
                        GetExecutionRequest.newBuilder()
                                .setExecutionId(request.pathVariable("id"))
                                .setAtVersion(parameters.number("at_version"))
                                .build())
                .map(GetExecutionResponse::getExecution));
    }

    private Mono<ServerResponse> entries(ServerRequest request) {
        Parameters parameters = Parameters.of(request.queryParams(), Set.of("page_size", "page_token", "at_version"));
        return json(reader.entries(
                tenant(request),
                ListEntriesRequest.newBuilder()
                        .setExecutionId(request.pathVariable("id"))
                        .setPageSize(parameters.integer("page_size"))
                        .setPageToken(parameters.text("page_token"))
                        .setAtVersion(parameters.number("at_version"))
                        .build()));
    }

    private Mono<ServerResponse> changes(ServerRequest request) {
        Parameters parameters =
                Parameters.of(request.queryParams(), Set.of("page_size", "page_token", "after_version"));
        return json(reader.changes(
                tenant(request),
                ListChangesRequest.newBuilder()
                        .setExecutionId(request.pathVariable("id"))
                        .setAfterVersion(parameters.number("after_version"))
                        .setPageSize(parameters.integer("page_size"))
                        .setPageToken(parameters.text("page_token"))
                        .build()));
    }

    private Mono<ServerResponse> rejected(ServerRequest request) {
        Parameters parameters = Parameters.of(request.queryParams(), PAGING);
        return json(reader.rejected(
                tenant(request),
                ListRejectedUpdatesRequest.newBuilder()
                        .setExecutionId(request.pathVariable("id"))
                        .setPageSize(parameters.integer("page_size"))
                        .setPageToken(parameters.text("page_token"))
                        .build()));
    }

    private Mono<ServerResponse> watch(ServerRequest request) {
        Parameters parameters = Parameters.of(request.queryParams(), Set.of("cursor", "begin_within"));
        // A browser that comes back by itself repeats the address it began with: its header is newer.
        String last = request.headers().firstHeader("Last-Event-ID");
        WatchExecutionRequest wanted = WatchExecutionRequest.newBuilder()
                .setExecutionId(request.pathVariable("id"))
                .setCursor(last == null || last.isEmpty() ? parameters.text("cursor") : last)
                .setBeginWithin(parameters.duration("begin_within"))
                .build();
        Contract.check(wanted);
        return watches.open(
                        new ExecutionKey(tenant(request), wanted.getExecutionId()),
                        wanted.getCursor(),
                        ExecutionDoor.beginWithin(wanted))
                .flatMap(watch -> {
                    if (watch.atEnd()) {
                        // EventSource takes this, and only this, as "do not come back".
                        return ServerResponse.noContent().build();
                    }
                    ServerResponse.BodyBuilder response = ServerResponse.ok()
                            .contentType(MediaType.TEXT_EVENT_STREAM)
                            .cacheControl(CacheControl.noStore())
                            .header("X-Accel-Buffering", "no");
                    return request.method().equals(HttpMethod.HEAD)
                            ? response.build()
                            : response.body((out, context) -> EventWriter.write(watch.frames(), out));
                });
    }

    private Mono<ServerResponse> create(ServerRequest request) {
        return json(JsonBody.of(request, CreateExecutionRequest.newBuilder())
                .flatMap(asked -> creation.create(principal(request), asked.build())));
    }

    private Mono<ServerResponse> cancel(ServerRequest request) {
        return json(JsonBody.about(request, CancelExecutionRequest.newBuilder())
                .flatMap(asked -> control.cancel(principal(request), asked.build())));
    }

    private Mono<ServerResponse> pause(ServerRequest request) {
        return json(JsonBody.about(request, PauseExecutionRequest.newBuilder())
                .flatMap(asked -> control.pause(principal(request), asked.build())));
    }

    private Mono<ServerResponse> resume(ServerRequest request) {
        return json(JsonBody.about(request, ResumeExecutionRequest.newBuilder())
                .flatMap(asked -> control.resume(principal(request), asked.build())));
    }

    private Mono<ServerResponse> recover(ServerRequest request) {
        return json(JsonBody.about(request, RecoverExecutionRequest.newBuilder())
                .flatMap(asked -> control.recover(principal(request), asked.build())));
    }

    private Mono<ServerResponse> decide(ServerRequest request) {
        return json(JsonBody.about(request, DecideApprovalRequest.newBuilder()).flatMap(asked -> {
            JsonBody.name(asked.getDecidedBuilder(), "entry_id", request.pathVariable("approval"));
            return control.decide(principal(request), asked.build());
        }));
    }

    private static Mono<ServerResponse> notServed(String method) {
        DoorException failure = ExecutionDoor.notServed(method);
        return Mono.error(failure);
    }

    private static Mono<ServerResponse> json(Mono<? extends MessageOrBuilder> answer) {
        return answer.flatMap(message -> ServerResponse.ok()
                .contentType(JSON)
                .cacheControl(CacheControl.noStore())
                .bodyValue(Json.line(message).getBytes(StandardCharsets.UTF_8)));
    }

    private static String tenant(ServerRequest request) {
        return principal(request).tenant();
    }

    private static Principal principal(ServerRequest request) {
        return PrincipalFilter.principal(request.exchange());
    }
}
