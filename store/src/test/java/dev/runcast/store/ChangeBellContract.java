package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.TextChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What every bell must do. */
abstract class ChangeBellContract {
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private String tenant = "";

    abstract ChangeBell bell();

    @BeforeEach
    void newTenant() {
        tenant = "t" + UUID.randomUUID();
    }

    @AfterEach
    void leave() {
        listeners.forEach(BaseSubscriber::cancel);
    }

    @Test
    void listenerHearsThatItIsSubscribedThenWhatRings() {
        Listener listener = listen("e", Long.MAX_VALUE);
        listener.awaitSubscribed(1);
        bell().publish(batch("e", 1, "Hello")).block();
        bell().publish(batch("e", 2, "мир")).block();
        await().untilAsserted(() -> assertThat(listener.rings)
                .containsExactly(
                        new Ring.Subscribed(),
                        new Ring.Changes(batch("e", 1, "Hello")),
                        new Ring.Changes(batch("e", 2, "мир"))));
    }

    /** As the sink rings after a poll: without waiting for the one before. */
    @Test
    void whatRingsTogetherIsHeardInOrderAndWhole() {
        Listener listener = listen("e", Long.MAX_VALUE);
        listener.awaitSubscribed(1);
        List<Ring> expected = new ArrayList<>(List.of(new Ring.Subscribed()));
        List<Mono<Void>> ringing = new ArrayList<>();
        for (int version = 1; version <= 300; version++) {
            ChangeBatch batch = batch("e", version, "x");
            expected.add(new Ring.Changes(batch));
            ringing.add(bell().publish(batch));
        }
        Flux.merge(Flux.fromIterable(ringing), ringing.size()).then().block(Duration.ofSeconds(10));
        await().untilAsserted(() -> assertThat(listener.rings).isEqualTo(expected));
    }

    @Test
    void othersAreNotHeard() {
        Listener listener = listen("e", Long.MAX_VALUE);
        listener.awaitSubscribed(1);
        bell().publish(batch("f", 1, "x")).block();
        bell().publishRow(row("e")).block();
        bell().publish(batch("e", 7, "y")).block();
        await().untilAsserted(() -> assertThat(listener.rings)
                .containsExactly(new Ring.Subscribed(), new Ring.Changes(batch("e", 7, "y"))));
    }

    @Test
    void rowsAreHeardByTheTenant() {
        Listener listener = new Listener(Long.MAX_VALUE);
        listeners.add(listener);
        bell().listenRows(tenant).subscribe(listener);
        listener.awaitSubscribed(1);
        bell().publish(batch("e", 1, "x")).block();
        bell().publishRow(row("e")).block();
        await().untilAsserted(() ->
                assertThat(listener.rings).containsExactly(new Ring.Subscribed(), new Ring.Row(row("e"))));
    }

    @Test
    void whoComesLaterHearsFromThenOnAndWhoLeavesSilencesNobody() {
        Listener first = listen("e", Long.MAX_VALUE);
        first.awaitSubscribed(1);
        bell().publish(batch("e", 1, "x")).block();
        await().until(() -> first.rings.size() == 2);
        Listener second = listen("e", Long.MAX_VALUE);
        second.awaitSubscribed(1);
        first.cancel();
        bell().publish(batch("e", 2, "y")).block();
        await().untilAsserted(() ->
                assertThat(second.rings).containsExactly(new Ring.Subscribed(), new Ring.Changes(batch("e", 2, "y"))));
        second.cancel();
        Listener third = listen("e", Long.MAX_VALUE);
        third.awaitSubscribed(1);
        bell().publish(batch("e", 3, "z")).block();
        await().untilAsserted(() -> assertThat(third.rings).endsWith(new Ring.Changes(batch("e", 3, "z"))));
        assertThat(first.rings).hasSize(2);
    }

    @Test
    void whatIsTooLargeForAChannelIsToBeFetched() {
        Listener listener = listen("e", Long.MAX_VALUE);
        listener.awaitSubscribed(1);
        bell().publish(batch("e", 9, "x".repeat(RingCodec.MAX_BYTES))).block();
        await().untilAsserted(
                        () -> assertThat(listener.rings).containsExactly(new Ring.Subscribed(), new Ring.Fetch(9)));
    }

    @Test
    void slowListenerIsToldToFetchAndHoldsUpNobody() {
        Listener slow = listen("e", 1);
        Listener quick = listen("e", Long.MAX_VALUE);
        slow.awaitSubscribed(1);
        quick.awaitSubscribed(1);
        for (int version = 1; version <= 2_000; version++) {
            bell().publish(batch("e", version, "x")).block();
        }
        await().untilAsserted(() -> assertThat(quick.rings).endsWith(new Ring.Changes(batch("e", 2_000, "x"))));
        assertThat(slow.rings).hasSize(1);
        slow.request(Long.MAX_VALUE);
        await().untilAsserted(() -> assertThat(newest(slow.rings)).isEqualTo(2_000));
        assertThat(slow.rings).hasSizeLessThan(600).anyMatch(ring -> ring instanceof Ring.Fetch);
    }

    Listener listen(String executionId, long requested) {
        Listener listener = new Listener(requested);
        listeners.add(listener);
        bell().listen(new ExecutionKey(tenant, executionId)).subscribe(listener);
        return listener;
    }

    ChangeBatch batch(String executionId, long version, String text) {
        return ChangeBatch.newBuilder()
                .setTenant(tenant)
                .setExecutionId(executionId)
                .addChanges(Change.newBuilder()
                        .setFirstVersion(version)
                        .setVersion(version)
                        .addTexts(TextChange.newBuilder().setEntryId("m").setText(text)))
                .build();
    }

    private Execution row(String executionId) {
        return Execution.newBuilder()
                .setTenant(tenant)
                .setExecutionId(executionId)
                .setPhase(Phase.PHASE_RUNNING)
                .build();
    }

    private static long newest(List<Ring> rings) {
        Ring last = rings.get(rings.size() - 1);
        if (last instanceof Ring.Changes changes) {
            return changes.batch().getChanges(0).getVersion();
        }
        return last instanceof Ring.Fetch fetch ? fetch.version() : 0;
    }

    static final class Listener extends BaseSubscriber<Ring> {
        final List<Ring> rings = new CopyOnWriteArrayList<>();
        private final long requested;

        Listener(long requested) {
            this.requested = requested;
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            subscription.request(requested);
        }

        @Override
        protected void hookOnNext(Ring ring) {
            rings.add(ring);
        }

        void awaitSubscribed(int times) {
            await().untilAsserted(() -> assertThat(rings.stream().filter(Ring.Subscribed.class::isInstance))
                    .hasSizeGreaterThanOrEqualTo(times));
        }
    }
}
