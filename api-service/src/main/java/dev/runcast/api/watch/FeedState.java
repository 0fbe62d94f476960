package dev.runcast.api.watch;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Bookmark;
import dev.runcast.v1.Change;
import dev.runcast.v1.Done;
import dev.runcast.v1.Execution;
import dev.runcast.v1.WatchExecutionResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a feed knows of its execution, and what a viewer at a version does next. One change that follows the newest one
 * is taken; one that does not is held until what lies between has come. Reads no clock and calls nobody.
 *
 * <p>Not thread-safe: a {@link Feed} guards it.
 */
final class FeedState {
    /** So many signs of life a viewer waits for what it has seen and the store has not: a minute by default. */
    static final long PATIENCE_TICKS = 6;

    private final ExecutionKey key;
    private final ChangeRing ring;
    /** What came before what it follows. At most as much as the ring has. */
    private final HeldChanges held;

    /** There are changes up to here. */
    private long heardOf;

    private boolean open;
    private String generation = "";
    /** The store's name; empty before a look has read it. */
    private String store = "";

    /** As the store has it; version 0 while it has nothing. */
    private Execution stored = Execution.getDefaultInstance();
    /** The phase as of the newest change. */
    private boolean ended;

    private Timestamp newest = Timestamp.getDefaultInstance();
    private long headAtLastLook;
    /** What was known to be stored before the last look, and was there at that look. */
    private long settled;

    private boolean storeBehind;
    /** The store answered that it has nothing. */
    private boolean missing;

    private int replacements;
    private long ticks;
    /** The tick of the newest change. */
    private long newsTick;

    private @Nullable Frame bookmark;

    FeedState(ExecutionKey key, WatchSettings settings) {
        this.key = key;
        this.ring = new ChangeRing(settings.ringChanges(), settings.ringBytes());
        this.held = new HeldChanges(settings.ringChanges(), settings.ringBytes());
    }

    /** Where versions are counted: see {@link Cursor#generation(String, Execution)}. Empty before it has been read. */
    String generation() {
        return generation;
    }

    int replacements() {
        return replacements;
    }

    long base() {
        return ring.base();
    }

    long head() {
        return ring.head();
    }

    long storedVersion() {
        return stored.getVersion();
    }

    long ticks() {
        return ticks;
    }

    /** It ended, and the store does not have the end yet. */
    boolean awaitsEnd() {
        return ended && stored.getVersion() < ring.head();
    }

    boolean ended() {
        return ended;
    }

    /** It has begun: in the store, or with its first change at the bell. */
    boolean isOpen() {
        return open;
    }

    /** A look has read the store's name, without which there are no cursors. */
    boolean knowsStore() {
        return !store.isEmpty();
    }

    /** It has begun, and the store has nothing of it yet. */
    boolean isAheadOfStore() {
        return open && stored.getVersion() == 0;
    }

    /** The store has answered for long that it has nothing, and nothing new has come since. */
    boolean isLost() {
        return isAheadOfStore() && missing && ticks - newsTick >= PATIENCE_TICKS;
    }

    /** The first change, for as long as the state can be told from the ring alone. */
    @Nullable
    Change first() {
        return isAheadOfStore() && ring.base() == 0 ? ring.get(1).message().getChange() : null;
    }

    /** There are changes that are not here and can be read, now or soon. */
    boolean isGap() {
        return open && heardOf > ring.head();
    }

    /** Only a store that knows less than before can be another one, and only what was made then the same execution. */
    boolean isAsBefore(Execution found) {
        return open
                && found.getVersion() >= stored.getVersion()
                && found.getCreatedAt().equals(stored.getCreatedAt());
    }

    /** The bell has rung for these. */
    void heard(List<Change> changes) {
        changes.forEach(this::hold);
        beginWithFirst();
        takeHeld();
    }

    /** The bell has rung for what is to be read up to a version. */
    void heardOf(long version) {
        heardOf = Math.max(heardOf, version);
    }

    private void hold(Change change) {
        long version = change.getVersion();
        heardOf(version);
        // One that somebody folded is of no use here; the history has it whole.
        if (change.getFirstVersion() == version && (!open || version > ring.head())) {
            held.add(change);
        }
    }

    /** Takes of what is held what follows now. */
    void takeHeld() {
        if (!open) {
            return;
        }
        for (Change next = held.first(); next != null && next.getVersion() <= ring.head() + 1; next = held.first()) {
            held.removeFirst();
            append(next);
        }
    }

    /** Takes a change when it follows. */
    void append(Change change) {
        if (change.getVersion() != ring.head() + 1) {
            return;
        }
        ring.add(frame(change));
        newest = change.getReceivedAt();
        newsTick = ticks;
        if (change.hasExecution()) {
            ended = isFinal(change.getExecution());
        }
    }

    /** A frame for a change of this store. */
    Frame frame(Change change) {
        return new Frame(WatchExecutionResponse.newBuilder()
                .setChange(change)
                .setCursor(cursor(change.getVersion()))
                .build());
    }

    /**
     * A header that was read by a look at the store.
     *
     * @return whether the store is another one than before
     */
    boolean looked(Execution execution, String name) {
        boolean replaced = open && !name.equals(generation);
        if (!open || replaced) {
            begin(execution, name);
        }
        settled = Math.min(stored.getVersion(), execution.getVersion());
        takeHeader(execution);
        missing = false;
        storeBehind = execution.getVersion() < headAtLastLook;
        headAtLastLook = ring.head();
        return replaced;
    }

    /**
     * Lets go of what everybody has seen and the store has: who comes later reads it there. Without this, many views of
     * long runs would fill the memory with what nobody will ask for.
     */
    void forget(long seenByAll) {
        ring.removeThrough(Math.min(seenByAll, settled));
    }

    /** The store has no such execution. */
    void lookedInVain(String storeName) {
        store = storeName;
        missing = true;
        settled = 0;
        beginWithFirst();
        storeBehind = open;
    }

    /** The store did not answer. */
    void lookFailed() {
        storeBehind = true;
        missing = false;
    }

    /** The bell may be faster than the store. What it rings for is what the store will have: the merge decided it. */
    private void beginWithFirst() {
        Change first = held.first();
        if (open || !knowsStore() || first == null || first.getVersion() != 1) {
            return;
        }
        Execution begun = first.getExecution();
        if (begun.hasCreatedAt()) {
            begin(Execution.newBuilder().setCreatedAt(begun.getCreatedAt()).build(), Cursor.generation(store, begun));
        }
    }

    private void begin(Execution execution, String name) {
        if (open) {
            replacements++;
            heardOf = 0;
            held.clear();
        }
        open = true;
        generation = name;
        stored = execution;
        newest = execution.getUpdatedAt();
        ended = isFinal(execution);
        headAtLastLook = execution.getVersion();
        bookmark = null;
        ring.reset(execution.getVersion());
        takeHeld();
    }

    /** A header that somebody has read. */
    void takeHeader(Execution execution) {
        if (isAsBefore(execution)) {
            stored = execution;
            heardOf(execution.getVersion());
        }
    }

    /** Time for a sign of life. */
    void tick() {
        ticks++;
        bookmark = null;
    }

    /** Whether somebody at this version has fallen out of the ring. */
    boolean isOut(long version) {
        return version < ring.base();
    }

    /** What somebody who has fallen far behind is given folded; empty when it is given one change after the other. */
    List<Frame> missed(long version) {
        return version < ring.head() && !isOut(version) && ring.isFarBehind(version) ? ring.after(version) : List.of();
    }

    /**
     * What a live viewer does next.
     *
     * @param version up to where it has seen everything
     * @param since the tick at which it began to live on the feed
     * @param ticksSeen the tick at which it was reminded last
     * @param replacementsSeen how often the store had been replaced when it began
     */
    Step next(long version, long since, long ticksSeen, int replacementsSeen, Instant now) {
        if (replacements != replacementsSeen) {
            return new Step.Replaced();
        }
        if (isOut(version)) {
            return new Step.FellOut();
        }
        return version < ring.head() ? send(ring.get(version + 1), version + 1) : idle(version, since, ticksSeen, now);
    }

    /** What is too large for a frame is seen in the state after it, once the store has that. */
    Step send(Frame frame, long version) {
        if (frame.message().getSerializedSize() <= Frame.MAX_BYTES) {
            return new Step.Send(frame, version);
        }
        return storedVersion() >= version ? new Step.TooLarge() : new Step.Wait();
    }

    private Step idle(long version, long since, long ticksSeen, Instant now) {
        boolean ahead = version > ring.head();
        if (isFinal(stored) && stored.getVersion() == version && !ahead) {
            return new Step.End(new Frame(WatchExecutionResponse.newBuilder()
                    .setDone(Done.newBuilder().setPhase(stored.getPhase()).setVersion(version))
                    .setCursor(cursor(version))
                    .build()));
        }
        if (isLost()) {
            return new Step.Lost();
        }
        if (ticks == ticksSeen) {
            return new Step.Wait();
        }
        if (ahead && ticks - since >= PATIENCE_TICKS) {
            return new Step.NeverCame();
        }
        return new Step.Remind(bookmark(version, ahead, now), ticks);
    }

    private Frame bookmark(long version, boolean ahead, Instant now) {
        Frame shared = bookmark;
        if (shared == null || shared.message().getBookmark().getVersion() != version) {
            shared = new Frame(WatchExecutionResponse.newBuilder()
                    .setBookmark(Bookmark.newBuilder()
                            .setVersion(version)
                            .setNewsAge(age(now))
                            .setStoreBehind(storeBehind || ahead || isAheadOfStore()))
                    .setCursor(cursor(version))
                    .build());
            bookmark = shared;
        }
        return shared;
    }

    private com.google.protobuf.Duration age(Instant now) {
        Duration age = Duration.between(Instant.ofEpochSecond(newest.getSeconds(), newest.getNanos()), now);
        Duration shown = age.isNegative() ? Duration.ZERO : age;
        return com.google.protobuf.Duration.newBuilder()
                .setSeconds(shown.getSeconds())
                .setNanos(shown.getNano())
                .build();
    }

    private String cursor(long version) {
        return new Cursor(generation, version).encode(key);
    }

    static boolean isFinal(Execution execution) {
        return switch (execution.getPhase()) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            default -> false;
        };
    }
}
