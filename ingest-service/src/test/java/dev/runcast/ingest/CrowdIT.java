package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runners that cost the door something and give it nothing, against a door of 96 MB: a busy runner is served. */
class CrowdIT {
    private static final int STREAMS = 10_000;
    private static final int CONNECTIONS = 20;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    static DoorProcess door;

    private final List<ManagedChannel> channels = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        door = DoorProcess.start("96m", kafka.bootstrapServers());
    }

    @AfterAll
    static void stop() {
        door.close();
        kafka.close();
    }

    @AfterEach
    void hangUp() {
        channels.forEach(ManagedChannel::shutdownNow);
        assertThat(door.isAlive()).as(door.output()).isTrue();
    }

    @Test
    void tenThousandIdleStreamsLeaveABusyOneItsPace() {
        Runner busy = Runner.open(channel());
        long[] alone = latencies(busy, "busy", 1, 300);
        List<Runner> idle = new ArrayList<>();
        for (int connection = 0; connection < CONNECTIONS; connection++) {
            ManagedChannel shared = channel();
            for (int i = 0; i < STREAMS / CONNECTIONS; i++) {
                idle.add(Runner.open(shared));
            }
        }
        // Each has got through to the service: it has one execution, and has nothing to say afterwards.
        for (int i = 0; i < idle.size(); i++) {
            idle.get(i).send(batch("idle-" + i, 1, 1));
        }
        await().atMost(Duration.ofMinutes(2))
                .until(() -> idle.stream().allMatch(runner -> runner.acks().size() == 1));
        long[] among = latencies(busy, "busy", 301, 300);
        assertThat(idle).noneMatch(Runner::ended);
        System.out.printf(
                "busy stream: p50 %d us alone, %d us among %d idle; p99 %d us, %d us%n",
                alone[150] / 1000, among[150] / 1000, STREAMS, alone[297] / 1000, among[297] / 1000);
        assertThat(Duration.ofNanos(among[150]))
                .as("median beside %s when alone", Duration.ofNanos(alone[150]))
                .isLessThan(Duration.ofMillis(50));
        // They are streams like any other when they wake.
        idle.get(STREAMS / 2).send(batch("idle-" + STREAMS / 2, 2, 1)).awaitAck("idle-" + STREAMS / 2, 2);
    }

    /** Together they would send more than the door has memory for, and leave more answers lying than that. */
    @Test
    void runnersThatSendAndNeverReadHoldUpNobody() {
        List<Runner> deaf = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            deaf.add(Runner.deaf(channel()));
        }
        long sent = 0;
        String words = "x".repeat(60_000);
        long until = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        for (int round = 0; System.nanoTime() < until; round++) {
            for (int i = 0; i < deaf.size(); i++) {
                if (deaf.get(i).ready()) {
                    String execution = "deaf-" + i;
                    deaf.get(i)
                            .send(Batches.request(execution, "request-" + round)
                                    .setUpdates(0, Batches.message("m" + round, words)));
                    // Wrong each time, so that there is an answer of its own to each.
                    deaf.get(i).send(Batches.request(execution, "?"));
                    sent += 60_000;
                }
            }
        }
        System.out.printf("deaf runners sent %d MB%n", sent >> 20);
        Runner busy = Runner.open(channel());
        long[] among = latencies(busy, "beside-the-deaf", 1, 100);
        assertThat(Duration.ofNanos(among[50])).isLessThan(Duration.ofMillis(500));
        assertThat(busy.refusals()).isEmpty();
        deaf.forEach(Runner::cancel);
    }

    /** Nanoseconds from a batch to its ack, one after another, sorted. */
    private static long[] latencies(Runner runner, String execution, long first, int count) {
        long[] nanos = new long[count];
        for (int i = 0; i < count; i++) {
            long sequence = first + i;
            long started = System.nanoTime();
            runner.send(batch(execution, sequence, 1));
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofNanos(200_000))
                    // The first may stand behind all that others have sent by then.
                    .atMost(Duration.ofMinutes(2))
                    .until(() -> runner.acked(execution) == sequence);
            nanos[i] = System.nanoTime() - started;
        }
        Arrays.sort(nanos);
        return nanos;
    }

    private ManagedChannel channel() {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", door.port())
                .usePlaintext()
                .build();
        channels.add(channel);
        return channel;
    }
}
