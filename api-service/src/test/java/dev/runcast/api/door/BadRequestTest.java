package dev.runcast.api.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.rpc.ErrorInfo;
import dev.runcast.api.ApiFixture;
import dev.runcast.api.Run;
import dev.runcast.api.watch.WatchService;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests as no client of ours makes them, byte by byte, at the people's door; whoever watches beside it goes on. */
class BadRequestTest {
    private static final String LONG_ID = "e".repeat(65);

    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static ManagedChannel channel;

    @SuppressWarnings("NullAway.Init")
    private static Run run;

    @SuppressWarnings("NullAway.Init")
    private static dev.runcast.api.door.Stream neighbour;

    @BeforeAll
    static void start() throws IOException {
        api = new ApiFixture(null);
        channel = api.grpc();
        run = new Run("default", "run-1").message("m1", "Still going").store(api.store, 1);
        neighbour = dev.runcast.api.door.Stream.open(base() + "/v1/executions/run-1:watch", null);
        assertThat(neighbour.take(1).get(0).name()).isEqualTo("snapshot");
    }

    @AfterAll
    static void stop() throws InterruptedException {
        neighbour.close();
        api.close();
    }

    /** One who watches sees the next change, and nothing else. */
    @AfterEach
    void theNeighbourGoesOn() throws IOException {
        run.text("m1", ".").store(api.store, run.version()).ring(api.bell, run.version());
        assertThat(nextChange(neighbour)).contains("\"version\":\"" + run.version() + "\"");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /v1/executions/a.b                               | INVALID   | execution_id: "a.b" (expected: [A-Za-z0-9][A-Za-z0-9_-]{0,63})
            /v1/executions/$where                            | INVALID   | execution_id: "$where" (expected:
            /v1/executions/%24set                            | INVALID   | execution_id: "$set" (expected:
            /v1/executions/a%00b                             | INVALID   | execution_id: "a\\u0000b" (expected:
            /v1/executions/a%0d%0ab                          | INVALID   | execution_id: "a\\u000d\\u000ab" (expected:
            /v1/executions/%e2%80%aea                        | INVALID   | execution_id: "\\u202ea" (expected:
            /v1/executions/%D7%A9%D7%9C                      | INVALID   | execution_id: "של" (expected:
            /v1/executions/a%2fb                             | INVALID   | execution_id: "a/b" (expected:
            /v1/executions/%ED%A0%80                         | INVALID   | execution_id: "
            /v1/executions/%ff                               | INVALID   | execution_id: "
            /v1/executions/_a                                | INVALID   | execution_id: "_a" (expected:
            /v1/executions/LONG                              | INVALID   | execution_id: "eeeee
            /v1/executions/LONG:watch                        | INVALID   | execution_id: "eeeee
            /v1/executions/a.b/entries                       | INVALID   | execution_id: "a.b" (expected:
            /v1/executions/a.b/changes                       | INVALID   | execution_id: "a.b" (expected:
            /v1/executions/a.b/rejected                      | INVALID   | execution_id: "a.b" (expected:
            /v1/executions/run-1?at_version=9223372036854775808 | INVALID | at_version: "9223372036854775808" (expected: a whole number of 64 bits)
            /v1/executions/run-1?at_version=9223372036854775807 | VERSION_AHEAD | at_version: 9223372036854775807 (expected:
            /v1/executions/run-1?at_version=-9223372036854775808 | INVALID | at_version: -9223372036854775808 (expected:
            /v1/executions/run-1?at_version=1e3              | INVALID   | at_version: "1e3" (expected: a whole number)
            /v1/executions/run-1/changes?after_version=-1    | INVALID   | after_version: -1 (expected:
            /v1/executions/run-1/changes?page_size=2147483648 | INVALID  | page_size: 2147483648 (expected: a whole number of 32 bits)
            /v1/executions/run-1/changes?page_size=-2147483648 | INVALID | page_size: -2147483648 (expected:
            /v1/executions?page_token=%00                    | INVALID   | page_token: "\\u0000" (expected:
            /v1/executions?page_token=LONG                   | INVALID   | page_token: "eeeee
            /v1/executions?%24where=1                        | INVALID   | $where: unknown parameter (expected:
            /v1/executions?filter=phase+%3D+DONE             | INVALID   | filter: "DONE" at position 9 (expected: PENDING,
            /v1/executions?filter=labels.%24where+%3D+1      | INVALID   | filter: "labels.$where = 1" at position 1
            /v1/executions?filter=%28phase+%3D+RUNNING%29    | INVALID   | filter: "(phase = RUNNING)" at position 1
            /v1/executions?filter=agent+%3D+%22a             | INVALID   | filter:
            /v1/executions?filter=agent+%3D+%22%00%22+OR+1   | INVALID   | filter: "OR 1" at position 13 (expected: AND between comparisons)
            /v1/executions?filter=PARENTHESES                | TOO_LARGE | filter:
            /v1/executions?filter=TERMS                      | TOO_LARGE | filter:
            /v1/executions/run-1:watch?cursor=TERMS          | TOO_LARGE | cursor:
            /v1/executions/run-1:watch?cursor=%00            | INVALID   | cursor: "\\u0000" (expected:
            """)
    void badAddressIsRefusedByName(String path, String reason, String message) throws IOException {
        String answer = raw(
                "GET "
                        + path.strip()
                                .replace("LONG", LONG_ID)
                                .replace("PARENTHESES", "(".repeat(10_000))
                                .replace("TERMS", "phase=RUNNING+AND+".repeat(2_000))
                        + " HTTP/1.1",
                "");
        assertThat(answer).startsWith("HTTP/1.1 400 ");
        assertThat(answer).contains("\"reason\": \"" + reason + "\"").contains("\"domain\": \"runcast.dev\"");
        assertThat(answer).contains("\"message\": \"" + inJson(message.strip()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET /v1/executions/%zz HTTP/1.1
            GET /v1/executions?filter=%z HTTP/1.1
            GET  HTTP/1.1
            nonsense
            """)
    void whatIsNoRequestIsRefused(String line) throws IOException {
        assertThat(raw(line, "")).startsWith("HTTP/1.").containsPattern("^HTTP/1.[01] 4\\d\\d ");
    }

    @Test
    void headersOverEightKibibytesAreRefusedByTheirSize() throws IOException {
        String answer = raw("GET /v1/executions HTTP/1.1", "X-Long: " + "x".repeat(9_000) + "\r\n");
        assertThat(answer).startsWith("HTTP/1.1 400 ");
        assertThat(answer)
                .contains("\"reason\": \"TOO_LARGE\"")
                .containsPattern("headers: 9\\d\\d\\d bytes \\(expected: at most 8192\\)");
        // What is far larger is cut off by the server itself, which can only say its status.
        assertThat(raw("GET /v1/executions HTTP/1.1", "X-Long: " + "x".repeat(100_000) + "\r\n"))
                .containsPattern("^HTTP/1.[01] 4[13]\\d ");
    }

    static Stream<Arguments> badBodies() {
        return Stream.of(
                body("10,000 levels of arrays", "[".repeat(10_000) + "]".repeat(10_000), "INVALID", "body: "),
                body(
                        "10,000 levels of objects",
                        "{\"spec\":".repeat(10_000) + "{}" + "}".repeat(10_000),
                        "INVALID",
                        "body: "),
                body(
                        "10,000 levels in a text",
                        spec("input", '"' + "[".repeat(10_000) + '"').replace("planner", ""),
                        "INVALID",
                        "spec.agent: "),
                body("no object", "42", "INVALID", "body: "),
                body("cut off", "{\"spec\": {\"agent\": \"a", "INVALID", "body: "),
                body("a field nobody knows", "{\"colour\": \"red\"}", "INVALID", "body: "),
                body("a text where a message belongs", "{\"spec\": \"a\"}", "INVALID", "body: "),
                body("half a character", spec("input", "\"\\ud800\""), "INVALID", "body: input has half a character"),
                body(
                        "half a character in an id",
                        "{\"executionId\": \"\\udc00\"}",
                        "INVALID",
                        "body: execution_id has half"),
                body(
                        "a NUL in an id",
                        "{\"executionId\": \"a\\u0000\"}",
                        "INVALID",
                        "execution_id: \"a\\u0000\" (expected: "),
                body(
                        "a dollar in an id",
                        "{\"executionId\": \"$set\"}",
                        "INVALID",
                        "execution_id: \"$set\" (expected: "),
                body("a long id", "{\"executionId\": \"" + LONG_ID + "\"}", "INVALID", "execution_id: \"eee"),
                body("a long request id", "{\"requestId\": \"" + LONG_ID + "\"}", "INVALID", "request_id: \"eee"),
                body(
                        "a dollar in the key of a label",
                        "{\"labels\": {\"$set\": \"x\"}, \"spec\": {\"agent\": \"planner\"}}",
                        "INVALID",
                        "labels"),
                body(
                        "an input over 128 KiB",
                        spec("input", '"' + "x".repeat(140_000) + '"'),
                        "TOO_LARGE",
                        "spec.input: "));
    }

    private static Arguments body(String name, String body, String reason, String message) {
        return Arguments.of(name, body, reason, message);
    }

    private static String spec(String field, String value) {
        return "{\"spec\": {\"agent\": \"planner\", \"" + field + "\": " + value + "}}";
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badBodies")
    void badBodyIsRefused(String name, String body, String reason, String message) throws IOException {
        String answer = raw(
                "POST /v1/executions HTTP/1.1",
                "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n",
                body);
        assertThat(answer).startsWith("HTTP/1.1 400 ");
        assertThat(answer).contains("\"reason\": \"" + reason + "\"");
        assertThat(answer).contains("\"message\": \"").contains(inJson(message)).contains("(expected: ");
    }

    static Stream<Arguments> badCalls() {
        return Stream.of(
                call("empty id", "INVALID", "execution_id: \"\" (expected: ", s -> s.getExecution(get("", 0))),
                call("long id", "INVALID", "execution_id: \"eee", s -> s.getExecution(get(LONG_ID, 0))),
                call("NUL", "INVALID", "execution_id: \"a\\u0000\"", s -> s.getExecution(get("a\0", 0))),
                call("dollar", "INVALID", "execution_id: \"$a\"", s -> s.getExecution(get("$a", 0))),
                call(
                        "version 2^63",
                        "INVALID",
                        "at_version: -9223372036854775808",
                        s -> s.getExecution(get("run-1", Long.MIN_VALUE))),
                call(
                        "last version",
                        "VERSION_AHEAD",
                        "at_version: 9223372036854775807",
                        s -> s.getExecution(get("run-1", Long.MAX_VALUE))),
                call(
                        "after 2^63",
                        "INVALID",
                        "after_version: -9223372036854775808",
                        s -> s.listChanges(ListChangesRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setAfterVersion(Long.MIN_VALUE)
                                .build())),
                call(
                        "page size below 0",
                        "INVALID",
                        "page_size: -1",
                        s -> s.listEntries(ListEntriesRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setPageSize(-1)
                                .build())),
                call(
                        "page token of nobody",
                        "INVALID",
                        "page_token: ",
                        s -> s.listEntries(ListEntriesRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setPageToken("\u202e")
                                .build())),
                call("10,000 parentheses", "TOO_LARGE", "filter: ", s -> s.listExecutions(list("(".repeat(10_000)))),
                call(
                        "10,000 terms",
                        "TOO_LARGE",
                        "filter: ",
                        s -> s.listExecutions(list("phase = RUNNING AND ".repeat(10_000) + "phase = RUNNING"))),
                call("3 MB of filter", "TOO_LARGE", "filter: ", s -> s.listExecutions(list("x".repeat(3_000_000)))),
                call("unknown field", "INVALID", "filter: \"color", s -> s.listExecutions(list("color = red"))),
                call("cursor of nobody", "INVALID", "cursor: ", s -> s.watchExecution(WatchExecutionRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setCursor("$.\0")
                                .build())
                        .next()));
    }

    private static Arguments call(
            String name,
            String reason,
            String message,
            Consumer<ExecutionServiceGrpc.ExecutionServiceBlockingStub> call) {
        return Arguments.of(name, reason, message, call);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badCalls")
    void badCallIsRefusedWithItsReason(
            String name,
            String reason,
            String message,
            Consumer<ExecutionServiceGrpc.ExecutionServiceBlockingStub> call)
            throws Exception {
        StatusRuntimeException refused = catchThrowableOfType(
                StatusRuntimeException.class, () -> call.accept(ExecutionServiceGrpc.newBlockingStub(channel)));
        assertThat(refused.getStatus().getDescription()).startsWith(message).contains("(expected: ");
        ErrorInfo info = Objects.requireNonNull(StatusProto.fromThrowable(refused))
                .getDetails(0)
                .unpack(ErrorInfo.class);
        assertThat(info.getReason()).isEqualTo(reason);
        assertThat(info.getMetadataMap()).containsKeys("field", "value", "expected");
    }

    @ParameterizedTest
    @CsvSource({"runcast.v1.ExecutionService/GetExecution", "runcast.v1.ExecutionService/WatchExecution"})
    void bytesThatAreNoMessageAreRefused(String name) throws Exception {
        byte[] deep = new byte[20_000];
        java.util.Arrays.fill(deep, 0, 10_000, (byte) (15 << 3 | 3));
        java.util.Arrays.fill(deep, 10_000, 20_000, (byte) (15 << 3 | 4));
        for (byte[] garbage : List.of(
                new byte[] {(byte) 0xff, 1, 2}, deep, new byte[] {0x0a, 3, (byte) 0xed, (byte) 0xa0, (byte) 0x80})) {
            StatusRuntimeException refused = catchThrowableOfType(
                    StatusRuntimeException.class,
                    () -> ClientCalls.blockingUnaryCall(channel, bytes(name), CallOptions.DEFAULT, garbage));
            assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(refused.getStatus().getDescription()).contains("bytes that are no message (expected: a ");
            assertThat(Objects.requireNonNull(StatusProto.fromThrowable(refused))
                            .getDetails(0)
                            .unpack(ErrorInfo.class)
                            .getReason())
                    .isEqualTo("INVALID");
        }
    }

    @Test
    void metadataOverEightKibibytesIsRefused() throws Exception {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("x-long", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(9_000));
        StatusRuntimeException refused =
                catchThrowableOfType(StatusRuntimeException.class, () -> ExecutionServiceGrpc.newBlockingStub(channel)
                        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                        .getExecution(get("run-1", 0)));
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refused.getStatus().getDescription())
                .matches("metadata: 9\\d{3} bytes \\(expected: at most 8192\\)");
    }

    /** Ten over each door take nothing while 36 MB of news come; one beside them sees each change by itself. */
    @Test
    void viewersThatNeverReadHoldUpNobody() throws Exception {
        Run busy = new Run("default", "busy").message("m1", "a").store(api.store, 1);
        List<Socket> sockets = new ArrayList<>();
        List<ClientCall<WatchExecutionRequest, WatchExecutionResponse>> calls = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(4 * 1024);
            socket.connect(new InetSocketAddress("localhost", api.httpPort()));
            socket.getOutputStream()
                    .write("GET /v1/executions/busy:watch HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            sockets.add(socket);
            ClientCall<WatchExecutionRequest, WatchExecutionResponse> call =
                    channel.newCall(ExecutionServiceGrpc.getWatchExecutionMethod(), CallOptions.DEFAULT);
            call.start(new ClientCall.Listener<>() {}, new Metadata());
            call.sendMessage(
                    WatchExecutionRequest.newBuilder().setExecutionId("busy").build());
            call.halfClose();
            calls.add(call);
        }
        dev.runcast.api.door.Stream reader =
                dev.runcast.api.door.Stream.open(base() + "/v1/executions/busy:watch", null);
        assertThat(reader.take(1).get(0).name()).isEqualTo("snapshot");
        long before = used();
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            if (i % 10 == 0) {
                busy.message("m" + i, "a");
            } else {
                busy.text("m" + i / 10 * 10, "x".repeat(100_000));
            }
            busy.store(api.store, busy.version()).ring(api.bell, busy.version());
            seen.add(nextChange(reader).replaceAll(".*\"firstVersion\":\"(\\d+)\",\"version\":\"(\\d+)\".*", "$1-$2"));
        }
        assertThat(seen)
                .isEqualTo(LongStream.rangeClosed(3, 402)
                        .mapToObj(version -> version + "-" + version)
                        .toList());
        // Kept once for all: the history in this test's own store and the ring. Whoever does not read holds one part of
        // a
        // snapshot and one entry's text, some 4 MB. Twenty copies would be 720 MB.
        assertThat(used() - before).isLessThan(300L * 1024 * 1024);
        reader.close();
        calls.forEach(call -> call.cancel("the test is over", null));
        for (Socket socket : sockets) {
            socket.close();
        }
        busy.phase(Phase.PHASE_COMPLETED).store(api.store, busy.version());
        await().until(() -> api.part(WatchService.class).feeds() == 1);
    }

    /** What the next event says that is not a mere sign of life. */
    private static String nextChange(dev.runcast.api.door.Stream events) throws IOException {
        Event event = events.take(1).get(0);
        while (event.name().equals("bookmark")) {
            event = events.take(1).get(0);
        }
        assertThat(event.name()).isEqualTo("change");
        return event.data();
    }

    private static long used() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static GetExecutionRequest get(String id, long version) {
        return GetExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setAtVersion(version)
                .build();
    }

    private static ListExecutionsRequest list(String filter) {
        return ListExecutionsRequest.newBuilder().setFilter(filter).build();
    }

    private static MethodDescriptor<byte[], byte[]> bytes(String name) {
        MethodDescriptor.Marshaller<byte[]> asTheyAre = new MethodDescriptor.Marshaller<>() {
            @Override
            public InputStream stream(byte[] value) {
                return new ByteArrayInputStream(value);
            }

            @Override
            public byte[] parse(InputStream stream) {
                try {
                    return stream.readAllBytes();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        };
        return MethodDescriptor.<byte[], byte[]>newBuilder(asTheyAre, asTheyAre)
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(name)
                .build();
    }

    private static String inJson(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("=", "\\u003d");
    }

    /** Everything that is answered to these bytes. */
    private static String raw(String line, String headers) throws IOException {
        return raw(line, headers, "");
    }

    private static String raw(String line, String headers, String body) throws IOException {
        try (Socket socket = new Socket("localhost", api.httpPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((line + "\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n" + body)
                            .getBytes(StandardCharsets.UTF_8));
            StringBuilder answer = new StringBuilder();
            byte[] bytes = new byte[8192];
            try {
                for (int read = socket.getInputStream().read(bytes);
                        read >= 0;
                        read = socket.getInputStream().read(bytes)) {
                    answer.append(new String(bytes, 0, read, StandardCharsets.UTF_8));
                }
            } catch (java.net.SocketException reset) {
                // Whoever still sends when the answer is complete may be cut off.
            }
            return answer.toString();
        }
    }

    private static String base() {
        return "http://localhost:" + api.httpPort();
    }
}
