package dev.runcast.faults;

import dev.runcast.v1.Ack;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.InternalConfigurator;
import io.grpc.InternalConfiguratorRegistry;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes down every batch before it is sent and every ack before the runner client hears of it, whatever the client
 * makes of them.
 */
final class FrameTap implements ClientInterceptor {
    private final Records sent;
    private final Records acked;

    private FrameTap(Path folder) {
        this.sent = Records.append(folder.resolve("sent"));
        this.acked = Records.append(folder.resolve("acked"));
    }

    /** For every channel that this process builds from now on. */
    static void install(Path folder) {
        FrameTap tap = new FrameTap(folder);
        InternalConfiguratorRegistry.setConfigurators(List.of(new InternalConfigurator() {
            @Override
            public void configureChannelBuilder(ManagedChannelBuilder<?> builder) {
                builder.intercept(tap);
            }
        }));
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            private UpdateBatch unary = UpdateBatch.getDefaultInstance();

            @Override
            public void sendMessage(Q message) {
                if (message instanceof PublishUpdatesRequest frame && frame.hasBatch()) {
                    sent.write(frame.getBatch());
                } else if (message instanceof PublishUpdateRequest request) {
                    unary = request.getBatch();
                    sent.write(unary);
                }
                super.sendMessage(message);
            }

            @Override
            public void start(Listener<A> listener, Metadata headers) {
                super.start(
                        new SimpleForwardingClientCallListener<>(listener) {
                            @Override
                            public void onMessage(A message) {
                                if (message instanceof PublishUpdatesResponse frame && frame.hasAck()) {
                                    acked.write(frame.getAck());
                                } else if (method.getFullMethodName()
                                        .equals(IngestServiceGrpc.getPublishUpdateMethod()
                                                .getFullMethodName())) {
                                    acked.write(Ack.newBuilder()
                                            .setExecutionId(unary.getExecutionId())
                                            .setWriter(unary.getWriter())
                                            .setRequestId(unary.getRequestId())
                                            .build());
                                }
                                super.onMessage(message);
                            }
                        },
                        headers);
            }
        };
    }
}
