package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who wakes the sender, and when. */
class MailboxTest {
    private final AtomicInteger wakes = new AtomicInteger();
    private final Mailbox mailbox = new Mailbox(wakes::incrementAndGet);
    private final Counters counters = new Counters();
    private final MemoryBudget budget = new MemoryBudget(1024 * 1024);
    private final Outbox outbox = new Outbox(
            new StreamKey("run-1", "", 1),
            new SignalLevel(new Callbacks(Runnable::run, counters)),
            budget,
            budget,
            counters,
            () -> Simulation.START);

    @Test
    void anAgentWakesOnlyWhoSleepsAndOnlyOnce() {
        mailbox.begin();
        mailbox.look(outbox);
        assertThat(mailbox.begin()).isTrue();
        assertThat(mailbox.lieDown(true)).isTrue();
        mailbox.look(outbox);
        assertThat(wakes).hasValue(0);
        assertThat(mailbox.begin()).isTrue();
        assertThat(mailbox.lieDown(false)).isTrue();
        mailbox.look(outbox);
        mailbox.look(outbox);
        assertThat(wakes).hasValue(1);
    }

    @Test
    void aTaskWakesAlsoWhoRests() {
        mailbox.begin();
        assertThat(mailbox.lieDown(true)).isTrue();
        mailbox.post(() -> {});
        assertThat(wakes).hasValue(1);
    }

    @Test
    void whatComesDuringATurnLetsNobodySleep() {
        mailbox.begin();
        mailbox.look(outbox);
        assertThat(mailbox.lieDown(false)).isFalse();
        mailbox.begin();
        mailbox.noticed();
        assertThat(mailbox.lieDown(false)).isFalse();
        assertThat(mailbox.lieDown(true)).isTrue();
        mailbox.begin();
        mailbox.post(() -> {});
        assertThat(mailbox.lieDown(true)).isFalse();
        assertThat(wakes).hasValue(0);
    }
}
