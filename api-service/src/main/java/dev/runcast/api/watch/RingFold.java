package dev.runcast.api.watch;

import dev.runcast.merge.ExecutionView;
import dev.runcast.v1.Change;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a slow viewer has missed, as one change. Viewers who are slow together stand at the same place, so the newest
 * fold is kept and given to all of them. Thread-safe.
 */
final class RingFold {
    /** A fold, and the first and last frame that it was made of. */
    private record Made(Frame first, Frame last, Frame folded) {}

    private volatile @Nullable Made newest;

    /** The frame of these changes, which follow one another; at least one. */
    Frame of(List<Frame> missed, java.util.function.Function<Change, Frame> framed) {
        Frame first = missed.get(0);
        Frame last = missed.get(missed.size() - 1);
        Made made = newest;
        if (made == null || made.first() != first || made.last() != last) {
            made = new Made(first, last, framed.apply(fold(missed)));
            newest = made;
        }
        return made.folded();
    }

    /** Lets go of what is kept: it holds the memory of the changes that it was made of. */
    void forget() {
        newest = null;
    }

    /** Pair by pair, so that each change is copied a dozen times and not a thousand. */
    private static Change fold(List<Frame> frames) {
        List<Change> changes = new ArrayList<>(frames.size());
        frames.forEach(frame -> changes.add(frame.message().getChange()));
        // The first of each pair lies `step` before the second; what they make takes the first one's place.
        for (int step = 1; step < changes.size(); step *= 2) {
            for (int i = 0; i + step < changes.size(); i += 2 * step) {
                changes.set(i, ExecutionView.fold(changes.get(i), changes.get(i + step)));
            }
        }
        return changes.get(0);
    }
}
