package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.EPOCH;
import static dev.runcast.ingest.Batches.RUNNER;
import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Merge;
import dev.runcast.v1.Attach;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.ResendRequest;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RunnerStreamTest {
    private MemoryDoor door = new MemoryDoor(Map.of());

    @AfterEach
    void close() {
        door.close();
    }

    @Test
    void nothingIsAckedBeforeItIsDurable() {
        door.log.hold();
        Runner runner = Runner.open(door.channel()).send(batch("e", 1, 2)).send(batch("e", 3, 1));
        await().until(() -> door.log.waiting() == 2);
        assertThat(runner.acks()).isEmpty();
        door.log.land();
        runner.awaitAck("e", 2);
        door.log.land();
        runner.awaitAck("e", 3);
    }

    @Test
    void clientsStampsAreOverwritten() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 1).setTenant("other").setPrincipal("somebody").setRules(99));
        runner.awaitAck("e", 1);
        UpdateBatch logged = door.log.logged().get(0);
        assertThat(logged.getTenant()).isEqualTo("default");
        assertThat(logged.getPrincipal()).isEqualTo("local");
        assertThat(logged.getRules()).isEqualTo(Merge.NEWEST_RULES);
        assertThat(logged.hasReceivedAt()).isTrue();
    }

    @Test
    void failedSendsAreSentAgainFromTheFirstAndTheLaterOnesThatLandAreNotAcked() {
        door.log.hold();
        Runner runner = Runner.open(door.channel());
        for (int i = 1; i <= 100; i++) {
            runner.send(batch("e", i, 1));
        }
        await().until(() -> door.log.waiting() == 100);
        for (int i = 0; i < 20; i++) {
            door.log.fail();
        }
        for (int i = 0; i < 80; i++) {
            door.log.land();
        }
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_UNAVAILABLE);
        assertThat(refusal.getExpectedSequence()).isEqualTo(1);
        assertThat(refusal.getRetryable()).isTrue();
        door.log.release();
        runner.send(batch("e", 101, 1)).send(batch("e", 1, 101));
        runner.awaitAck("e", 101);
        assertThat(runner.acks()).hasSize(1);
        assertThat(runner.refusals()).hasSize(1);
        assertThat(door.count("runcast.ingest.updates.behind")).isEqualTo(1);
    }

    @Test
    void validBeginningOfABatchIsTakenAndTheBadUpdateIsNamed() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 4).setUpdates(2, Update.getDefaultInstance()))
                .send(batch("other", 1, 1))
                .send(batch("e", 5, 1));
        runner.awaitAck("e", 2);
        runner.awaitAck("other", 1);
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getSequence()).isEqualTo(3);
        assertThat(refusal.getExpectedSequence()).isEqualTo(3);
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_INVALID);
        assertThat(refusal.getRetryable()).isFalse();
        assertThat(refusal.getMessage()).contains("change");
        runner.send(batch("e", 3, 3));
        runner.awaitAck("e", 5);
        assertThat(runner.refusals()).hasSize(1);
        assertThat(door.log.logged().stream()
                        .filter(logged -> logged.getExecutionId().equals("e"))
                        .map(UpdateBatch::getFirstSequence))
                .containsExactly(1L, 3L);
    }

    @Test
    void gapIsRefusedWithTheSequenceThatIsMissing() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 1)).send(batch("e", 3, 1)).send(batch("e", 4, 1));
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_SEQUENCE_GAP);
        assertThat(refusal.getMessage()).isEqualTo("sequence: 3 (expected: 2)");
        runner.send(batch("e", 2, 3));
        runner.awaitAck("e", 4);
        assertThat(runner.refusals()).hasSize(1);
    }

    @Test
    void batchWhoseHeaderIsBadHoldsUpItsWriterToo() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 1).setTraceparent("x".repeat(129))).send(batch("e", 2, 1));
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getSequence()).isEqualTo(1);
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_TOO_LARGE);
        runner.send(batch("e", 1, 1));
        runner.awaitAck("e", 1);
        assertThat(door.log.logged()).hasSize(1);
    }

    @Test
    void whoGoesOnBehindARefusalIsReminded() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 1)).send(batch("e", 3, 1));
        runner.awaitRefusal();
        await().pollInterval(Duration.ofMillis(100)).until(() -> {
            runner.send(batch("e", 4, 1));
            return runner.refusals().size() >= 2;
        });
        Refusal reminder = runner.refusals().get(1);
        assertThat(reminder.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_OUT_OF_ORDER);
        assertThat(reminder.getExpectedSequence()).isEqualTo(2);
    }

    @Test
    void requestOnAStreamIsAckedByItsName() {
        Runner runner = Runner.open(door.channel()).send(Batches.request("e", "request-1"));
        await().until(() -> runner.acks().size() == 1);
        assertThat(runner.acks().get(0).getRequestId()).isEqualTo("request-1");
    }

    @Test
    void namedWritersAndAttemptsHaveSequencesOfTheirOwn() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("e", 1, 1))
                .send(batch("e", 9, 1).setWriter(RUNNER.toBuilder().setName("helper")))
                .send(batch("e", 1, 2).setEpoch(EPOCH + 1));
        await().until(() -> runner.acks().size() == 3);
        assertThat(runner.refusals()).isEmpty();
    }

    @Test
    void attemptThatIsTooOldForAnUnknownExecutionIsFenced() {
        Runner runner = attached();
        level(0, 0, Phase.PHASE_UNSPECIFIED, level -> level.setMinimumEpoch(EPOCH + 1));
        assertThat(runner.awaitSignals(2).getStanding()).isEqualTo(Standing.STANDING_FENCED);
    }

    @Test
    void attemptThatWasGivenUpIsFencedAndTheAdoptedOneIsNot() {
        Runner runner = attached();
        level(4, EPOCH - 1, Phase.PHASE_RUNNING, level -> level.setGivenUpEpoch(EPOCH));
        assertThat(runner.awaitSignals(2).getStanding()).isEqualTo(Standing.STANDING_FENCED);
        level(4, EPOCH, Phase.PHASE_RUNNING, level -> level.setGivenUpEpoch(EPOCH + 5));
        assertThat(runner.awaitSignals(3).getStanding()).isEqualTo(Standing.STANDING_ADOPTED);
    }

    @Test
    void levelThatComesBackAfterItHasLeftIsPushed() {
        level(4, EPOCH, Phase.PHASE_COMPLETED, level -> {});
        door.board.remove(new ExecutionKey("default", "e"));
        Runner runner = attached();
        level(4, EPOCH, Phase.PHASE_COMPLETED, level -> {});
        assertThat(runner.awaitSignals(2).getStanding()).isEqualTo(Standing.STANDING_CLOSED);
    }

    private Runner attached() {
        Runner runner = Runner.open(door.channel());
        runner.send(PublishUpdatesRequest.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setExecutionId("e")
                        .setWriter(RUNNER)
                        .setEpoch(EPOCH))
                .build());
        assertThat(runner.awaitSignals(1).getStanding()).isEqualTo(Standing.STANDING_UNSPECIFIED);
        return runner;
    }

    @Test
    void attachTellsTheLevelNowAndAtEveryChange() {
        Runner runner = Runner.open(door.channel());
        runner.send(PublishUpdatesRequest.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setExecutionId("e")
                        .setWriter(RUNNER)
                        .setEpoch(EPOCH))
                .build());
        assertThat(runner.awaitSignals(1).getStanding()).isEqualTo(Standing.STANDING_UNSPECIFIED);
        level(2, EPOCH, Phase.PHASE_RUNNING, level -> {});
        assertThat(runner.awaitSignals(2).getStanding()).isEqualTo(Standing.STANDING_ADOPTED);
        level(3, EPOCH, Phase.PHASE_RUNNING, level -> level.setCancelRequested(true));
        assertThat(runner.awaitSignals(3).getCancel()).isTrue();
        level(
                4,
                EPOCH,
                Phase.PHASE_RUNNING,
                level -> level.addResends(ResendRequest.newBuilder()
                        .setWriter(RUNNER)
                        .setEpoch(EPOCH)
                        .setExpectedSequence(17)));
        assertThat(runner.awaitSignals(4).getResendFrom()).isEqualTo(17);
        level(5, EPOCH + 1, Phase.PHASE_RUNNING, level -> {});
        assertThat(runner.awaitSignals(5).getStanding()).isEqualTo(Standing.STANDING_FENCED);
        level(6, EPOCH + 1, Phase.PHASE_COMPLETED, level -> {});
        Signal closed = runner.awaitSignals(6);
        assertThat(closed.getStanding()).isEqualTo(Standing.STANDING_CLOSED);
        assertThat(closed.getOutcome()).isEqualTo(Phase.PHASE_COMPLETED);
    }

    @Test
    void whoPublishesIsToldTheLevelThatIsKnown() {
        level(7, EPOCH, Phase.PHASE_PAUSED, level -> level.setPaused(true));
        Runner runner = Runner.open(door.channel()).send(batch("e", 1, 1));
        assertThat(runner.awaitSignals(1).getPause()).isTrue();
    }

    @Test
    void levelOfAnAbortedTransactionDoesNotReplaceANewerOne() {
        level(7, EPOCH, Phase.PHASE_RUNNING, level -> {});
        level(5, EPOCH, Phase.PHASE_PENDING, level -> {});
        Level level = door.board.level(new ExecutionKey("default", "e"));
        assertThat(level).isNotNull();
        assertThat(level.version()).isEqualTo(7);
    }

    @Test
    void heartbeatIsStampedAndLogged() {
        Runner.open(door.channel())
                .send(PublishUpdatesRequest.newBuilder()
                        .setHeartbeat(Heartbeat.newBuilder()
                                .setExecutionId("e")
                                .setWriter(RUNNER)
                                .setEpoch(EPOCH)
                                .setTenant("other"))
                        .build());
        await().until(() -> door.log.heartbeats().size() == 1);
        Heartbeat heartbeat = door.log.heartbeats().get(0);
        assertThat(heartbeat.getTenant()).isEqualTo("default");
        assertThat(heartbeat.hasReceivedAt()).isTrue();
    }

    @Test
    void emptyFrameIsAnsweredAndTheStreamGoesOn() {
        Runner runner = Runner.open(door.channel())
                .send(PublishUpdatesRequest.getDefaultInstance())
                .send(batch("e", 1, 1));
        runner.awaitAck("e", 1);
        assertThat(runner.awaitRefusal().getMessage())
                .isEqualTo("frame: none that the contract knows (expected: batch, heartbeat or attach)");
    }

    @Test
    void runnerThatSendsAndNeverReadsIsNoLongerRead() {
        Runner deaf = Runner.deaf(door.channel());
        // Each of these asks for an answer of its own.
        for (int i = 0; i < 20_000 && deaf.ready(); i++) {
            deaf.send(Batches.request("e", "request-" + i));
        }
        for (int i = 0; i < 2_000; i++) {
            deaf.send(Batches.request("e", "more-" + i));
        }
        int taken = await().during(Duration.ofMillis(500))
                .until(
                        () -> door.log.appended().size(),
                        size -> size == door.log.appended().size() && size > 0);
        assertThat(taken).isLessThan(1_500);
        assertThat(deaf.ready()).isFalse();
        Runner other = Runner.open(door.channel()).send(batch("other", 1, 1));
        other.awaitAck("other", 1);
        deaf.cancel();
    }

    @Test
    void streamIsReadNoFurtherThanItsShareOfWhatIsInFlight() {
        door.close();
        door = new MemoryDoor(
                Map.of("runcast.ingest.in-flight.total", "2MB", "runcast.ingest.in-flight.per-stream", "64KB"));
        door.log.hold();
        Runner runner = Runner.open(door.channel());
        for (int i = 1; i <= 100; i++) {
            runner.send(big("e", i));
        }
        await().during(Duration.ofMillis(300)).until(() -> door.log.waiting() == 7);
        assertThat(door.inFlight.bytes()).isLessThan(100 * 1024);
        door.log.release();
        runner.awaitAck("e", 100);
        await().until(() -> door.inFlight.bytes() == 0);
    }

    @Test
    void fullPipelineHoldsFramesUntilThereIsRoomAndTellsRunnersToSlowDown() {
        door.close();
        door = new MemoryDoor(
                Map.of("runcast.ingest.in-flight.total", "1MB", "runcast.ingest.in-flight.per-stream", "1MB"));
        List<Runner> runners =
                List.of(Runner.open(door.channel()), Runner.open(door.channel()), Runner.open(door.channel()));
        // All are known before it gets full: who has not got a word in cannot be told to slow down.
        for (int r = 0; r < runners.size(); r++) {
            runners.get(r).send(big("e" + r, 1)).awaitAck("e" + r, 1);
        }
        door.log.hold();
        for (int i = 2; i <= 80; i++) {
            for (int r = 0; r < runners.size(); r++) {
                runners.get(r).send(big("e" + r, i));
            }
        }
        await().until(() -> door.inFlight.fill() > 0.95);
        door.service.lookAtPressure();
        assertThat(runners.get(0).awaitSignals(1).getSlowDown().getSeconds()).isEqualTo(2);
        assertThat(door.inFlight.bytes()).isLessThanOrEqualTo(1024 * 1024);
        door.log.release();
        for (int r = 0; r < runners.size(); r++) {
            runners.get(r).awaitAck("e" + r, 80);
            assertThat(runners.get(r).refusals())
                    .as("no frame overtook another")
                    .isEmpty();
        }
        await().until(() -> {
            door.service.lookAtPressure();
            List<Signal> signals = runners.get(0).signals();
            return !signals.get(signals.size() - 1).hasSlowDown();
        });
    }

    /** What lands while a frame waits for room must not let the next frame in before it. */
    @Test
    void framesStayInOrderHoweverOftenThePipelineIsFull() {
        door.close();
        door = new MemoryDoor(
                Map.of("runcast.ingest.in-flight.total", "1MB", "runcast.ingest.in-flight.per-stream", "1MB"));
        List<Runner> runners =
                Stream.generate(() -> Runner.open(door.channel())).limit(4).toList();
        door.log.hold();
        for (int i = 1; i <= 400; i++) {
            for (int r = 0; r < runners.size(); r++) {
                runners.get(r).send(big("e" + r, i));
            }
        }
        await().pollInterval(Duration.ofMillis(1)).until(() -> {
            // One by one from another thread than the one that reads, with the pipeline full most of the time.
            for (int i = 0; i < 50 && door.log.waiting() > 0; i++) {
                door.log.land();
            }
            return runners.stream()
                            .allMatch(runner ->
                                    runner.ended() || !runner.refusals().isEmpty())
                    || door.log.logged().size() == 1600;
        });
        for (int r = 0; r < runners.size(); r++) {
            runners.get(r).awaitAck("e" + r, 400);
            assertThat(runners.get(r).refusals()).isEmpty();
        }
    }

    @Test
    void streamWithMoreWritersThanItMayHaveForgetsThoseThatWaitForNothing() {
        door.close();
        door = new MemoryDoor(Map.of("runcast.ingest.writers-per-stream", "10"));
        Runner runner = Runner.open(door.channel());
        for (int i = 0; i < 50; i++) {
            runner.send(batch("e" + i, 1, 1));
            runner.awaitAck("e" + i, 1);
        }
        assertThat(runner.ended()).isFalse();
        for (int i = 0; i < 11; i++) {
            runner.send(batch("gap" + i, 1, 1)).send(batch("gap" + i, 3, 1));
        }
        assertThat(runner.awaitEnd().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void attemptsThatWereFencedAreForgottenLikeThoseThatWaitForNothing() {
        door.close();
        door = new MemoryDoor(Map.of("runcast.ingest.writers-per-stream", "10"));
        level(1, EPOCH + 1_000, Phase.PHASE_RUNNING, level -> {});
        Runner runner = Runner.open(door.channel());
        for (int i = 0; i < 50; i++) {
            runner.send(PublishUpdatesRequest.newBuilder()
                    .setAttach(Attach.newBuilder()
                            .setExecutionId("e")
                            .setWriter(RUNNER)
                            .setEpoch(EPOCH + i))
                    .build());
            assertThat(runner.awaitSignals(i + 1).getStanding()).isEqualTo(Standing.STANDING_FENCED);
        }
        runner.send(batch("other", 1, 1));
        runner.awaitAck("other", 1);
        assertThat(runner.ended()).isFalse();
    }

    @Test
    void anEpochTooFarAheadIsToBeSentAgainAndTheAnswerSaysWhen() {
        long ahead = System.currentTimeMillis() + Duration.ofHours(2).toMillis();
        Runner runner = Runner.open(door.channel()).send(batch("e", 1, 1).setEpoch(ahead));
        await().until(() -> runner.refusals().size() == 1);
        Refusal refusal = runner.refusals().get(0);
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_EPOCH_AHEAD);
        assertThat(refusal.getRetryable()).isTrue();
        assertThat(refusal.getExpectedSequence()).isEqualTo(1);
        assertThat(refusal.getRetryAfter().getSeconds()).isBetween(3_500L, 3_600L);
    }

    @Test
    void drainingAcksWhatWasTakenTakesNothingMoreAndEndsTheStream() {
        door.log.hold();
        Runner runner = Runner.open(door.channel()).send(batch("e", 1, 3));
        await().until(() -> door.log.waiting() == 1);
        door.service.drain();
        assertThat(door.service.drained()).isFalse();
        runner.send(batch("e", 4, 1));
        door.log.release();
        Status end = runner.awaitEnd();
        assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(end.getDescription()).contains("about to stop");
        assertThat(runner.acked("e")).isEqualTo(3);
        await().until(door.service::drained);
        assertThat(Runner.open(door.channel()).awaitEnd().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void halfClosedStreamEndsWellWhenAllIsAcked() {
        door.log.hold();
        Runner runner = Runner.open(door.channel()).send(batch("e", 1, 3));
        runner.complete();
        await().until(() -> door.log.waiting() == 1);
        assertThat(runner.ended()).isFalse();
        door.log.release();
        assertThat(runner.awaitEnd().isOk()).isTrue();
        assertThat(runner.acked("e")).isEqualTo(3);
    }

    private void level(
            long version, long epoch, Phase phase, java.util.function.Consumer<ExecutionSignals.Builder> more) {
        ExecutionSignals.Builder level = ExecutionSignals.newBuilder()
                .setTenant("default")
                .setExecutionId("e")
                .setVersion(version)
                .setEpoch(epoch)
                .setPhase(phase);
        more.accept(level);
        door.board.put(new ExecutionKey("default", "e"), level.build());
    }

    private static UpdateBatch.Builder big(String execution, long sequence) {
        return batch(execution, sequence, 0).addUpdates(Batches.text("x".repeat(10_000)));
    }
}
