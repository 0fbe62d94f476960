package dev.runcast.api.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Descriptors;
import com.google.protobuf.Duration;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import dev.runcast.api.ApiFixture;
import dev.runcast.api.watch.WatchService;
import dev.runcast.doors.Policy;
import dev.runcast.doors.Role;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.Decision;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.webflux.actuate.endpoint.web.WebFluxEndpointHandlerMapping;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.server.HandlerFunction;
import org.springframework.web.reactive.function.server.RequestPredicate;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerRequest;

/** Every route and every method, with the tokens of two tenants and three roles. */
class TenantsTest {
    private static final String ACME = "the-operator-of-acme";
    private static final String GLOBEX = "the-operator-of-globex";
    private static final String ACME_VIEWER = "the-viewer-of-acme-";
    private static final String ACME_RUNNER = "the-runner-of-acme-";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static WebTestClient http;

    @SuppressWarnings("NullAway.Init")
    private static ManagedChannel channel;

    @BeforeAll
    static void start() throws IOException {
        Path tokens =
                Files.writeString(folder.resolve("tokens"), """
                %s acme   dana   operator
                %s globex robin  operator
                %s acme   vera   viewer
                %s acme   run-er runner
                """.formatted(ACME, GLOBEX, ACME_VIEWER, ACME_RUNNER));
        api = new ApiFixture(tokens);
        http = api.http();
        channel = api.grpc();
        api.log.runs("acme", "run-1");
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @Test
    void everyRouteHasAPolicy() {
        Set<String> mapped = new HashSet<>(routes());
        api.part(WebFluxEndpointHandlerMapping.class)
                .getHandlerMethods()
                .keySet()
                .forEach(mapping -> mapping.getPatternsCondition()
                        .getPatterns()
                        .forEach(pattern -> mapping.getMethodsCondition()
                                .getMethods()
                                .forEach(method -> mapped.add(method + " "
                                        + pattern.getPatternString().replace("/**", "/{*path}")))));
        // Spring maps a list of its endpoints, which has no row and is therefore never reached.
        mapped.remove("GET /actuator");
        assertThat(mapped).hasSizeGreaterThan(15);
        assertThat(HttpPolicy.ROUTES.missing(mapped))
                .as("routes without a policy")
                .isEmpty();
    }

    @Test
    void routerHasNoRouteBesideTheTable() {
        Set<String> visited = new HashSet<>();
        api.part(RouterFunction.class).accept(new Routes(visited));
        List<String> expected = new ArrayList<>();
        for (HttpRoutes.Route route : api.part(HttpRoutes.class).routes()) {
            expected.add(route.pattern());
        }
        assertThat(visited).containsExactlyInAnyOrderElementsOf(new HashSet<>(expected));
    }

    @ParameterizedTest
    @MethodSource("guarded")
    void routeWithoutAGoodTokenIsUnauthenticated(String route) {
        for (String token : new String[] {null, "of-nobody-at-all-"}) {
            call(route, "run-1", token)
                    .expectStatus()
                    .isUnauthorized()
                    .expectHeader()
                    .valueEquals("WWW-Authenticate", "Bearer")
                    .expectBody()
                    .jsonPath("$.details[0].reason")
                    .isEqualTo("UNAUTHENTICATED");
        }
    }

    @ParameterizedTest
    @MethodSource("guarded")
    void roleThatIsNotInTheRowIsDenied(String route) {
        assertThat(call(route, "run-1", ACME_VIEWER)
                                .expectBody()
                                .returnResult()
                                .getStatus()
                                .value()
                        == 403)
                .isEqualTo(!row(route).contains(Role.VIEWER));
        assertThat(call(route, "nobody", ACME_RUNNER)
                                .expectBody()
                                .returnResult()
                                .getStatus()
                                .value()
                        == 403)
                .isEqualTo(!row(route).contains(Role.RUNNER));
    }

    @ParameterizedTest
    @MethodSource("aboutOneExecution")
    void routeToAnotherTenantsExecutionIsAsIfThereWereNone(String route) {
        WebTestClient.ResponseSpec response = call(route, "run-1", GLOBEX);
        int code = response.expectBody().returnResult().getStatus().value();
        assertThat(code).isEqualTo(404);
        int ofNobody = call(route, "nobody", GLOBEX)
                .expectBody()
                .returnResult()
                .getStatus()
                .value();
        assertThat(code).isEqualTo(ofNobody);
    }

    @Test
    void executionThatAnotherTenantBeginsIsNotSeenByWaitingForIt() {
        Iterator<WatchExecutionResponse> own = waiting(ACME, Durations.fromSeconds(20));
        Iterator<WatchExecutionResponse> foreign = waiting(GLOBEX, Durations.fromSeconds(1));
        await().until(() -> api.part(WatchService.class).feeds() == 2);
        api.log.runs("acme", "begins");
        assertThat(own.next().getSnapshot().getExecution().getTenant()).isEqualTo("acme");
        // Others count what there is.
        api.store.remove(new ExecutionKey("acme", "begins")).block();
        assertThat(catchThrowableOfType(StatusRuntimeException.class, foreign::next)
                        .getStatus()
                        .getCode())
                .isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void listHasOnlyTheOwnExecutions() {
        authorized("/v1/executions?filter=agent=planner", ACME)
                .jsonPath("$.executions.length()")
                .isEqualTo(1);
        authorized("/v1/executions?filter=agent=planner", GLOBEX)
                .jsonPath("$.executions.length()")
                .isEqualTo(0);
    }

    @Test
    void cookieCountsForReadingOnly() {
        http.get()
                .uri("/v1/executions/run-1")
                .cookie("runcast_token", ACME)
                .exchange()
                .expectStatus()
                .isOk();
        http.post()
                .uri("/v1/executions/run-1:cancel")
                .cookie("runcast_token", ACME)
                .exchange()
                .expectStatus()
                .isUnauthorized();
    }

    @Test
    void pageAndHealthNeedNoToken() {
        http.get().uri("/").exchange().expectStatus().isOk();
        http.get().uri("/actuator/health").exchange().expectStatus().isOk();
        http.get().uri("/actuator/health/liveness").exchange().expectStatus().isOk();
        http.get().uri("/actuator").exchange().expectStatus().isUnauthorized();
        http.get()
                .uri("/actuator")
                .header("Authorization", "Bearer " + ACME)
                .exchange()
                .expectStatus()
                .isNotFound();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void methodWithoutAGoodTokenIsUnauthenticated(MethodDescriptor<?, ?> method) {
        assertThat(code(method, "run-1", null)).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(code(method, "run-1", "of-nobody-at-all-")).isEqualTo(Status.Code.UNAUTHENTICATED);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void methodOnAnotherTenantsExecutionIsAsIfThereWereNone(MethodDescriptor<?, ?> method) {
        if (method.equals(ExecutionServiceGrpc.getCreateExecutionMethod())) {
            // Names are of the tenant: the one that another has is free here.
            assertThat(code(method, "run-1", ACME)).isEqualTo(Status.Code.ALREADY_EXISTS);
            assertThat(code(method, "of-acme", ACME)).isEqualTo(Status.Code.OK);
            assertThat(code(method, "of-acme", GLOBEX)).isEqualTo(Status.Code.OK);
            return;
        }
        Status.Code code = code(method, "run-1", GLOBEX);
        assertThat(code).isEqualTo(code(method, "nobody", GLOBEX));
        if (method.equals(ExecutionServiceGrpc.getListExecutionsMethod())) {
            assertThat(code).isEqualTo(Status.Code.OK);
        } else {
            assertThat(code).isIn(Status.Code.NOT_FOUND, Status.Code.UNIMPLEMENTED);
        }
        // The run may have been ended or paused by the method before this one.
        assertThat(code(method, "run-1", ACME))
                .isIn(Status.Code.OK, Status.Code.FAILED_PRECONDITION, Status.Code.UNIMPLEMENTED);
    }

    @Test
    void optionsSayWhatTheCallerMay() {
        assertThat(allowed(ACME)).contains("POST");
        assertThat(allowed(ACME_VIEWER)).doesNotContain("POST");
        assertThat(allowed(ACME_RUNNER)).doesNotContain("POST");
    }

    private static String allowed(String token) {
        return Objects.requireNonNull(http.options()
                .uri("/v1/executions/run-1:cancel")
                .cookie("runcast_token", token)
                .exchange()
                .expectStatus()
                .isNoContent()
                .expectBody()
                .returnResult()
                .getResponseHeaders()
                .getFirst("Allow"));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void roleOutsideTheMethodsRowIsDenied(MethodDescriptor<?, ?> method) {
        Set<Role> row = Objects.requireNonNull(Policy.GRPC.row(method.getFullMethodName()));
        assertThat(code(method, "run-1", ACME_VIEWER) == Status.Code.PERMISSION_DENIED)
                .isEqualTo(!row.contains(Role.VIEWER));
        assertThat(code(method, "run-1", ACME_RUNNER) == Status.Code.PERMISSION_DENIED)
                .isEqualTo(!row.contains(Role.RUNNER));
    }

    @Test
    void grpcListHasOnlyTheOwnExecutions() {
        ListExecutionsRequest ofThePlanner =
                ListExecutionsRequest.newBuilder().setFilter("agent = planner").build();
        assertThat(ExecutionServiceGrpc.newBlockingStub(authorized(ACME))
                        .listExecutions(ofThePlanner)
                        .getExecutionsCount())
                .isEqualTo(1);
        assertThat(ExecutionServiceGrpc.newBlockingStub(authorized(GLOBEX))
                        .listExecutions(ofThePlanner)
                        .getExecutionsCount())
                .isZero();
    }

    static List<String> routes() {
        return new HttpRoutes(null, null, null, null)
                .routes().stream().map(HttpRoutes.Route::name).toList();
    }

    static Stream<String> guarded() {
        return routes().stream().filter(route -> !HttpPolicy.ROUTES.isOpen(route));
    }

    static Stream<String> aboutOneExecution() {
        return routes().stream().filter(route -> route.contains("{id}"));
    }

    static Stream<MethodDescriptor<?, ?>> methods() {
        return ExecutionServiceGrpc.getServiceDescriptor().getMethods().stream().map(method -> method);
    }

    private static Set<Role> row(String route) {
        return Objects.requireNonNull(HttpPolicy.ROUTES.row(route));
    }

    private static WebTestClient.ResponseSpec call(String route, String id, @Nullable String token) {
        String[] parts = route.split(" ");
        // A watch that would begin is only looked at.
        boolean begins = parts[1].endsWith("{id}:watch") && id.equals("run-1") && ACME_VIEWER.equals(token);
        WebTestClient.RequestBodySpec request = http.method(begins ? HttpMethod.HEAD : HttpMethod.valueOf(parts[0]))
                .uri(parts[1].replace("{id}", id).replace("{approval}", "a1"));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (parts[0].equals("POST")) {
            request.contentType(MediaType.APPLICATION_JSON)
                    .bodyValue(
                            route.endsWith(":decide") ? "{\"decided\": {\"decision\": \"DECISION_APPROVE\"}}" : "{}");
        }
        return request.exchange();
    }

    private static WebTestClient.BodyContentSpec authorized(String path, String token) {
        return http.get()
                .uri(path)
                .header("Authorization", "Bearer " + token)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody();
    }

    private static Iterator<WatchExecutionResponse> waiting(String token, Duration within) {
        return ExecutionServiceGrpc.newBlockingStub(authorized(token))
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .watchExecution(WatchExecutionRequest.newBuilder()
                        .setExecutionId("begins")
                        .setBeginWithin(within)
                        .build());
    }

    private static Channel authorized(@Nullable String token) {
        Metadata headers = new Metadata();
        if (token != null) {
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        }
        return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** What a request has to have besides the execution. */
    private static Optional<Message> wanted(MethodDescriptor<?, ?> method) {
        if (method.equals(ExecutionServiceGrpc.getCreateExecutionMethod())) {
            return Optional.of(CreateExecutionRequest.newBuilder()
                    .setSpec(ExecutionSpec.newBuilder().setAgent("writer"))
                    .build());
        }
        if (method.equals(ExecutionServiceGrpc.getDecideApprovalMethod())) {
            return Optional.of(DecideApprovalRequest.newBuilder()
                    .setDecided(ApprovalDecided.newBuilder().setEntryId("a1").setDecision(Decision.DECISION_APPROVE))
                    .build());
        }
        return Optional.empty();
    }

    /** What becomes of a call whose request names an execution; a stream is read to its first frame. */
    private static Status.Code code(MethodDescriptor<?, ?> method, String executionId, @Nullable String token) {
        Descriptors.MethodDescriptor schema = ((ProtoMethodDescriptorSupplier)
                        Objects.requireNonNull(method.getSchemaDescriptor()))
                .getMethodDescriptor();
        DynamicMessage.Builder request = DynamicMessage.newBuilder(schema.getInputType());
        Descriptors.FieldDescriptor id = schema.getInputType().findFieldByName("execution_id");
        if (id != null) {
            request.setField(id, executionId);
        }
        wanted(method).ifPresent(request::mergeFrom);
        MethodDescriptor<DynamicMessage, DynamicMessage> called =
                MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                        .setType(method.getType())
                        .setFullMethodName(method.getFullMethodName())
                        .setRequestMarshaller(
                                ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(schema.getInputType())))
                        .setResponseMarshaller(
                                ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(schema.getOutputType())))
                        .build();
        StatusRuntimeException failure =
                catchThrowableOfType(StatusRuntimeException.class, () -> ClientCalls.blockingServerStreamingCall(
                                authorized(token), called, CallOptions.DEFAULT, request.build())
                        .next());
        return failure == null ? Status.Code.OK : failure.getStatus().getCode();
    }

    /** Collects the patterns of a router. */
    private record Routes(Set<String> patterns) implements RouterFunctions.Visitor {
        @Override
        public void startNested(RequestPredicate predicate) {
            throw new AssertionError("nested routes are not in the table");
        }

        @Override
        public void endNested(RequestPredicate predicate) {}

        @Override
        public void route(RequestPredicate predicate, HandlerFunction<?> handler) {
            String text = predicate.toString();
            patterns.add(text.substring(text.lastIndexOf("&& ") + 3).replaceAll("\\)+$", ""));
        }

        @Override
        public void resources(
                java.util.function.Function<
                                ServerRequest, reactor.core.publisher.Mono<org.springframework.core.io.Resource>>
                        lookup) {
            throw new AssertionError("resources are not in the table");
        }

        @Override
        public void attributes(java.util.Map<String, Object> attributes) {}

        @Override
        public void unknown(RouterFunction<?> routerFunction) {
            throw new AssertionError("unknown routes are not in the table");
        }
    }
}
