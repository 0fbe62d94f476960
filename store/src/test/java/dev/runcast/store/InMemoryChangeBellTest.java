package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InMemoryChangeBellTest extends ChangeBellContract {
    private final InMemoryChangeBell bell = new InMemoryChangeBell();

    @Override
    ChangeBell bell() {
        return bell;
    }

    @Test
    void outageShowsAsANewSubscription() {
        Listener listener = listen("e", Long.MAX_VALUE);
        bell.resubscribe();
        assertThat(listener.rings).containsExactly(new Ring.Subscribed(), new Ring.Subscribed());
    }
}
