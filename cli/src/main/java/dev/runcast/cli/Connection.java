package dev.runcast.cli;

import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import dev.runcast.v1.ListExecutionsRequest;
import io.grpc.CallCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Where the servers are and who is calling: the options that every command shares. An address comes
 * from the option, else the environment, else the local stack that runs now, else the documented
 * port on this machine.
 */
final class Connection {
    private static final int MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
    private static final int MAX_PORT = 65_535;
    private static final Pattern HOST_AND_PORT = Pattern.compile("(?:\\[[0-9A-Fa-f:.%]+]|[^\\s:/\\[\\]]+):(\\d{1,5})");

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            description = "The people's door (RUNCAST_SERVER; default: the running local stack).")
    private @Nullable String server;

    @Option(
            names = "--ingest",
            paramLabel = "HOST:PORT",
            description = "The runners' door (RUNCAST_INGEST; default: the running local stack).")
    private @Nullable String ingest;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description = "Who is calling (RUNCAST_TOKEN; default: nobody, for a server without tokens).")
    private @Nullable String token;

    /** The people's door, as host:port. */
    String server() {
        return checked("server", address(server, "RUNCAST_SERVER", LocalStackFile.API_GRPC, "127.0.0.1:8091"));
    }

    /** The runners' door, as host:port. */
    String ingest() {
        return checked("ingest", address(ingest, "RUNCAST_INGEST", LocalStackFile.INGEST_GRPC, "127.0.0.1:8080"));
    }

    /** The bearer token. Absent means that the caller has none. */
    @Nullable
    String token() {
        return token != null ? token : System.getenv("RUNCAST_TOKEN");
    }

    private static String address(@Nullable String option, String variable, String property, String documented) {
        if (option != null) {
            return option;
        }
        String value = System.getenv(variable);
        if (value != null && !value.isEmpty()) {
            return value;
        }
        return LocalStackFile.read().getProperty(property, documented);
    }

    /** Said at once: gRPC would take other forms of names, and half a minute to find that it has no such server. */
    private static String checked(String what, String address) {
        Matcher parts = HOST_AND_PORT.matcher(address);
        if (!parts.matches() || Integer.parseInt(parts.group(1)) < 1 || Integer.parseInt(parts.group(1)) > MAX_PORT) {
            throw new CommandFailure(
                    "%s: %s (expected: HOST:PORT)".formatted(what, address), picocli.CommandLine.ExitCode.USAGE);
        }
        return address;
    }

    /** Opens a channel to the people's door; close it when done. */
    Session open() {
        ManagedChannel channel = NettyChannelBuilder.forTarget(server())
                .usePlaintext()
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(30, TimeUnit.SECONDS)
                .build();
        return new Session(channel, token());
    }

    /** An open channel with the caller's credentials on every call. */
    static final class Session implements AutoCloseable {
        private final ManagedChannel channel;
        private final ExecutionServiceBlockingStub stub;

        Session(ManagedChannel channel, @Nullable String token) {
            this.channel = channel;
            ExecutionServiceBlockingStub plain = ExecutionServiceGrpc.newBlockingStub(channel);
            this.stub = token == null ? plain : plain.withCallCredentials(new Bearer(token));
        }

        /** For calls that answer once: bounded to half a minute. */
        ExecutionServiceBlockingStub executions() {
            return stub.withDeadlineAfter(30, TimeUnit.SECONDS);
        }

        /** For streams, which have no end by time. */
        ExecutionServiceBlockingStub streams() {
            return stub;
        }

        /**
         * The id itself, or that of the newest execution for {@code @latest}.
         *
         * @throws CommandFailure when there is none
         */
        String resolve(String id) {
            if (!id.equals("@latest")) {
                return id;
            }
            List<Execution> newest = executions()
                    .listExecutions(
                            ListExecutionsRequest.newBuilder().setPageSize(1).build())
                    .getExecutionsList();
            if (newest.isEmpty()) {
                throw new CommandFailure(
                        "there is no execution yet; `./runcast play FILE` makes some", Runcast.NOT_FOUND);
            }
            return newest.get(0).getExecutionId();
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }

    private static final class Bearer extends CallCredentials {
        private static final Metadata.Key<String> AUTHORIZATION =
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
        private final String value;

        Bearer(String token) {
            // Header values are printable ASCII (RFC 9110); said here, the error names the option.
            if (!StandardCharsets.US_ASCII.newEncoder().canEncode(token) || token.isBlank()) {
                throw new CommandFailure(
                        "token: not printable ASCII (expected: the token as issued)",
                        picocli.CommandLine.ExitCode.USAGE);
            }
            this.value = "Bearer " + token;
        }

        @Override
        public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
            Metadata headers = new Metadata();
            headers.put(AUTHORIZATION, value);
            applier.apply(headers);
        }
    }
}
