package dev.runcast.runner;

import dev.runcast.v1.Phase;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the server last said about an attempt, and who wants to know. Signals are levels: the same one may come any
 * number of times, for example after each reconnect, and listeners hear only of what is different. Belongs to the sender's
 * thread but for what is said to be for any.
 */
final class SignalLevel {
    private final Callbacks callbacks;
    private final List<SignalListener> listeners = new ArrayList<>();
    private final CompletableFuture<AttemptStanding> known = new CompletableFuture<>();

    private Standing standing = Standing.STANDING_UNSPECIFIED;
    private Phase outcome = Phase.PHASE_UNSPECIFIED;
    private volatile boolean cancel;
    private volatile boolean pause;
    private Duration slowDown = Duration.ZERO;

    SignalLevel(Callbacks callbacks) {
        this.callbacks = callbacks;
    }

    /** Adds a listener and tells it what is known already. */
    void listen(SignalListener listener) {
        listeners.add(listener);
        if (standing != Standing.STANDING_UNSPECIFIED) {
            tell(listener, standingCall());
        }
        if (cancel) {
            tell(listener, SignalListener::cancelRequested);
        }
        if (pause) {
            tell(listener, SignalListener::paused);
        }
        if (!slowDown.isZero()) {
            Duration interval = slowDown;
            tell(listener, each -> each.slowDown(interval));
        }
    }

    /** Takes a level from the stream. */
    void apply(Signal signal) {
        standing(signal.getStanding(), signal.getOutcome());
        // Before the listeners are told, since they may ask.
        boolean asked = signal.getCancel() && !cancel;
        cancel = signal.getCancel();
        if (asked) {
            tellAll(SignalListener::cancelRequested);
        }
        if (signal.getPause() != pause) {
            pause = signal.getPause();
            tellAll(pause ? SignalListener::paused : SignalListener::resumed);
        }
        Duration interval = signal.hasSlowDown()
                ? Duration.ofSeconds(
                        signal.getSlowDown().getSeconds(), signal.getSlowDown().getNanos())
                : Duration.ZERO;
        if (!interval.equals(slowDown)) {
            slowDown = interval;
            tellAll(each -> each.slowDown(interval));
        }
    }

    /** Takes a standing that did not come as a signal: a refusal may say it too. */
    void standing(Standing newStanding, Phase newOutcome) {
        if (newStanding == Standing.STANDING_UNSPECIFIED
                || newStanding == Standing.UNRECOGNIZED
                || (newStanding == standing && newOutcome == outcome)) {
            return;
        }
        // What is fenced stays fenced; an end whose outcome is known is not made less known.
        if (standing == Standing.STANDING_FENCED
                || (newStanding == standing && newOutcome == Phase.PHASE_UNSPECIFIED)) {
            return;
        }
        standing = newStanding;
        outcome = newOutcome;
        AttemptStanding said = said();
        if (said != null) {
            // Not on this thread, since what hangs on the stage is a stranger's code; nor behind a slow listener.
            callbacks.aside(() -> known.complete(said));
        }
        tellAll(standingCall());
    }

    /** Completes with the first standing that is known. For any thread. */
    CompletionStage<AttemptStanding> known() {
        return known.minimalCompletionStage();
    }

    @Nullable
    AttemptStanding said() {
        return switch (standing) {
            case STANDING_ADOPTED -> new AttemptStanding.Adopted();
            case STANDING_FENCED -> new AttemptStanding.Fenced();
            case STANDING_CLOSED -> new AttemptStanding.Closed(outcome);
            case STANDING_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    Duration slowDown() {
        return slowDown;
    }

    /** For any thread. */
    boolean cancelRequested() {
        return cancel;
    }

    /** For any thread. */
    boolean paused() {
        return pause;
    }

    private Consumer<SignalListener> standingCall() {
        Phase phase = outcome;
        return switch (standing) {
            case STANDING_ADOPTED -> SignalListener::adopted;
            case STANDING_FENCED -> SignalListener::fenced;
            case STANDING_CLOSED -> each -> each.closed(phase);
            case STANDING_UNSPECIFIED, UNRECOGNIZED -> each -> {};
        };
    }

    private void tellAll(Consumer<SignalListener> call) {
        for (SignalListener listener : listeners) {
            tell(listener, call);
        }
    }

    private void tell(SignalListener listener, Consumer<SignalListener> call) {
        callbacks.call(() -> call.accept(listener));
    }
}
