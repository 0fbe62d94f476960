package dev.runcast.benchmarks;

import com.google.protobuf.CodedOutputStream;
import dev.runcast.v1.Ack;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Runners at full speed: batches over several streams, a fixed number of them without an ack at any time. Frames are
 * made before and only get their sequence when they are sent, so that on a machine shared with the server the load
 * costs as little as it can.
 */
final class PublishLoad implements AutoCloseable {
    private static final int STREAMS = 4;
    private static final int CONNECTIONS = 2;
    /** Batches without an ack on one stream. */
    private static final int WINDOW = 64;
    /** The longest without any ack. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<ManagedChannel> channels = new ArrayList<>();
    private final LongAdder acked = new LongAdder();
    private final CompletableFuture<Void> failed = new CompletableFuture<>();
    private volatile boolean ending;

    /** @param executions how many take turns */
    PublishLoad(String target, int executions, int updatesInBatch) {
        String run = Long.toString(System.nanoTime(), 36);
        long epoch = System.currentTimeMillis();
        for (int i = 0; i < CONNECTIONS; i++) {
            channels.add(NettyChannelBuilder.forTarget(target)
                    .usePlaintext()
                    .directExecutor()
                    .build());
        }
        for (int stream = 0; stream < STREAMS; stream++) {
            List<Frames> mine = new ArrayList<>();
            for (int i = stream; i < executions; i += STREAMS) {
                mine.add(new Frames(Workload.batch("b-" + run + "-" + i, epoch, 1, updatesInBatch, i)));
            }
            new Stream(mine).start(channels.get(stream % CONNECTIONS));
        }
    }

    /**
     * Acked updates a second over a time, or over as much more as the first ack needs.
     *
     * @throws IllegalStateException when the server refused something, ended a stream, or acked nothing for long
     */
    double measure(Duration time) throws InterruptedException {
        long before = acked.sum();
        long began = System.nanoTime();
        do {
            try {
                failed.get(time.toNanos(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException asItShould) {
                // It goes on.
            } catch (java.util.concurrent.ExecutionException e) {
                throw new IllegalStateException("publishing failed: " + e.getCause(), e);
            }
            if (System.nanoTime() - began > PATIENCE.plus(time).toNanos()) {
                throw new IllegalStateException("nothing was acked (expected: something within " + PATIENCE + ")");
            }
        } while (acked.sum() == before);
        return (acked.sum() - before) / ((System.nanoTime() - began) / 1e9);
    }

    @Override
    public void close() {
        ending = true;
        channels.forEach(ManagedChannel::shutdownNow);
        for (ManagedChannel channel : channels) {
            try {
                channel.awaitTermination(5, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** One stream; everything of it happens in its call's callbacks, one at a time. */
    private final class Stream extends ClientCall.Listener<PublishUpdatesResponse> {
        private final List<Frames> executions;
        private final Map<String, Frames> byId = new HashMap<>();
        private int next;
        private int inFlight;
        private @Nullable ClientCall<byte[], PublishUpdatesResponse> call;

        Stream(List<Frames> executions) {
            this.executions = executions;
            executions.forEach(each -> byId.put(each.executionId, each));
        }

        void start(ManagedChannel channel) {
            ClientCall<byte[], PublishUpdatesResponse> starting = channel.newCall(RAW, CallOptions.DEFAULT);
            call = starting;
            starting.start(this, new Metadata());
            starting.request(WINDOW);
        }

        @Override
        public void onReady() {
            fill();
        }

        @Override
        public void onMessage(PublishUpdatesResponse response) {
            if (response.hasRefusal()) {
                failed.completeExceptionally(new IllegalStateException(
                        "refused: " + response.getRefusal().getMessage()));
            } else if (response.hasAck()) {
                Ack ack = response.getAck();
                Frames execution = byId.get(ack.getExecutionId());
                if (execution != null) {
                    int batches = execution.acked(ack.getSequence());
                    inFlight -= batches;
                    acked.add((long) batches * execution.updates);
                }
            }
            open().request(1);
            fill();
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            if (!ending) {
                failed.completeExceptionally(new IllegalStateException("the stream ended: " + status));
            }
        }

        private void fill() {
            ClientCall<byte[], PublishUpdatesResponse> open = open();
            while (inFlight < WINDOW && !ending) {
                Frames execution = executions.get(next);
                next = (next + 1) % executions.size();
                open.sendMessage(execution.next());
                inFlight++;
            }
        }

        private ClientCall<byte[], PublishUpdatesResponse> open() {
            if (call == null) {
                throw new IllegalStateException("the stream has not been started");
            }
            return call;
        }
    }

    /** The frames of one execution: its batch, over and over, under the next sequence. */
    private static final class Frames {
        private final String executionId;
        private final int updates;
        private final byte[] before;
        private final byte[] after;
        private long sent;
        private long acked;

        Frames(UpdateBatch batch) {
            executionId = batch.getExecutionId();
            updates = batch.getUpdatesCount();
            before = batch.toBuilder().clearPosition().clearUpdates().build().toByteArray();
            after = UpdateBatch.newBuilder()
                    .addAllUpdates(batch.getUpdatesList())
                    .build()
                    .toByteArray();
        }

        byte[] next() {
            long sequence = sent + 1;
            sent += updates;
            int size = before.length
                    + CodedOutputStream.computeInt64Size(UpdateBatch.FIRST_SEQUENCE_FIELD_NUMBER, sequence)
                    + after.length;
            byte[] frame = new byte
                    [CodedOutputStream.computeTagSize(PublishUpdatesRequest.BATCH_FIELD_NUMBER)
                            + CodedOutputStream.computeUInt32SizeNoTag(size)
                            + size];
            CodedOutputStream out = CodedOutputStream.newInstance(frame);
            try {
                out.writeTag(PublishUpdatesRequest.BATCH_FIELD_NUMBER, 2);
                out.writeUInt32NoTag(size);
                out.writeRawBytes(before);
                out.writeInt64(UpdateBatch.FIRST_SEQUENCE_FIELD_NUMBER, sequence);
                out.writeRawBytes(after);
                out.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return frame;
        }

        /** How many batches became durable by this ack, which stands for all before it. */
        int acked(long sequence) {
            int batches = Math.toIntExact((sequence - acked) / updates);
            acked = Math.max(acked, sequence);
            return Math.max(0, batches);
        }
    }

    private static final MethodDescriptor<byte[], PublishUpdatesResponse> RAW =
            IngestServiceGrpc.getPublishUpdatesMethod().toBuilder(
                            new MethodDescriptor.Marshaller<byte[]>() {
                                @Override
                                public InputStream stream(byte[] frame) {
                                    return new Written(frame);
                                }

                                @Override
                                public byte[] parse(InputStream stream) {
                                    throw new UnsupportedOperationException("only sent");
                                }
                            },
                            IngestServiceGrpc.getPublishUpdatesMethod().getResponseMarshaller())
                    .build();

    /** gRPC copies what it knows the length of without a buffer in between. */
    private static final class Written extends ByteArrayInputStream implements io.grpc.Drainable, io.grpc.KnownLength {
        Written(byte[] frame) {
            super(frame);
        }

        @Override
        public int drainTo(java.io.OutputStream target) throws IOException {
            int length = count - pos;
            target.write(buf, pos, length);
            pos = count;
            return length;
        }
    }
}
