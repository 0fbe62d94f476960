package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.GetExecutionResponse;
import dev.runcast.v1.IngestServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrincipalInterceptorTest {
    private final List<Runnable> closing = new ArrayList<>();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @AfterEach
    void close() {
        closing.forEach(Runnable::run);
    }

    @Test
    void methodFindsThePrincipalOfItsToken() throws IOException {
        ManagedChannel channel = inProcess(tokens(), Policy.GRPC);
        assertThat(get(channel, "Bearer the-token-of-dana-")).isEqualTo("acme/dana");
        assertThat(get(channel, "Bearer the-token-of-robot")).isEqualTo("globex/robot");
    }

    @Test
    void callWithoutAGoodTokenNeverReachesTheMethod() throws IOException {
        ManagedChannel channel = inProcess(tokens(), Policy.GRPC);
        assertThat(code(() -> get(channel, null))).isEqualTo(io.grpc.Status.Code.UNAUTHENTICATED);
        assertThat(code(() -> get(channel, "Bearer nobody"))).isEqualTo(io.grpc.Status.Code.UNAUTHENTICATED);
    }

    @Test
    void roleThatIsNotInTheRowIsDenied() throws IOException {
        ManagedChannel channel = inProcess(tokens(), Policy.GRPC);
        StatusRuntimeException denied =
                catchThrowableOfType(StatusRuntimeException.class, () -> stub(channel, "Bearer the-token-of-dana-")
                        .cancelExecution(CancelExecutionRequest.getDefaultInstance()));
        assertThat(denied.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.PERMISSION_DENIED);
        assertThat(denied.getStatus().getDescription())
                .isEqualTo(
                        "role: VIEWER may not call runcast.v1.ExecutionService/CancelExecution (expected: [OPERATOR])");
    }

    @Test
    void methodWithoutAPolicyIsShutForEverybody() throws IOException {
        ManagedChannel channel =
                inProcess(Callers.loopbackOnly(), Policy.builder().build());
        StatusRuntimeException shut = catchThrowableOfType(StatusRuntimeException.class, () -> get(channel, null));
        assertThat(shut.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.PERMISSION_DENIED);
        assertThat(shut.getStatus().getDescription()).contains("has no policy");
    }

    @Test
    void healthNeedsNoToken() throws IOException {
        ManagedChannel channel = inProcess(tokens(), Policy.GRPC);
        ClientCalls.blockingUnaryCall(
                channel, HealthGrpc.getCheckMethod(), CallOptions.DEFAULT, HealthCheckRequest.getDefaultInstance());
    }

    @Test
    void withoutATokenFileACallOverLoopbackIsTheLocalOperator() throws IOException {
        Server server = server(
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                Callers.loopbackOnly(),
                Policy.GRPC);
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        InetAddress.getLoopbackAddress().getHostAddress(), server.getPort())
                .usePlaintext()
                .build();
        closing.add(0, channel::shutdownNow);
        assertThat(get(channel, null)).isEqualTo("default/local");
    }

    @Test
    void everyMethodOfTheContractAndOfGrpcItselfHasAPolicy() {
        List<String> methods = new ArrayList<>();
        for (ServerServiceDefinition service : List.of(
                new ExecutionServiceGrpc.ExecutionServiceImplBase() {}.bindService(),
                new IngestServiceGrpc.IngestServiceImplBase() {}.bindService(),
                new HealthStatusManager().getHealthService().bindService(),
                ProtoReflectionServiceV1.newInstance().bindService())) {
            service.getMethods()
                    .forEach(method -> methods.add(method.getMethodDescriptor().getFullMethodName()));
        }
        assertThat(methods).hasSizeGreaterThan(15);
        assertThat(Policy.GRPC.missing(methods)).as("methods without a policy").isEmpty();
    }

    @Test
    void nothingOfTheContractIsOpen() {
        for (MethodDescriptor<?, ?> method :
                ExecutionServiceGrpc.getServiceDescriptor().getMethods().toArray(MethodDescriptor[]::new)) {
            assertThat(Policy.GRPC.isOpen(method.getFullMethodName()))
                    .as(method.getFullMethodName())
                    .isFalse();
        }
        for (MethodDescriptor<?, ?> method :
                IngestServiceGrpc.getServiceDescriptor().getMethods().toArray(MethodDescriptor[]::new)) {
            assertThat(Policy.GRPC.isOpen(method.getFullMethodName()))
                    .as(method.getFullMethodName())
                    .isFalse();
        }
    }

    private Callers tokens() throws IOException {
        Path file = Files.writeString(
                folder.resolve("tokens"),
                "the-token-of-dana- acme dana viewer\nthe-token-of-robot globex robot operator\n");
        return Callers.with(TokenFile.read(file, InstantSource.system()));
    }

    private ManagedChannel inProcess(Callers callers, Policy policy) throws IOException {
        String name = InProcessServerBuilder.generateName();
        server(InProcessServerBuilder.forName(name).directExecutor(), callers, policy);
        ManagedChannel channel =
                InProcessChannelBuilder.forName(name).directExecutor().build();
        closing.add(0, channel::shutdownNow);
        return channel;
    }

    private Server server(io.grpc.ServerBuilder<?> builder, Callers callers, Policy policy) throws IOException {
        Server server = builder.intercept(new PrincipalInterceptor(callers, policy))
                .addService(new TellsWhoIsCalling())
                .addService(new HealthStatusManager().getHealthService())
                .build()
                .start();
        closing.add(server::shutdownNow);
        return server;
    }

    private static String get(ManagedChannel channel, @Nullable String authorization) {
        Execution execution = stub(channel, authorization)
                .getExecution(GetExecutionRequest.getDefaultInstance())
                .getExecution();
        return execution.getTenant() + '/' + execution.getExecutionId();
    }

    private static ExecutionServiceGrpc.ExecutionServiceBlockingStub stub(
            ManagedChannel channel, @Nullable String authorization) {
        Metadata headers = new Metadata();
        if (authorization != null) {
            headers.put(PrincipalInterceptor.AUTHORIZATION, authorization);
        }
        return ExecutionServiceGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static io.grpc.Status.Code code(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(StatusRuntimeException.class, call)
                .getStatus()
                .getCode();
    }

    private static final class TellsWhoIsCalling extends ExecutionServiceGrpc.ExecutionServiceImplBase {
        @Override
        public void getExecution(GetExecutionRequest request, StreamObserver<GetExecutionResponse> responses) {
            Principal caller = Principal.current();
            responses.onNext(GetExecutionResponse.newBuilder()
                    .setExecution(
                            Execution.newBuilder().setTenant(caller.tenant()).setExecutionId(caller.name()))
                    .build());
            responses.onCompleted();
        }

        @Override
        public void cancelExecution(CancelExecutionRequest request, StreamObserver<CancelExecutionResponse> responses) {
            throw new AssertionError("reached");
        }
    }
}
