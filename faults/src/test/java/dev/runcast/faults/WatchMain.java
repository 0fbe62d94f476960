package dev.runcast.faults;

import com.google.protobuf.util.JsonFormat;
import dev.runcast.v1.Bookmark;
import dev.runcast.v1.Change;
import dev.runcast.v1.Done;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The viewers as a process: {@code FOLDER HTTP-PORT GRPC-PORT EXECUTION…}. Each execution is watched once over gRPC and
 * once over server-sent events, from whenever there is something to see to {@code Done}, over any number of cuts. Every
 * frame is written to {@code FOLDER/grpc-EXECUTION} or {@code FOLDER/sse-EXECUTION}; a frame without content says that
 * the viewer came (back) with this cursor. Ends with status 0 when all have seen the end.
 */
final class WatchMain {
    /** A stream that has not given a sign of life for so long is left: bookmarks come every second here. */
    private static final Duration SILENCE = Duration.ofSeconds(20);

    private static final Duration AGAIN = Duration.ofMillis(300);

    private WatchMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        Path folder = Path.of(arguments[0]);
        int http = Integer.parseInt(arguments[1]);
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(arguments[2]))
                .usePlaintext()
                .keepAliveTime(10, TimeUnit.SECONDS)
                .keepAliveTimeout(5, TimeUnit.SECONDS)
                .build();
        List<Thread> viewers = new ArrayList<>();
        for (String execution : List.of(arguments).subList(3, arguments.length)) {
            viewers.add(viewer(new GrpcViewer(folder.resolve("grpc-" + execution), execution, channel)));
            viewers.add(viewer(new SseViewer(folder.resolve("sse-" + execution), execution, http)));
        }
        System.out.println("ready");
        for (Thread viewer : viewers) {
            viewer.join();
        }
        Runtime.getRuntime().halt(0);
    }

    private static Thread viewer(Viewer viewer) {
        Thread thread = new Thread(viewer, viewer.getClass().getSimpleName());
        thread.start();
        return thread;
    }

    /** Comes back until it has seen the end. */
    private abstract static class Viewer implements Runnable {
        final String execution;
        private final Records frames;
        private String cursor = "";
        private boolean done;

        Viewer(Path file, String execution) {
            this.frames = Records.append(file);
            this.execution = execution;
        }

        @Override
        public void run() {
            while (!done) {
                frames.write(WatchExecutionResponse.newBuilder().setCursor(cursor).build());
                try {
                    watch(cursor);
                } catch (IOException | StatusRuntimeException cutOrNotThereYet) {
                    // Comes back below.
                }
                if (!done) {
                    Await.pause(AGAIN);
                }
            }
            frames.close();
        }

        /** Watches until the stream ends or breaks. */
        abstract void watch(String from) throws IOException;

        final void saw(WatchExecutionResponse frame) {
            frames.write(frame);
            cursor = frame.getCursor();
            done |= frame.hasDone();
        }

        /** The stream's end was the end: nothing more can come. */
        final void sawNothingMore() {
            done = true;
        }
    }

    private static final class GrpcViewer extends Viewer {
        private final ManagedChannel channel;

        GrpcViewer(Path file, String execution, ManagedChannel channel) {
            super(file, execution);
            this.channel = channel;
        }

        @Override
        void watch(String from) {
            // A connection that is dead without a word is found by the keep-alive.
            channel.resetConnectBackoff();
            Iterator<WatchExecutionResponse> stream = ExecutionServiceGrpc.newBlockingStub(channel)
                    .watchExecution(WatchExecutionRequest.newBuilder()
                            .setExecutionId(execution)
                            .setCursor(from)
                            .build());
            while (stream.hasNext()) {
                saw(stream.next());
            }
        }
    }

    private static final class SseViewer extends Viewer {
        private static final JsonFormat.Parser JSON = JsonFormat.parser();

        private final int port;

        SseViewer(Path file, String execution, int port) {
            super(file, execution);
            this.port = port;
        }

        @Override
        void watch(String from) throws IOException {
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://127.0.0.1:%d/v1/executions/%s:watch".formatted(port, execution))
                            .toURL()
                            .openConnection();
            connection.setConnectTimeout((int) SILENCE.toMillis());
            connection.setReadTimeout((int) SILENCE.toMillis());
            if (!from.isEmpty()) {
                connection.setRequestProperty("Last-Event-ID", from);
            }
            try {
                int status = connection.getResponseCode();
                if (status == HttpURLConnection.HTTP_NO_CONTENT) {
                    sawNothingMore();
                } else if (status == HttpURLConnection.HTTP_OK) {
                    read(new BufferedReader(
                            new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8)));
                }
            } finally {
                connection.disconnect();
            }
        }

        private void read(BufferedReader lines) throws IOException {
            String id = "";
            String event = "";
            String data = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("event: ")) {
                    event = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                } else if (line.isEmpty() && !event.isEmpty()) {
                    if (event.equals("failure")) {
                        return;
                    }
                    saw(frame(event, data).setCursor(id).build());
                    id = "";
                    event = "";
                    data = "";
                }
            }
        }

        private static WatchExecutionResponse.Builder frame(String event, String data) throws IOException {
            WatchExecutionResponse.Builder frame = WatchExecutionResponse.newBuilder();
            switch (event) {
                case "snapshot" -> {
                    Snapshot.Builder body = Snapshot.newBuilder();
                    JSON.merge(data, body);
                    frame.setSnapshot(body);
                }
                case "change" -> {
                    Change.Builder body = Change.newBuilder();
                    JSON.merge(data, body);
                    frame.setChange(body);
                }
                case "bookmark" -> {
                    Bookmark.Builder body = Bookmark.newBuilder();
                    JSON.merge(data, body);
                    frame.setBookmark(body);
                }
                case "done" -> {
                    Done.Builder body = Done.newBuilder();
                    JSON.merge(data, body);
                    frame.setDone(body);
                }
                default -> throw new IOException("event: " + event + " (expected: one of the contract)");
            }
            return frame;
        }
    }
}
