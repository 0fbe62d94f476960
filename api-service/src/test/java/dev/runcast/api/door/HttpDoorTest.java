package dev.runcast.api.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.api.ApiFixture;
import dev.runcast.api.Run;
import dev.runcast.api.watch.WatchService;
import dev.runcast.store.StoreWrite;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

class HttpDoorTest {
    private static final String ARGUMENTS = "{\"city\": \"Zürich\",\n \"tags\":[\"a\\u0001\"]}";
    private static final String RESULT = "<script>alert('x')</script> \"quoted\" \\ 東京 🚆 \u2028";

    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static WebTestClient http;

    @BeforeAll
    static void start() {
        api = new ApiFixture(null);
        http = api.http();
        new Run("default", "run-1")
                .message("m1", "Once upon a time")
                .toolCall("t1", "weather", ARGUMENTS)
                .result("t1", RESULT)
                .phase(Phase.PHASE_COMPLETED)
                .store(api.store, 1);
        new Run("default", "run-2").message("m1", "Still going").store(api.store, 1);
        api.store
                .write(StoreWrite.ofRejected(List.of(RejectedUpdate.newBuilder()
                        .setTenant("default")
                        .setExecutionId("run-1")
                        .setSequence(7)
                        .setCount(1)
                        .setReason(RejectionReason.REJECTION_REASON_FENCED)
                        .setMessage("epoch: 1 (expected: 2 or greater)")
                        .setOffset(12)
                        .build())))
                .block();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @AfterEach
    void storeIsBack() {
        api.store.down(false);
    }

    @Test
    void executionIsTheResourceItself() {
        get("/v1/executions/run-1")
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentType("application/json")
                .expectHeader()
                .valueEquals("Cache-Control", "no-store")
                .expectBody()
                .jsonPath("$.executionId")
                .isEqualTo("run-1")
                .jsonPath("$.tenant")
                .isEqualTo("default")
                .jsonPath("$.version")
                .isEqualTo("5")
                .jsonPath("$.phase")
                .isEqualTo("PHASE_COMPLETED")
                .jsonPath("$.spec.agent")
                .isEqualTo("planner")
                .jsonPath("$.cancelRequested")
                .isEqualTo(false)
                .jsonPath("$.reason")
                .isEqualTo("");
    }

    @Test
    void pastVersionIsBuiltFromTheHistory() {
        get("/v1/executions/run-1?at_version=2")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.version")
                .isEqualTo("2")
                .jsonPath("$.phase")
                .isEqualTo("PHASE_RUNNING")
                .jsonPath("$.executionId")
                .isEqualTo("run-1")
                .jsonPath("$.spec.input")
                .isEqualTo("Plan a trip");
        get("/v1/executions/run-1/entries?atVersion=3")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.entries.length()")
                .isEqualTo(2)
                .jsonPath("$.entries[1].toolCall.arguments")
                .isEqualTo(ARGUMENTS)
                .jsonPath("$.entries[1].toolCall.result")
                .doesNotExist();
    }

    @Test
    void versionThatDoesNotExistYetIsRefused() {
        refused(
                get("/v1/executions/run-1?at_version=6"),
                400,
                "VERSION_AHEAD",
                "at_version: 6 (expected: 0 to 5, the newest)");
    }

    @Test
    void entriesGiveBackEveryTextAsItCame() {
        get("/v1/executions/run-1/entries")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.entries[0].message.text")
                .isEqualTo("Once upon a time")
                .jsonPath("$.entries[0].message.role")
                .isEqualTo("ROLE_AI")
                .jsonPath("$.entries[1].toolCall.name")
                .isEqualTo("weather")
                .jsonPath("$.entries[1].toolCall.arguments")
                .isEqualTo(ARGUMENTS)
                .jsonPath("$.entries[1].toolCall.result")
                .isEqualTo(RESULT)
                .jsonPath("$.nextPageToken")
                .isEqualTo("");
    }

    @Test
    void pagesFollowOneAnother() {
        String token = field(body("/v1/executions/run-1/entries?page_size=1"), "nextPageToken");
        assertThat(token).isNotEmpty();
        get("/v1/executions/run-1/entries?pageSize=1&pageToken=" + token)
                .expectBody()
                .jsonPath("$.entries[0].entryId")
                .isEqualTo("t1")
                .jsonPath("$.nextPageToken")
                .isEqualTo("");
        refused(get("/v1/executions/run-2/entries?page_token=" + token), 400, "INVALID", "page_token: ");
    }

    @Test
    void changesAreTheHistoryWithoutAHole() {
        get("/v1/executions/run-1/changes?after_version=2&page_size=2")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.changes.length()")
                .isEqualTo(2)
                .jsonPath("$.changes[0].version")
                .isEqualTo("3")
                .jsonPath("$.changes[1].firstVersion")
                .isEqualTo("4");
        String token = field(body("/v1/executions/run-1/changes?afterVersion=2&page_size=2"), "nextPageToken");
        get("/v1/executions/run-1/changes?page_token=" + token)
                .expectBody()
                .jsonPath("$.changes[0].version")
                .isEqualTo("5")
                .jsonPath("$.nextPageToken")
                .isEqualTo("");
    }

    @Test
    void rejectedUpdatesAreFound() {
        get("/v1/executions/run-1/rejected")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.rejectedUpdates[0].reason")
                .isEqualTo("REJECTION_REASON_FENCED")
                .jsonPath("$.rejectedUpdates[0].sequence")
                .isEqualTo("7");
        get("/v1/executions/run-2/rejected")
                .expectBody()
                .jsonPath("$.rejectedUpdates")
                .isEmpty();
    }

    @Test
    void executionsAreListedAndFiltered() {
        http.get()
                .uri(uri -> uri.path("/v1/executions")
                        .queryParam("filter", "{filter}")
                        .build("phase = COMPLETED"))
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.executions.length()")
                .isEqualTo(1)
                .jsonPath("$.executions[0].executionId")
                .isEqualTo("run-1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /v1/executions?pagesize=1                  | pagesize: unknown parameter (expected: one of filter, page_size, page_token)
            /v1/executions?page_size=1&pageSize=1      | page_size: given more than once (expected: at most once)
            /v1/executions?page_size=1&page_size=2     | page_size: given more than once (expected: at most once)
            /v1/executions?page_size=many              | page_size: "many" (expected: a whole number)
            /v1/executions?page_size=                  | page_size: "" (expected: a whole number)
            /v1/executions?page_size=501               | page_size: 501 (expected:
            /v1/executions?page_size=-1                | page_size: -1 (expected:
            /v1/executions?page_size=4294967297        | page_size: 4294967297 (expected: a whole number of 32 bits)
            /v1/executions?page_token=nonsense         | page_token: "nonsense" (expected:
            /v1/executions?filter=colour+%3D+red       | filter: "colour = red" at position 1 (expected:
            /v1/executions/run-1?verbose=1             | verbose: unknown parameter (expected: one of at_version)
            /v1/executions/run-1?at_version=-1         | at_version: -1 (expected:
            /v1/executions/a%20b                       | execution_id: "a b" (expected:
            /v1/executions/run-1:explode               | execution_id: "run-1:explode" (expected:
            /v1/executions/run-1/entries?page_size=1001 | page_size: 1001 (expected:
            /v1/executions/run-1/changes?after_version=x | after_version: "x" (expected: a whole number)
            /v1/executions/run-1/rejected?at_version=1 | at_version: unknown parameter (expected: one of page_size, page_token)
            /v1/executions/run-1:watch?cursor=nonsense | cursor: "nonsense" (expected:
            /v1/executions/run-1:watch?version=1       | version: unknown parameter (expected: one of begin_within, cursor)
            /v1/executions/run-1:watch?beginWithin=10  | begin_within: "10" (expected: seconds, such as 10s)
            /v1/executions/run-1:watch?beginWithin=    | begin_within: "" (expected: seconds, such as 10s)
            /v1/executions/run-1:watch?beginWithin=s   | begin_within: "s" (expected: seconds, such as 10s)
            /v1/executions/run-1:watch?beginWithin=tens | begin_within: "tens" (expected: seconds, such as 10s)
            /v1/executions/run-1:watch?beginWithin=1.xs | begin_within: "1.xs" (expected: seconds, such as 10s)
            /v1/executions/run-1:watch?beginWithin=99999999999999999999s | begin_within: "99999999999999999999s" (expected:
            /v1/executions/run-1:watch?beginWithin=999999999999s | begin_within: "999999999999s" (expected:
            /v1/executions/run-1:watch?begin_within=61s | begin_within: 61s (expected:
            /v1/executions/run-1:watch?begin_within=-1s | begin_within: -1s (expected:
            """)
    void wrongValueIsRefusedByName(String path, String message) {
        refused(http.get().uri(URI.create(base() + path.strip())).exchange(), 400, "INVALID", message.strip());
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/executions/nobody",
        "/v1/executions/nobody/entries",
        "/v1/executions/nobody/changes",
        "/v1/executions/nobody/rejected",
        "/v1/executions/nobody:watch",
        "/v1/executions/nobody:watch?beginWithin=0s",
        "/v1/executions/nobody:watch?begin_within=0.1s",
    })
    void executionThatIsNotThereIsNotFound(String path) {
        refused(get(path), 404, "NOT_FOUND", "execution_id: nobody (expected: an execution of your tenant)");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1",
        "/v2/executions",
        "/v1/executions/run-1/nothing",
        "/actuator/env",
        "/actuator",
        "/index.html",
        "/favicon.ico"
    })
    void pathThatIsNotServedIsNotFound(String path) {
        refused(get(path), 404, "NOT_FOUND", "path: " + path);
    }

    @Test
    void methodOfTheContractThatIsNotServedYetSaysSo() {
        refused(
                http.get().uri("/v1/executions:watch").exchange(),
                501,
                "UNIMPLEMENTED",
                "method: WatchExecutions is not served");
    }

    @Test
    void wrongMethodIsToldTheRightOnes() {
        WebTestClient.ResponseSpec response =
                http.delete().uri("/v1/executions/run-1").exchange();
        response.expectHeader().valueEquals("Allow", "GET, HEAD, OPTIONS");
        refused(response, 405, "UNIMPLEMENTED", "method: DELETE (expected: one of GET, HEAD, OPTIONS)");
        http.options()
                .uri("/v1/executions")
                .exchange()
                .expectStatus()
                .isNoContent()
                .expectHeader()
                .valueEquals("Allow", "GET, HEAD, OPTIONS, POST");
    }

    @ParameterizedTest
    @CsvSource({"/", "/v1/executions", "/v1/executions/run-1", "/v1/executions/run-2:watch", "/actuator/health"})
    void headIsAsGetWithoutTheBody(String path) {
        http.head().uri(path).exchange().expectStatus().isOk().expectBody().isEmpty();
    }

    @Test
    void storeThatIsAwayIsSaidAndMayBeTriedAgain() {
        api.store.down(true);
        WebTestClient.ResponseSpec response = get("/v1/executions/run-1");
        response.expectHeader().valueEquals("Retry-After", "1");
        refused(response, 503, "STORE_UNAVAILABLE", "the store does not answer");
        refused(get("/v1/executions/run-1:watch"), 503, "STORE_UNAVAILABLE", "the store does not answer");
    }

    @Test
    void healthTellsNoMoreThanItsState() {
        get("/actuator/health/readiness")
                .expectStatus()
                .isOk()
                .expectBody(String.class)
                .isEqualTo("{\"status\":\"UP\"}");
        get("/actuator/health").expectStatus().isOk();
    }

    /** Mail and messengers give links words of their own on the way. */
    @ParameterizedTest
    @ValueSource(strings = {"/", "/?", "/?x=y", "/?utm_source=mail&x&x=%F0%9F%98%80"})
    void pageLoadsWithAnyQuery(String path) {
        http.get()
                .uri(URI.create(base() + path))
                .exchange()
                .expectStatus()
                .isOk()
                .expectHeader()
                .contentTypeCompatibleWith(MediaType.TEXT_HTML);
    }

    @Test
    void pageMayReachNothingButThisDoor() {
        get("/").expectStatus()
                .isOk()
                .expectHeader()
                .value("Content-Security-Policy", policy -> assertThat(policy).startsWith("default-src 'none';"))
                .expectHeader()
                .valueEquals("X-Content-Type-Options", "nosniff");
    }

    @Test
    void nameThatIsNotOursIsRefusedWhereEverybodyOnLoopbackIsLetIn() {
        refused(
                http.get()
                        .uri("/v1/executions")
                        .header("Host", "attacker.example")
                        .exchange(),
                403,
                "LOOPBACK_ONLY",
                "host: attacker.example");
    }

    @Test
    void watchOfAnEndedRunIsItsStateAndTheEnd() throws Exception {
        HttpResponse<String> response = send("/v1/executions/run-1:watch", null);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
        List<Event> events = Event.parse(response.body());
        assertThat(events).extracting(Event::name).containsExactly("snapshot", "done");
        assertThat(events.get(0).data())
                .contains("\"reason\":\"SNAPSHOT_REASON_INITIAL\"")
                .contains("\"version\":\"5\"");
        assertThat(events.get(1).data()).contains("\"phase\":\"PHASE_COMPLETED\"");
        assertThat(events).allSatisfy(event -> assertThat(event.id()).isNotEmpty());
        HttpResponse<String> again =
                send("/v1/executions/run-1:watch", events.get(1).id());
        assertThat(again.statusCode()).isEqualTo(204);
        assertThat(send("/v1/executions/run-1:watch?cursor=" + events.get(0).id(), null)
                        .statusCode())
                .isEqualTo(204);
    }

    @Test
    void watchThatIsCutGoesOnWithItsLastEvent() throws Exception {
        Run run = new Run("default", "run-3").message("m1", "a").store(api.store, 1);
        Stream stream = Stream.open(base() + "/v1/executions/run-3:watch", null);
        List<Event> first = stream.take(1);
        run.grow("m1", 10, "b").store(api.store, 3).ring(api.bell, 3);
        first = join(first, stream.take(4));
        stream.close();
        run.grow("m1", 5, "c").phase(Phase.PHASE_FAILED).store(api.store, 13).ring(api.bell, 13);
        List<Event> rest = Event.parse(
                send("/v1/executions/run-3:watch", first.get(4).id()).body());
        List<Long> versions = join(first, rest).stream()
                .filter(event -> event.name().equals("change"))
                .map(event -> Long.parseLong(field(event.data(), "version", true)))
                .toList();
        assertThat(versions).isEqualTo(LongStream.rangeClosed(3, 18).boxed().toList());
        assertThat(rest.get(rest.size() - 1).name()).isEqualTo("done");
    }

    @Test
    void watchThatIsThereFirstSeesTheExecutionBegin() throws Exception {
        Run run = new Run("default", "run-6").message("m1", "a");
        CompletableFuture<Stream> opened = new CompletableFuture<>();
        Thread viewer = new Thread(() -> {
            try {
                opened.complete(Stream.open(base() + "/v1/executions/run-6:watch?beginWithin=30s", null));
            } catch (IOException e) {
                opened.completeExceptionally(e);
            }
        });
        viewer.start();
        await().until(() -> api.bell.isListenedTo(run.key()));
        run.phase(Phase.PHASE_CANCELLED).ring(api.bell, 1);
        try (Stream stream = opened.get(10, TimeUnit.SECONDS)) {
            List<Event> events = stream.take(3);
            assertThat(events).extracting(Event::name).containsExactly("snapshot", "change", "change");
            assertThat(events.get(0).data()).contains("\"version\":\"1\"");
            run.store(api.store, 1);
            assertThat(stream.take(1).get(0).name()).isEqualTo("done");
        }
    }

    @Test
    void headThatWaitsLeavesNothingBehind() {
        Run run = new Run("default", "run-7");
        CompletableFuture<HttpResponse<Void>> head = HttpClient.newHttpClient()
                .sendAsync(
                        HttpRequest.newBuilder(URI.create(base() + "/v1/executions/run-7:watch?beginWithin=30s"))
                                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
        await().until(() -> api.bell.isListenedTo(run.key()));
        run.ring(api.bell, 1);
        assertThat(head.join().statusCode()).isEqualTo(200);
        await().until(() -> api.part(WatchService.class).feeds() == 0);
    }

    @Test
    void viewerThatDoesNotReadHoldsUpNoMoreThanTheConnectionTakes() throws Exception {
        Run run = new Run("default", "run-4");
        for (int i = 0; i < 40; i++) {
            run.message("m" + i, "x".repeat(1_000_000));
        }
        run.phase(Phase.PHASE_FAILED).store(api.store, 1);
        AtomicInteger taken = new AtomicInteger();
        api.store.entryRead(taken::incrementAndGet);
        try (Socket socket = new Socket()) {
            socket.setReceiveBufferSize(64 * 1024);
            socket.connect(new InetSocketAddress("localhost", api.httpPort()));
            socket.getOutputStream()
                    .write("GET /v1/executions/run-4:watch HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            await().until(() -> taken.get() > 2);
            await().during(Duration.ofMillis(500))
                    .untilAsserted(() -> assertThat(taken).hasValueLessThan(20));
        }
        await().until(() -> api.part(WatchService.class).feeds() == 0);
    }

    @Test
    void failureInTheMiddleOfAWatchIsSaidAsAnEvent() throws Exception {
        new Run("default", "run-5").message("m1", "a").store(api.store, 1);
        api.store.beforeEntries(() -> api.store.down(true));
        List<Event> events;
        try (Stream stream = Stream.open(base() + "/v1/executions/run-5:watch", null)) {
            events = stream.take(1);
        } finally {
            api.store.beforeEntries(() -> {});
        }
        assertThat(events.get(0).name()).isEqualTo("failure");
        assertThat(events.get(0).data()).contains("STORE_UNAVAILABLE");
    }

    private static List<Event> join(List<Event> one, List<Event> other) {
        List<Event> all = new ArrayList<>(one);
        all.addAll(other);
        return all;
    }

    private static String base() {
        return "http://localhost:" + api.httpPort();
    }

    private static WebTestClient.ResponseSpec get(String path) {
        return http.get().uri(path).exchange();
    }

    private static String body(String path) {
        return String.valueOf(get(path).expectBody(String.class).returnResult().getResponseBody());
    }

    private static String field(String json, String name) {
        return field(json, name, false);
    }

    private static String field(String json, String name, boolean first) {
        String mark = '"' + name + "\":\"";
        int at = first ? json.indexOf(mark) : json.lastIndexOf(mark);
        int start = at + mark.length();
        return json.substring(start, json.indexOf('"', start));
    }

    private static void refused(WebTestClient.ResponseSpec response, int code, String reason, String message) {
        response.expectStatus()
                .isEqualTo(code)
                .expectHeader()
                .contentType("application/json")
                .expectBody()
                .jsonPath("$.message")
                .value(String.class, said -> assertThat(said).startsWith(message))
                .jsonPath("$.details[0].reason")
                .isEqualTo(reason)
                .jsonPath("$.details[0].domain")
                .isEqualTo("runcast.dev");
    }

    private static HttpResponse<String> send(String path, @org.jspecify.annotations.Nullable String lastEventId)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base() + path));
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
