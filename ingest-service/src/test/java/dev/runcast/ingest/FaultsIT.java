package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The broker goes away, the service is stopped: what is acked is in the log, in order and without a hole. */
class FaultsIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    @Test
    void brokerThatGoesAndComesBackLosesNothingThatIsAcked() throws InterruptedException {
        try (RunningDoor door = RunningDoor.start(kafka, "runcast.ingest.delivery-timeout=2s")) {
            Runner runner = Runner.open(door.channel());
            Resender one = new Resender(runner, "broker-1");
            Resender two = new Resender(runner, "broker-2");
            Thread sending = new Thread(() -> {
                boolean more = true;
                while (more) {
                    boolean moreOfOne = one.step();
                    boolean moreOfTwo = two.step();
                    more = moreOfOne || moreOfTwo;
                    LockSupport.parkNanos(200_000);
                }
            });
            sending.start();
            await().atMost(Duration.ofSeconds(20)).until(() -> runner.acked("broker-1") > 200);
            kafka.stop();
            // Longer than the delivery timeout, so sends have failed; what was taken later may land all the same.
            await().atMost(Duration.ofSeconds(30)).until(() -> runner.refusals().size() >= 2);
            assertThat(runner.refusals()).allSatisfy(refusal -> assertThat(refusal.getReason())
                    .isIn(RejectionReason.REJECTION_REASON_UNAVAILABLE, RejectionReason.REJECTION_REASON_OUT_OF_ORDER));
            kafka.restart();
            sending.join(60_000);
            assertThat(sending.isAlive()).as("all is acked within a minute").isFalse();
            runner.cancel();
            assertWhole("default/broker-1");
            assertWhole("default/broker-2");
        }
    }

    /** What the merge would apply: the next sequence each time; the rest it has seen or it lies beyond a gap. */
    private static void assertWhole(String key) {
        long applied = 0;
        for (UpdateBatch batch : Log.of(kafka).batches(key)) {
            for (int i = 0; i < batch.getUpdatesCount(); i++) {
                long sequence = batch.getFirstSequence() + i;
                assertThat(batch.getUpdates(i).getTextAppended().getText())
                        .isEqualTo(batch.getExecutionId() + "#" + sequence);
                if (sequence == applied + 1) {
                    applied = sequence;
                }
            }
        }
        assertThat(applied).isEqualTo(Resender.TOTAL);
    }

    @Test
    void stoppingFinishesWhatWasTakenAndSaysSo() {
        RunningDoor door = RunningDoor.start(kafka);
        List<HealthCheckResponse.ServingStatus> health = new CopyOnWriteArrayList<>();
        HealthGrpc.newStub(door.channel()).watch(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {
            @Override
            public void onNext(HealthCheckResponse response) {
                health.add(response.getStatus());
            }

            @Override
            public void onError(Throwable failure) {}

            @Override
            public void onCompleted() {}
        });
        await().until(() -> health.contains(HealthCheckResponse.ServingStatus.SERVING));
        Runner runner = Runner.open(door.channel());
        Runner idle = Runner.open(door.channel());
        for (int i = 0; i < 500; i++) {
            runner.send(batch("drain", 1 + 10L * i, 10));
        }
        runner.awaitAck("drain", 5000);
        for (int i = 500; i < 1000; i++) {
            runner.send(batch("drain", 1 + 10L * i, 10));
        }
        door.stop();
        Status end = runner.awaitEnd();
        assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(idle.awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(health).endsWith(HealthCheckResponse.ServingStatus.NOT_SERVING);
        long acked = runner.acked("drain");
        long logged = Log.of(kafka).batches("default/drain").stream()
                .mapToLong(batch -> batch.getFirstSequence() + batch.getUpdatesCount() - 1)
                .max()
                .orElse(0);
        assertThat(acked).as("what was taken was acked before the stream ended").isEqualTo(logged);
        door.close();
    }

    @Test
    void portInUseIsSaidWithTheAddress() {
        try (RunningDoor door = RunningDoor.start(kafka)) {
            assertThatThrownBy(() -> RunningDoor.start(kafka, "runcast.ingest.port=" + door.port()))
                    .hasStackTraceContaining("cannot listen on /127.0.0.1:" + door.port())
                    .hasStackTraceContaining("(expected: a free port; set runcast.ingest.port)");
        }
    }

    @Test
    void addressForTheWorldWithoutTokensIsRefused() {
        assertThatThrownBy(() -> RunningDoor.start(kafka, "runcast.ingest.address=0.0.0.0"))
                .hasStackTraceContaining(
                        "0.0.0.0 without a token file (expected: a loopback address, or a token file)");
    }

    /** A runner that keeps what is not acked and goes back when it is told to. */
    private static final class Resender {
        static final long TOTAL = 3000;
        private static final int WINDOW = 200;

        private final Runner runner;
        private final String execution;
        private long next = 1;
        private int refusalsSeen;

        Resender(Runner runner, String execution) {
            this.runner = runner;
            this.execution = execution;
        }

        /** Whether there is more to do. */
        boolean step() {
            List<Refusal> refusals = runner.refusals().stream()
                    .filter(refusal -> refusal.getExecutionId().equals(execution))
                    .toList();
            if (refusals.size() > refusalsSeen) {
                refusalsSeen = refusals.size();
                next = refusals.get(refusals.size() - 1).getExpectedSequence();
            }
            long acked = runner.acked(execution);
            if (next <= TOTAL && next - acked <= WINDOW) {
                int updates = (int) Math.min(3, TOTAL - next + 1);
                runner.send(batch(execution, next, updates));
                next += updates;
            }
            return acked < TOTAL;
        }
    }
}
