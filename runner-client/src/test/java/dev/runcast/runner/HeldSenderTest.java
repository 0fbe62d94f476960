package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Role;
import dev.runcast.v1.Update;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The sender stands still in the middle of its work, as it does when it loses its core: agents do without it. */
@Timeout(60)
class HeldSenderTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final StreamKey RUN = new StreamKey("run-1", "", EPOCH);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int THREADS = 3;
    private static final int ROUNDS = 5_000;

    private final FakeIngest ingest = new FakeIngest();
    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);

    @AfterEach
    void stopTheDoor() {
        ingest.close();
    }

    @Test
    void whileItSendsCallsReturnWithoutWaiting() throws InterruptedException {
        ReporterConfig config = config();
        try (StatusReporter reporter =
                new StatusReporter(config, ReporterListener.NONE, new Holding(new GrpcTransport(config)))) {
            ExecutionReporter run = warm(reporter);
            run.running();
            assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
            callsGoOn(reporter, run);
        }
    }

    @Test
    void whileItGivesSequencesCallsReturnWithoutWaiting() throws InterruptedException {
        InstantSource clock = () -> {
            if (Thread.currentThread().getName().equals("runcast-sender")) {
                hold();
            }
            return Instant.now();
        };
        try (StatusReporter reporter = StatusReporter.open(config().withClock(clock))) {
            ExecutionReporter run = warm(reporter);
            // Its note gets the time when it gets its sequence.
            run.appendText("not an id", "");
            assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
            callsGoOn(reporter, run);
        }
    }

    @Test
    void noLockOfAnExecutionIsTakenByACall() throws InterruptedException {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = warm(reporter);
            Outbox outbox = run.outbox();
            synchronized (outbox) {
                synchronized (outbox.queue) {
                    synchronized (outbox.inbox) {
                        synchronized (outbox.level) {
                            callsGoOn(reporter, run);
                        }
                    }
                }
            }
        }
    }

    /** Classes are loaded before anything is held: who waits for that waits for a lock too. */
    private ExecutionReporter warm(StatusReporter reporter) {
        ExecutionReporter other = reporter.execution("run-0", EPOCH);
        report(reporter, other, 0, 10);
        other.appendText("not an id", "");
        ManagementFactory.getThreadMXBean().getThreadInfo(Thread.currentThread().getId());
        return reporter.execution("run-1", EPOCH);
    }

    private void callsGoOn(StatusReporter reporter, ExecutionReporter run) throws InterruptedException {
        Queue<ThreadInfo> ends = new ConcurrentLinkedQueue<>();
        List<Thread> agents = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            Thread agent = new Thread(() -> {
                report(reporter, run, number, ROUNDS);
                ends.add(ManagementFactory.getThreadMXBean()
                        .getThreadInfo(Thread.currentThread().getId()));
            });
            agent.setDaemon(true);
            agents.add(agent);
            agent.start();
        }
        for (Thread agent : agents) {
            agent.join(PATIENCE.toMillis());
        }
        assertThat(ends).hasSize(THREADS).allSatisfy(end -> {
            assertThat(end.getBlockedCount()).as("times it was blocked").isZero();
            assertThat(end.getWaitedCount()).as("times it waited").isZero();
        });
        release.countDown();
        assertThat(reporter.flush(PATIENCE).complete()).isTrue();
        List<Update> log = ingest.log.updates(RUN);
        long progress = log.stream().filter(Update::hasExecutionPatched).count();
        long omitted =
                log.stream().mapToLong(update -> update.getOmitted().getCount()).sum();
        assertThat(progress).isPositive();
        assertThat(progress + omitted).isBetween((long) THREADS * ROUNDS, 3L * THREADS * ROUNDS + 1);
        assertThat(reporter.stats().waitingBytes()).isZero();
        assertThat(reporter.stats().waitingUpdates()).isZero();
    }

    private static void report(StatusReporter reporter, ExecutionReporter run, int number, int rounds) {
        String message = "m-" + number;
        run.messageStarted(message, Role.ROLE_AI);
        for (int i = 0; i < rounds; i++) {
            run.traceparent(i % 100 == 0 ? "a" : "b");
            run.appendText(message, "some words of a model ");
            run.progress(i % 100, message);
            Objects.requireNonNull(reporter.execution(run.executionId(), EPOCH));
            if (run.cancelRequested() || run.paused()) {
                throw new AssertionError("nobody asked for it");
            }
        }
    }

    private void hold() {
        held.countDown();
        try {
            release.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private ReporterConfig config() {
        return ReporterConfig.of(ingest.target())
                .withCadence(Duration.ofMillis(10), Duration.ofMillis(50))
                .withMemoryBytes(2 * 1024 * 1024);
    }

    /** The real thing, but the first batch is held. */
    private final class Holding implements Transport {
        private final Transport transport;

        Holding(Transport transport) {
            this.transport = transport;
        }

        @Override
        public Connection connect(Listener listener) {
            Connection connection = transport.connect(listener);
            return new Connection() {
                @Override
                public boolean isReady() {
                    return connection.isReady();
                }

                @Override
                public void send(PublishUpdatesRequest frame) {
                    if (frame.getBatch().getExecutionId().equals(RUN.executionId())) {
                        hold();
                    }
                    connection.send(frame);
                }

                @Override
                public void dealtWith() {
                    connection.dealtWith();
                }

                @Override
                public void finish() {
                    connection.finish();
                }

                @Override
                public void cancel(String reason) {
                    connection.cancel(reason);
                }
            };
        }

        @Override
        public void close(Duration timeout) {
            transport.close(timeout);
        }
    }
}
