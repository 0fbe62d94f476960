package dev.runcast.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.runcast.v1.Phase;
import dev.runcast.worker.agent.Pulse.Reason;
import dev.runcast.worker.agent.Pulse.StopException;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.client.ActivityCanceledException;
import io.temporal.client.ActivityCompletionException;
import io.temporal.client.ActivityNotExistsException;
import io.temporal.failure.TimeoutFailure;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class PulseTest {
    private @Nullable ActivityCompletionException answer;
    private int heartbeats;
    private final Pulse pulse = new Pulse(
            (ActivityExecutionContext) Proxy.newProxyInstance(
                    PulseTest.class.getClassLoader(),
                    new Class<?>[] {ActivityExecutionContext.class},
                    (proxy, method, arguments) -> {
                        assertThat(method.getName()).isEqualTo("heartbeat");
                        heartbeats++;
                        if (answer != null) {
                            throw answer;
                        }
                        return null;
                    }),
            7);

    @Test
    void attemptThatTemporalCancelsStops() {
        pulse.beat();

        answer = new ActivityCanceledException();

        assertStops(Reason.TOLD);
    }

    @Test
    void attemptThatTemporalNoLongerKnowsStops() {
        answer = new ActivityNotExistsException(new IllegalStateException("no such attempt"));

        assertStops(Reason.TOLD);
    }

    @Test
    void runcastsReasonIsToldWhereBothSayStop() {
        answer = new ActivityCanceledException();
        pulse.cancelRequested();

        assertStops(Reason.CANCELLED);
    }

    @Test
    void attemptThatCannotReachTemporalGoesOnUntilRuncastStopsIt() {
        temporalIsAway();

        pulse.beat();
        pulse.beat();

        assertThat(heartbeats).as("one refused is enough").isEqualTo(1);
        pulse.fenced();
        assertStops(Reason.FENCED);
    }

    @Test
    void attemptThatCannotReachTemporalHearsThatItsExecutionHasEnded() {
        temporalIsAway();
        pulse.beat();

        pulse.closed(Phase.PHASE_CANCELLED);

        assertStops(Reason.CLOSED);
        assertThat(pulse.outcome()).isEqualTo(Phase.PHASE_CANCELLED);
    }

    /** As the SDK says it, of itself, once no heartbeat has got through for the heartbeat timeout and 5 s. */
    private void temporalIsAway() {
        answer =
                new ActivityCanceledException(null, new TimeoutFailure(null, null, TimeoutType.TIMEOUT_TYPE_HEARTBEAT));
    }

    private void assertStops(Reason reason) {
        assertThatExceptionOfType(StopException.class).isThrownBy(pulse::beat).satisfies(stop -> assertThat(stop.reason)
                .isEqualTo(reason));
    }
}
