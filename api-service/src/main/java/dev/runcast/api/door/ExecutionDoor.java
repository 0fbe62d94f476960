package dev.runcast.api.door;

import dev.runcast.api.control.ExecutionControl;
import dev.runcast.api.control.ExecutionCreation;
import dev.runcast.api.read.ExecutionReader;
import dev.runcast.api.watch.Frame;
import dev.runcast.api.watch.WatchService;
import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.DecideApprovalResponse;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.GetExecutionResponse;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListChangesResponse;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.ListExecutionsResponse;
import dev.runcast.v1.ListRejectedUpdatesRequest;
import dev.runcast.v1.ListRejectedUpdatesResponse;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.PauseExecutionResponse;
import dev.runcast.v1.RecoverExecutionRequest;
import dev.runcast.v1.RecoverExecutionResponse;
import dev.runcast.v1.ResumeExecutionRequest;
import dev.runcast.v1.ResumeExecutionResponse;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionsRequest;
import dev.runcast.v1.WatchExecutionsResponse;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;

/** ExecutionService over gRPC. Thread-safe. */
public final class ExecutionDoor implements ExecutionServiceGrpc.AsyncService, BindableService {
    private final ExecutionReader reader;
    private final WatchService watches;
    private final ExecutionCreation creation;
    private final ExecutionControl control;

    /** Answers from these. */
    public ExecutionDoor(
            ExecutionReader reader, WatchService watches, ExecutionCreation creation, ExecutionControl control) {
        this.reader = reader;
        this.watches = watches;
        this.creation = creation;
        this.control = control;
    }

    /** As generated, but a watch takes frames that are serialized already: once for all viewers. */
    @Override
    public ServerServiceDefinition bindService() {
        ServerServiceDefinition generated = ExecutionServiceGrpc.bindService(this);
        MethodDescriptor<WatchExecutionRequest, Frame> watch = ExecutionServiceGrpc.getWatchExecutionMethod().toBuilder(
                        ProtoUtils.marshaller(WatchExecutionRequest.getDefaultInstance()), new FrameMarshaller())
                .build();
        List<ServerMethodDefinition<?, ?>> methods = new ArrayList<>();
        for (ServerMethodDefinition<?, ?> method : generated.getMethods()) {
            boolean isWatch = method.getMethodDescriptor().getFullMethodName().equals(watch.getFullMethodName());
            methods.add(isWatch ? ServerMethodDefinition.create(watch, watchHandler()) : method);
        }
        ServiceDescriptor.Builder service = ServiceDescriptor.newBuilder(
                        generated.getServiceDescriptor().getName())
                .setSchemaDescriptor(generated.getServiceDescriptor().getSchemaDescriptor());
        methods.forEach(method -> service.addMethod(method.getMethodDescriptor()));
        ServerServiceDefinition.Builder bound = ServerServiceDefinition.builder(service.build());
        methods.forEach(bound::addMethod);
        return bound.build();
    }

    private ServerCallHandler<WatchExecutionRequest, Frame> watchHandler() {
        return ServerCalls.asyncServerStreamingCall(this::watch);
    }

    private void watch(WatchExecutionRequest request, StreamObserver<Frame> responses) {
        ServerCallStreamObserver<Frame> call = (ServerCallStreamObserver<Frame>) responses;
        String tenant = Principal.current().tenant();
        new Viewing(call)
                .follow(Mono.defer(() -> {
                            Contract.check(request);
                            return watches.open(
                                    new ExecutionKey(tenant, request.getExecutionId()),
                                    request.getCursor(),
                                    beginWithin(request));
                        })
                        .flatMapMany(WatchService.Watch::frames));
    }

    /** How long a watch waits for its execution; of a request that keeps the contract. */
    static Duration beginWithin(WatchExecutionRequest request) {
        return Duration.ofSeconds(
                request.getBeginWithin().getSeconds(), request.getBeginWithin().getNanos());
    }

    @Override
    public void getExecution(GetExecutionRequest request, StreamObserver<GetExecutionResponse> responses) {
        answer(reader.get(tenant(), request), responses);
    }

    @Override
    public void listExecutions(ListExecutionsRequest request, StreamObserver<ListExecutionsResponse> responses) {
        answer(reader.list(tenant(), request), responses);
    }

    @Override
    public void listEntries(ListEntriesRequest request, StreamObserver<ListEntriesResponse> responses) {
        answer(reader.entries(tenant(), request), responses);
    }

    @Override
    public void listChanges(ListChangesRequest request, StreamObserver<ListChangesResponse> responses) {
        answer(reader.changes(tenant(), request), responses);
    }

    @Override
    public void listRejectedUpdates(
            ListRejectedUpdatesRequest request, StreamObserver<ListRejectedUpdatesResponse> responses) {
        answer(reader.rejected(tenant(), request), responses);
    }

    @Override
    public void createExecution(CreateExecutionRequest request, StreamObserver<CreateExecutionResponse> responses) {
        answer(creation.create(Principal.current(), request), responses);
    }

    @Override
    public void watchExecutions(WatchExecutionsRequest request, StreamObserver<WatchExecutionsResponse> responses) {
        responses.onError(Failures.grpc(notServed("WatchExecutions")));
    }

    @Override
    public void cancelExecution(CancelExecutionRequest request, StreamObserver<CancelExecutionResponse> responses) {
        answer(control.cancel(Principal.current(), request), responses);
    }

    @Override
    public void pauseExecution(PauseExecutionRequest request, StreamObserver<PauseExecutionResponse> responses) {
        answer(control.pause(Principal.current(), request), responses);
    }

    @Override
    public void resumeExecution(ResumeExecutionRequest request, StreamObserver<ResumeExecutionResponse> responses) {
        answer(control.resume(Principal.current(), request), responses);
    }

    @Override
    public void recoverExecution(RecoverExecutionRequest request, StreamObserver<RecoverExecutionResponse> responses) {
        answer(control.recover(Principal.current(), request), responses);
    }

    @Override
    public void decideApproval(DecideApprovalRequest request, StreamObserver<DecideApprovalResponse> responses) {
        answer(control.decide(Principal.current(), request), responses);
    }

    /** What callers of a method are told that the contract has and this build does not serve. */
    static DoorException notServed(String method) {
        return Failures.of(
                Reason.UNIMPLEMENTED,
                "method: %s is not served by this version (expected: another of ExecutionService)".formatted(method));
    }

    private static String tenant() {
        return Principal.current().tenant();
    }

    private static <T> void answer(Mono<T> answer, StreamObserver<T> responses) {
        ServerCallStreamObserver<T> call = (ServerCallStreamObserver<T>) responses;
        BaseSubscriber<T> asked = new BaseSubscriber<>() {
            @Override
            protected void hookOnNext(T response) {
                call.onNext(response);
            }

            @Override
            protected void hookOnComplete() {
                call.onCompleted();
            }

            @Override
            protected void hookOnError(Throwable failure) {
                call.onError(Failures.grpc(failure));
            }
        };
        call.setOnCancelHandler(asked::cancel);
        answer.subscribe(asked);
    }

    /**
     * A watch on its way to a call: asks for the next frame only while the call can take one, so that what a slow viewer
     * has not taken waits in the feed's ring and not in this process's memory.
     */
    private static final class Viewing extends BaseSubscriber<Frame> {
        private final ServerCallStreamObserver<Frame> call;
        private boolean asked;

        Viewing(ServerCallStreamObserver<Frame> call) {
            this.call = call;
        }

        void follow(reactor.core.publisher.Flux<Frame> frames) {
            call.setOnReadyHandler(this::askIfReady);
            call.setOnCancelHandler(this::cancel);
            frames.subscribe(this);
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            askIfReady();
        }

        @Override
        protected void hookOnNext(Frame frame) {
            call.onNext(frame);
            synchronized (this) {
                asked = false;
            }
            askIfReady();
        }

        @Override
        protected void hookOnComplete() {
            call.onCompleted();
        }

        @Override
        protected void hookOnError(Throwable failure) {
            call.onError(Failures.grpc(failure));
        }

        private void askIfReady() {
            synchronized (this) {
                if (asked || upstream() == null || !call.isReady()) {
                    return;
                }
                asked = true;
            }
            request(1);
        }
    }
}
