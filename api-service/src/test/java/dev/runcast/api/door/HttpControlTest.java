package dev.runcast.api.door;

import dev.runcast.api.ApiFixture;
import org.hamcrest.Matchers;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

/** Requests as JSON, and who may not make them through somebody's browser. */
class HttpControlTest {
    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static WebTestClient http;

    @BeforeAll
    static void start() {
        api = new ApiFixture(null);
        http = api.http();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @Test
    void runIsCreatedHeldAndCancelled() {
        post("/v1/executions", """
                {"executionId": "life", "requestId": "r1", "spec": {"agent": "planner", "input": "Zürich"},
                 "labels": {"team": "travel"}, "withoutWorkflow": true}
                """)
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.execution.executionId")
                .isEqualTo("life")
                .jsonPath("$.execution.phase")
                .isEqualTo("PHASE_PENDING")
                .jsonPath("$.requestId")
                .isEqualTo("r1");
        post("/v1/executions/life:pause", "")
                .expectBody()
                .jsonPath("$.phase")
                .isEqualTo("PHASE_PAUSED")
                .jsonPath("$.version")
                .isEqualTo("2");
        post("/v1/executions/life:resume", "{}")
                .expectBody()
                .jsonPath("$.phase")
                .isEqualTo("PHASE_PENDING");
        post("/v1/executions/life:cancel", "{\"request_id\": \"c1\", \"reason\": \"enough\"}")
                .expectBody()
                .jsonPath("$.phase")
                .isEqualTo("PHASE_CANCELLED");
        refused(post("/v1/executions/life:cancel", "{}"), 400, "ENDED", "control: CANCEL (expected:")
                .jsonPath("$.details[0].metadata.phase")
                .isEqualTo("PHASE_CANCELLED");
        refused(post("/v1/executions/life:recover", "{}"), 400, "TRANSITION", "control: RECOVER");
        refused(
                post("/v1/executions", "{\"executionId\": \"life\", \"spec\": {\"agent\": \"planner\"}}"),
                409,
                "ALREADY_EXISTS",
                "execution_id: life is taken by local, request r1 (expected:");
    }

    @Test
    void approvalIsDecidedOnceAndTheSecondIsToldBy() {
        api.log.runs("default", "gate");
        api.log.asks("default", "gate", "a1");
        String reject = "{\"decided\": {\"decision\": \"DECISION_REJECT\", \"comment\": \"too dear\"}}";
        post("/v1/executions/gate/approvals/a1:decide", reject)
                .expectBody()
                .jsonPath("$.won")
                .isEqualTo(true)
                .jsonPath("$.decidedBy")
                .isEqualTo("local");
        post("/v1/executions/gate/approvals/a1:decide", "{\"decided\": {\"decision\": \"DECISION_APPROVE\"}}")
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.won")
                .isEqualTo(false)
                .jsonPath("$.decision")
                .isEqualTo("DECISION_REJECT");
    }

    @Test
    void answerThatDoesNotComeSaysThatTheSameRequestIsSafe() {
        api.log.runs("default", "down");
        api.log.up = false;
        refused(
                        post("/v1/executions/down:cancel", "{\"requestId\": \"r1\"}"),
                        503,
                        "LOG_UNAVAILABLE",
                        "request_id: r1 is not known to be in the log (expected: the same request_id again, which is safe")
                .jsonPath("$.details[1]['@type']")
                .isEqualTo("type.googleapis.com/google.rpc.RetryInfo");
        api.log.up = true;
        post("/v1/executions/down:cancel", "{\"requestId\": \"r1\"}")
                .expectStatus()
                .isOk();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/executions/x:cancel | {\"executionId\": \"y\"} | execution_id: \"y\" (expected: none, or \"x\" as in the path)",
                "/v1/executions/x:cancel | {\"raeson\": \"\"} | body: ",
                "/v1/executions/x:cancel | {\"reason\": 1 | body: ",
                "/v1/executions/x:cancel | [] | body: ",
                "/v1/executions/x:cancel?reason=a | {} | reason: unknown parameter",
                "/v1/executions/x:cancel | {\"requestId\": \"ü\"} | request_id: ",
                "/v1/executions | {} | spec: absent",
                "/v1/executions/x/approvals/a1:decide | {} | decided",
            })
    void wrongRequestIsNamed(String path, String body, String message) {
        refused(post(path, body), 400, "INVALID", message);
    }

    @Test
    void bodyThatIsTooLargeIsRefusedUnread() {
        refused(
                post("/v1/executions", "{\"requestId\": \"" + "a".repeat(3 * 1024 * 1024) + "\"}"),
                400,
                "TOO_LARGE",
                "body: more than");
    }

    @ParameterizedTest
    @CsvSource({
        "text/plain,,,400",
        "application/x-www-form-urlencoded,,,400",
        ",,,400",
        "application/json,http://evil.example,,403",
        "application/json,null,,403",
        "application/json,http://localhost:1,,403",
        "application/json,,cross-site,403",
        "application/json,,same-site,403",
        "application/json;charset=utf-8,,same-origin,200",
        "application/json,OWN,same-origin,200",
        "application/json,,none,200",
    })
    void pageOfAnotherSiteCannotAsk(
            @Nullable String type, @Nullable String origin, @Nullable String fetchSite, int expected) {
        api.log.runs("default", "csrf");
        WebTestClient.RequestBodySpec request = http.post().uri("/v1/executions/csrf:pause");
        if (type != null) {
            request.header("Content-Type", type);
        }
        if (origin != null) {
            request.header("Origin", origin.equals("OWN") ? "http://localhost:" + api.httpPort() : origin);
        }
        if (fetchSite != null) {
            request.header("Sec-Fetch-Site", fetchSite);
        }
        request.exchange().expectStatus().isEqualTo(expected);
    }

    @Test
    void preflightOfAnotherSiteIsNotAllowed() {
        http.options()
                .uri("/v1/executions/csrf:pause")
                .header("Origin", "http://evil.example")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type")
                .exchange()
                .expectHeader()
                .doesNotExist("Access-Control-Allow-Origin");
    }

    private static WebTestClient.ResponseSpec post(String path, String body) {
        return http.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }

    private static WebTestClient.BodyContentSpec refused(
            WebTestClient.ResponseSpec response, int status, String reason, String message) {
        return response.expectStatus()
                .isEqualTo(status)
                .expectBody()
                .jsonPath("$.message")
                .value(Matchers.startsWith(message))
                .jsonPath("$.details[0].reason")
                .isEqualTo(reason);
    }
}
