package dev.runcast.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.sink.Rebuild;
import dev.runcast.sink.RebuildReport;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Change;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListChangesResponse;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The largest change that valid input makes: a run ends while 512 approvals are open, each with all that it may say. It
 * goes through the broker, the sink and the store, and to viewers whose clients take messages of 4 MiB.
 */
@Timeout(300)
class LargeChangeIT {
    private static final int OPEN = 512;
    private static final String ID = "large";

    @TempDir
    static Path folder;

    @Test
    void theEndOfARunWithFiveHundredOpenApprovalsReachesEveryReader() throws Exception {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        try (LocalStack stack = LocalStack.start(new StackOptions(), folder.resolve("data"), line -> {})) {
            ManagedChannel ingest = channel(stack.addresses().ingest());
            // 4 MiB is what every client of gRPC takes unless it is told otherwise.
            ManagedChannel api = channel(stack.addresses().api());
            try {
                read(stack, ingest, api);
            } finally {
                ingest.shutdownNow();
                api.shutdownNow();
            }
        }
    }

    private static void read(LocalStack stack, ManagedChannel ingest, ManagedChannel api) throws Exception {
        IngestServiceGrpc.IngestServiceBlockingStub runner = IngestServiceGrpc.newBlockingStub(ingest);
        publish(
                runner,
                Update.newBuilder()
                        .setDeclared(Declared.newBuilder()
                                .setSpec(ExecutionSpec.newBuilder().setAgent("asker"))));
        publish(runner, phase(Phase.PHASE_RUNNING));
        Random random = new Random(1);
        for (int i = 0; i < OPEN; i++) {
            publish(runner, approval("a" + i, random));
        }
        ExecutionServiceGrpc.ExecutionServiceBlockingStub reader =
                ExecutionServiceGrpc.newBlockingStub(api).withDeadlineAfter(200, TimeUnit.SECONDS);
        org.awaitility.Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .until(() -> version(reader) == OPEN + 2);
        List<WatchExecutionResponse> frames = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> live = CompletableFuture.runAsync(() -> watch(reader, "", frames));
        CompletableFuture<List<String>> events = CompletableFuture.supplyAsync(() -> events(stack));
        // What has begun before the end is given the end as a change, or in place of it.
        org.awaitility.Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> frames.stream()
                .anyMatch(frame -> frame.getSnapshot().getLast()));
        publish(runner, phase(Phase.PHASE_COMPLETED));

        live.get(120, TimeUnit.SECONDS);
        assertThat(frames.get(frames.size() - 1).getDone().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(frames)
                .allSatisfy(frame -> assertThat(frame.getSerializedSize()).isLessThan(4 * 1024 * 1024));
        assertThat(settled(frames)).isEqualTo(OPEN);
        assertThat(events.get(120, TimeUnit.SECONDS)).last().isEqualTo("event: done");

        String before = frames.stream()
                .filter(frame -> frame.hasSnapshot() && frame.getSnapshot().getLast())
                .map(WatchExecutionResponse::getCursor)
                .findFirst()
                .orElseThrow();
        List<WatchExecutionResponse> resumed = new ArrayList<>();
        watch(reader, before, resumed);
        assertThat(settled(resumed)).isEqualTo(OPEN);
        assertThat(resumed.get(resumed.size() - 1).hasDone()).isTrue();

        List<Change> changes = changes(reader);
        assertThat(changes).hasSize(OPEN + 3);
        Change end = changes.get(OPEN + 2);
        assertThat(end.getEntriesOmitted()).isEqualTo(OPEN);
        assertThat(entries(reader)).hasSize(OPEN).allSatisfy(entry -> assertThat(entry.getState())
                .isEqualTo(EntryState.ENTRY_STATE_INTERRUPTED));
        try (MongoExecutionStore store = MongoExecutionStore.connect(
                MongoSettings.embedded(stack.addresses().mongo()))) {
            Change stored = store.changes(new dev.runcast.merge.ExecutionKey("default", ID), OPEN + 2, OPEN + 3)
                    .blockFirst();
            assertThat(stored.getSerializedSize()).isBetween(10_000_000, Topic.MAX_CHANGE_BYTES);
            assertThat(store.deadLetters(10).collectList().block()).isEmpty();
            RebuildReport report = new Rebuild(
                            new ClientSettings(stack.addresses().kafka()), store, Duration.ofSeconds(15))
                    .verify((step, done, all) -> {});
            assertThat(report.findings()).isEmpty();
        }
    }

    private static long version(ExecutionServiceGrpc.ExecutionServiceBlockingStub reader) {
        return reader.getExecution(
                        GetExecutionRequest.newBuilder().setExecutionId(ID).build())
                .getExecution()
                .getVersion();
    }

    private static void watch(
            ExecutionServiceGrpc.ExecutionServiceBlockingStub reader, String cursor, List<WatchExecutionResponse> to) {
        reader.watchExecution(WatchExecutionRequest.newBuilder()
                        .setExecutionId(ID)
                        .setCursor(cursor)
                        .build())
                .forEachRemaining(to::add);
    }

    /** Entries in the snapshot that takes the place of the end. */
    private static long settled(List<WatchExecutionResponse> frames) {
        return frames.stream()
                .filter(frame -> frame.getSnapshot().getReason() == SnapshotReason.SNAPSHOT_REASON_LARGE)
                .flatMap(frame -> frame.getSnapshot().getEntriesList().stream())
                .filter(entry -> entry.getState() == EntryState.ENTRY_STATE_INTERRUPTED)
                .count();
    }

    private static List<String> events(LocalStack stack) {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(
                                            "http://" + stack.addresses().page() + "/v1/executions/" + ID + ":watch"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofLines())
                    .body()
                    .filter(line -> line.startsWith("event: "))
                    .toList();
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Change> changes(ExecutionServiceGrpc.ExecutionServiceBlockingStub reader) {
        List<Change> changes = new ArrayList<>();
        String page = "";
        do {
            ListChangesResponse response = reader.listChanges(ListChangesRequest.newBuilder()
                    .setExecutionId(ID)
                    .setPageSize(1000)
                    .setPageToken(page)
                    .build());
            changes.addAll(response.getChangesList());
            page = response.getNextPageToken();
        } while (!page.isEmpty());
        return changes;
    }

    private static List<Entry> entries(ExecutionServiceGrpc.ExecutionServiceBlockingStub reader) {
        List<Entry> entries = new ArrayList<>();
        String page = "";
        do {
            ListEntriesResponse response = reader.listEntries(ListEntriesRequest.newBuilder()
                    .setExecutionId(ID)
                    .setAtVersion(OPEN + 3)
                    .setPageSize(1000)
                    .setPageToken(page)
                    .build());
            entries.addAll(response.getEntriesList());
            page = response.getNextPageToken();
        } while (!page.isEmpty());
        return entries;
    }

    private static Update.Builder phase(Phase phase) {
        return Update.newBuilder().setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase));
    }

    private static Update.Builder approval(String id, Random random) {
        return Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder()
                                .setEntryId(id)
                                .setState(EntryState.ENTRY_STATE_WAITING)
                                .setApproval(Approval.newBuilder()
                                        .setPrompt(noise(4096, random))
                                        .setResponseSchema(noise(16384, random)))));
    }

    private static String noise(int length, Random random) {
        StringBuilder noise = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            noise.append((char) (' ' + random.nextInt(95)));
        }
        return noise.toString();
    }

    private static void publish(IngestServiceGrpc.IngestServiceBlockingStub runner, Update.Builder update) {
        runner.publishUpdate(PublishUpdateRequest.newBuilder()
                .setBatch(UpdateBatch.newBuilder()
                        .setExecutionId(ID)
                        .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                        .setRequestId(java.util.UUID.randomUUID().toString().replace("-", ""))
                        .addUpdates(update))
                .build());
    }

    private static ManagedChannel channel(String address) {
        return NettyChannelBuilder.forTarget(address).usePlaintext().build();
    }
}
