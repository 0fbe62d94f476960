package dev.runcast.runner;

import dev.runcast.spool.v1.SpoolRecord;
import dev.runcast.spool.v1.SpooledUpdates;
import dev.runcast.spool.v1.StreamProgress;
import dev.runcast.spool.v1.TextLength;
import dev.runcast.v1.UpdateBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the sender does with its {@link Spool}, if it has one. Belongs to the sender's thread.
 *
 * <p>Whatever has a sequence is written before it is sent, so a process that is killed leaves every update that may be
 * in the log under its sequence, and gives that sequence to no other one. Memory holds the beginning of what is not
 * acked; what it cannot hold is read back when its turn comes.
 *
 * <p>A disk that fails makes the reporter what it is without a spool. After a while another segment is begun, with
 * everything that only memory has.
 */
final class Spooler {
    private static final Logger logger = LoggerFactory.getLogger(Spooler.class);

    /** How often the folder is looked at, and what is acked is noted in it. */
    private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    private static final long FIRST_RETRY_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long LAST_RETRY_NANOS = Duration.ofSeconds(30).toNanos();

    /** Writers with nothing to send whose sequences are kept, should somebody go on with them. */
    private static final int REMEMBERED = 4096;

    private final @Nullable SpoolSettings settings;
    private final long room;
    private final MemoryBudget budget;
    private final MemoryBudget sequenced;
    private final Counters counters;
    private final ReporterListener listener;
    private final Callbacks callbacks;
    /** The outbox of a writer, made when there is none. */
    private final Function<StreamKey, Outbox> opener;

    private final Map<StreamKey, Outbox> outboxes;
    private final Map<StreamKey, StreamProgress> idle = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<StreamKey, StreamProgress> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** What an earlier process left and is not dealt with. */
    private final List<Outbox> orphans = new ArrayList<>();

    private @Nullable Spool spool;
    private boolean works;
    private int failures;
    private long retryNanos;
    private long lookNanos;

    /**
     * Without settings it never does anything.
     *
     * @param outboxes those that the sender knows, alive
     * @param opener for writers of an earlier process
     */
    Spooler(
            ReporterConfig config,
            Map<StreamKey, Outbox> outboxes,
            MemoryBudget budget,
            MemoryBudget sequenced,
            Counters counters,
            ReporterListener listener,
            Callbacks callbacks,
            Function<StreamKey, Outbox> opener) {
        this.settings = config.spool();
        // What waits in memory finds room at the close, whatever was written before.
        this.room = settings == null ? 0 : settings.maxBytes() - config.memoryBytes();
        this.outboxes = outboxes;
        this.budget = budget;
        this.sequenced = sequenced;
        this.counters = counters;
        this.listener = listener;
        this.callbacks = callbacks;
        this.opener = opener;
        if (settings != null) {
            counters.spoolState = SpoolState.OPENING;
        }
    }

    /** Whether what is written now is kept. */
    boolean on() {
        return works;
    }

    /** Whether it may grow. */
    boolean hasRoom() {
        return works && counters.spoolBytes.get() < room;
    }

    /** What an earlier process left and is not dealt with. */
    List<Outbox> orphans() {
        return orphans;
    }

    /** Does what is due; returns when to come again. */
    long turn(long now) {
        if (settings == null) {
            return Long.MAX_VALUE;
        }
        handOver();
        if (!works) {
            if (now < retryNanos) {
                return retryNanos;
            }
            begin(settings, now);
            return works ? now : retryNanos;
        }
        if (now >= lookNanos || !hasRoom()) {
            lookNanos = now + LOOK_NANOS;
            guarded(now, this::look);
        }
        return works ? lookNanos : retryNanos;
    }

    /** An execution is reported that the sender did not know: it goes on where an earlier process left off. */
    void adopt(Outbox outbox) {
        StreamProgress progress = idle.remove(outbox.key);
        if (progress != null && outbox.window.next() == 1) {
            RecoveredStream stream = new RecoveredStream();
            stream.take(progress);
            outbox.restore(stream);
        }
    }

    /** The sender forgets an execution. */
    void retired(Outbox outbox) {
        if (works) {
            idle.put(outbox.key, progress(outbox, true));
        }
    }

    /** Writes what of the window's memory is not written yet. */
    void store(Outbox outbox, long now) {
        if (!works || outbox.unspooledFrom >= outbox.window.loaded()) {
            return;
        }
        guarded(now, () -> {
            if (hasRoom()) {
                write(outbox);
            } else if (outbox.notedNext != outbox.window.next()) {
                // Its sequences must not be given to others by the next process.
                note(outbox);
            }
        });
    }

    /** Writes updates that memory has no room for, behind everything; what fails is held all the same. */
    void append(Outbox outbox, List<Sequenced> updates, long now) {
        // In their order: what stands in memory before them comes first.
        guarded(now, () -> write(outbox));
        long first = outbox.window.next();
        List<Sequenced> rest = updates;
        while (!rest.isEmpty()) {
            int count = together(rest);
            List<Sequenced> part = rest.subList(0, count);
            Run run = null;
            try {
                run = works ? write(outbox, first, part, false) : null;
            } catch (IOException | RuntimeException failed) {
                fail(failed, now);
            }
            if (run == null) {
                hold(outbox, first, rest);
                return;
            }
            if (outbox.window.addTail(run)) {
                budget.reserve(Run.ALLOWANCE);
            }
            part.forEach(update -> budget.release(update.charge));
            outbox.writtenThrough = Math.max(outbox.writtenThrough, run.last() + 1);
            first += count;
            rest = rest.subList(count, rest.size());
        }
    }

    /** Brings the next updates of the tail into memory; what cannot be read back is replaced by notes that say so. */
    void load(Outbox outbox) {
        Run run = outbox.window.pollTail();
        outbox.unspooledFrom = Math.min(outbox.unspooledFrom, run.held() == null ? Long.MAX_VALUE : run.first());
        List<Sequenced> updates = run.held() == null ? read(outbox, run) : run.held();
        if (run.held() == null) {
            budget.release(Run.ALLOWANCE);
        }
        long calls = 0;
        for (Sequenced update : updates) {
            if (run.held() == null) {
                budget.reserve(update.charge);
            }
            sequenced.reserve(update.charge);
            calls += update.calls;
            outbox.window.load(update);
        }
        outbox.queue.recount(calls - run.calls());
    }

    /** Writes everything that is left and lets go of the folder. */
    void close(Collection<Outbox> all, long now, Consumer<Outbox> drain) {
        if (settings == null) {
            return;
        }
        if (!works) {
            begin(settings, now);
        }
        for (Outbox outbox : all) {
            drain.accept(outbox);
            guarded(now, () -> write(outbox));
        }
        Spool open = spool;
        guarded(now, () -> {
            noteAll();
            if (open != null) {
                if (all.stream().allMatch(Outbox::isEmpty)) {
                    roll();
                }
                open.trim();
                open.force();
            }
        });
        if (works) {
            all.forEach(outbox -> outbox.onDisk = outbox.inbox.isEmpty() && outbox.queue.isEmpty() && outbox.written());
        }
        works = false;
        if (open != null) {
            open.close();
        }
        spool = null;
    }

    private void handOver() {
        for (Iterator<Outbox> each = orphans.iterator(); each.hasNext(); ) {
            Outbox outbox = each.next();
            if (outbox.window.size() == 0) {
                each.remove();
                StreamKey key = outbox.key;
                boolean fenced = outbox.discarded;
                callbacks.call(() -> listener.handedOver(key.executionId(), key.writerName(), key.epoch(), fenced));
            }
        }
    }

    private void begin(SpoolSettings folder, long now) {
        try {
            Spool open = spool;
            if (open == null) {
                open = Spool.open(folder);
                spool = open;
                recover(open);
            } else {
                roll();
            }
            works = true;
            for (Outbox outbox : List.copyOf(outboxes.values())) {
                write(outbox);
            }
            open.trim();
            counters.spoolBytes.set(open.bytes());
            failures = 0;
            counters.spoolState = SpoolState.ON;
            callbacks.call(listener::spoolReady);
        } catch (IOException | RuntimeException failed) {
            fail(failed, now);
        }
    }

    private void recover(Spool open) throws IOException {
        for (String damage : open.damage()) {
            logger.warn("{}", damage);
            counters.spoolDamage.increment();
            callbacks.call(() -> listener.spoolDamaged(damage));
        }
        int executions = 0;
        long updates = 0;
        for (Map.Entry<StreamKey, RecoveredStream> each : open.streams().entrySet()) {
            RecoveredStream stream = each.getValue();
            Outbox known = outboxes.get(each.getKey());
            if (known != null && known.window.next() > 1) {
                // It was reported before the folder could be had: two histories of one attempt, and ours is under way.
                long lost = stream.next() - 1 - stream.acked();
                counters.discarded.add(lost);
                String damage = lost + " updates of " + each.getKey()
                        + " from an earlier process are void: this one has begun the same attempt anew";
                logger.warn("{}", damage);
                callbacks.call(() -> listener.spoolDamaged(damage));
            } else if (stream.next() - 1 > stream.acked()) {
                Outbox outbox = known == null ? opener.apply(each.getKey()) : known;
                outboxes.put(each.getKey(), outbox);
                outbox.recovered = true;
                outbox.restore(stream);
                orphans.add(outbox);
                executions++;
                updates += outbox.window.size();
            } else if (known != null) {
                known.restore(stream);
            } else {
                idle.put(
                        each.getKey(),
                        progress(each.getKey(), stream.acked(), stream.next(), stream.finalSequence())
                                .setWithTexts(true)
                                .addAllTexts(texts(stream.lengths()))
                                .build());
            }
        }
        open.streams().clear();
        roll();
        if (updates > 0) {
            counters.recovered.add(updates);
            int writers = executions;
            long found = updates;
            logger.info("The spool has {} updates of {} writers from an earlier process", found, writers);
            callbacks.call(() -> listener.recovered(writers, found));
        }
    }

    /** Looks whether the folder is still there, notes what is acked, and gives back what nobody wants. */
    private void look() throws IOException {
        Spool open = spool();
        List<SpoolSegment> lost = open.lost();
        if (!lost.isEmpty()) {
            String damage = "spool file " + lost.get(0).path + ": deleted by somebody; it is written again";
            logger.warn("{}", damage);
            counters.spoolDamage.increment();
            callbacks.call(() -> listener.spoolDamaged(damage));
            roll();
            for (SpoolSegment segment : lost) {
                evacuate(segment);
            }
        }
        noteAll();
        if (open.hasVoid()) {
            open.trim();
        }
        counters.spoolBytes.set(open.bytes());
        SpoolSegment sparse = counters.spoolBytes.get() < room ? null : open.sparse();
        if (sparse != null) {
            evacuate(sparse);
            noteAll();
            open.trim();
            counters.spoolBytes.set(open.bytes());
        }
    }

    /** Writes what is wanted of a segment to the newest one. */
    private void evacuate(SpoolSegment segment) throws IOException {
        for (Outbox outbox : List.copyOf(outboxes.values())) {
            outbox.unwrite(segment);
            write(outbox);
            List<Run> runs = new ArrayList<>();
            boolean moved = false;
            for (Run run : outbox.window.tail()) {
                if (run.segment() == segment) {
                    moved = true;
                    rewrite(outbox, run.first(), read(outbox, run), runs);
                    segment.release(run.updates());
                    budget.release(Run.ALLOWANCE);
                } else {
                    runs.add(run);
                }
            }
            if (moved) {
                outbox.window.replaceTail(runs);
            }
        }
    }

    /** Writes what of the window's memory, and of what is held behind it, is not written yet. */
    private void write(Outbox outbox) throws IOException {
        long at = outbox.unspooledFrom;
        while (at < outbox.window.loaded()) {
            List<Sequenced> updates = new ArrayList<>();
            long first = Math.max(at, outbox.window.first());
            for (at = first; at < outbox.window.loaded() && updates.size() < Limits.BATCH_UPDATES; at++) {
                Sequenced update = outbox.window.get(at);
                if (update.segment != null) {
                    break;
                }
                updates.add(update);
            }
            if (updates.isEmpty()) {
                at++;
            } else {
                int count = together(updates);
                List<Sequenced> part = updates.subList(0, count);
                SpoolSegment segment = write(outbox, first, part, first < outbox.writtenThrough)
                        .segment();
                part.forEach(update -> update.segment = segment);
                at = first + count;
                outbox.writtenThrough = Math.max(outbox.writtenThrough, at);
            }
            outbox.unspooledFrom = at;
        }
        outbox.unspooledFrom = Long.MAX_VALUE;
        if (outbox.heldTail) {
            outbox.heldTail = false;
            writeHeld(outbox);
        }
    }

    private void writeHeld(Outbox outbox) throws IOException {
        List<Run> runs = new ArrayList<>();
        for (Run run : outbox.window.tail()) {
            List<Sequenced> held = run.held();
            if (held == null) {
                runs.add(run);
                continue;
            }
            rewrite(outbox, run.first(), held, runs);
            held.forEach(update -> budget.release(update.charge));
        }
        outbox.window.replaceTail(runs);
    }

    private void rewrite(Outbox outbox, long first, List<Sequenced> updates, List<Run> runs) throws IOException {
        long at = first;
        List<Sequenced> rest = updates;
        while (!rest.isEmpty()) {
            int count = together(rest);
            runs.add(write(outbox, at, rest.subList(0, count), true));
            budget.reserve(Run.ALLOWANCE);
            at += count;
            rest = rest.subList(count, rest.size());
        }
    }

    private Run write(Outbox outbox, long first, List<Sequenced> updates, boolean again) throws IOException {
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setExecutionId(outbox.key.executionId())
                .setWriter(outbox.writer)
                .setEpoch(outbox.key.epoch())
                .setFirstSequence(first)
                .setTraceparent(updates.get(0).traceparent);
        SpooledUpdates.Builder record = SpooledUpdates.newBuilder().setAgain(again);
        long calls = 0;
        for (Sequenced update : updates) {
            batch.addUpdates(update.update);
            record.addCalls(update.calls);
            calls += update.calls;
        }
        Spool open = spool();
        if (open.wantsRoll()) {
            roll();
            open.trim();
        }
        SpoolSegment segment = open.active();
        long before = segment.size();
        long offset = open.append(
                SpoolRecord.newBuilder().setUpdates(record.setBatch(batch)).build());
        int length = Math.toIntExact(segment.size() - before);
        segment.wrote(updates.size());
        segment.hold(updates.size());
        counters.spooled.add(updates.size());
        counters.spoolBytes.addAndGet(length);
        return new Run(first, first + updates.size() - 1, updates.get(0).ordinal, calls, segment, offset, length, null);
    }

    private List<Sequenced> read(Outbox outbox, Run run) {
        SpoolSegment segment = run.segment();
        List<Sequenced> updates = new ArrayList<>();
        String reason = "the spool lost it";
        if (segment != null) {
            try {
                segment.read(run.offset(), run.length(), (offset, length, record) -> {
                    UpdateBatch batch = record.getUpdates().getBatch();
                    for (int i = 0; i < batch.getUpdatesCount(); i++) {
                        long sequence = batch.getFirstSequence() + i;
                        if (sequence >= run.first() && sequence <= run.last()) {
                            Sequenced update = new Sequenced(
                                    batch.getUpdates(i),
                                    run.ordinal(),
                                    record.getUpdates().getCalls(i),
                                    sequence == outbox.finalSequence,
                                    false,
                                    batch.getTraceparent());
                            update.segment = segment;
                            updates.add(update);
                        }
                    }
                });
            } catch (IOException | RuntimeException failed) {
                reason = "the spool cannot be read: " + failed.getMessage();
                logger.warn("Sequences {} to {} of {} are lost", run.first(), run.last(), outbox.key, failed);
                counters.spoolDamage.increment();
                String damage = reason;
                callbacks.call(() -> listener.spoolDamaged(damage));
                segment.release(run.updates());
                updates.clear();
            }
        }
        if (updates.size() != run.updates()) {
            updates.clear();
            outbox.unspooledFrom = Math.min(outbox.unspooledFrom, run.first());
            counters.omitted.add(run.updates());
            for (long sequence = run.first(); sequence <= run.last(); sequence++) {
                updates.add(outbox.lost(run.ordinal(), reason));
            }
        }
        return updates;
    }

    private void hold(Outbox outbox, long first, List<Sequenced> updates) {
        long calls = updates.stream().mapToLong(update -> update.calls).sum();
        outbox.heldTail = true;
        outbox.window.addTail(new Run(
                first, first + updates.size() - 1, updates.get(0).ordinal, calls, null, 0, 0, List.copyOf(updates)));
    }

    /** How many of them, from the first, may stand in one record. */
    private static int together(List<Sequenced> updates) {
        int count = 0;
        long bytes = 0;
        for (Sequenced update : updates) {
            bytes += update.size;
            if (count == Limits.BATCH_UPDATES
                    || count > 0 && (bytes > Limits.BATCH || !update.traceparent.equals(updates.get(0).traceparent))) {
                break;
            }
            count++;
        }
        return count;
    }

    private void roll() throws IOException {
        Iterator<SpoolRecord> progress = Stream.concat(
                        idle.values().stream(), outboxes.values().stream().map(outbox -> progress(outbox, true)))
                .map(each -> SpoolRecord.newBuilder().setProgress(each).build())
                .iterator();
        Spool open = spool();
        open.roll(progress);
        outboxes.values().forEach(Spooler::noted);
        counters.spoolBytes.set(open.bytes());
    }

    private void noteAll() throws IOException {
        for (Outbox outbox : outboxes.values()) {
            if (outbox.notedAcked != outbox.window.first() - 1) {
                note(outbox);
            }
        }
    }

    private void note(Outbox outbox) throws IOException {
        Spool open = spool();
        if (open.wantsRoll()) {
            roll();
            return;
        }
        open.append(
                SpoolRecord.newBuilder().setProgress(progress(outbox, false)).build());
        noted(outbox);
    }

    private static void noted(Outbox outbox) {
        outbox.notedAcked = outbox.window.first() - 1;
        outbox.notedNext = outbox.window.next();
    }

    private static StreamProgress progress(Outbox outbox, boolean texts) {
        StreamProgress.Builder progress =
                progress(outbox.key, outbox.window.first() - 1, outbox.window.next(), outbox.finalSequence);
        if (texts) {
            progress.setWithTexts(true).addAllTexts(texts(outbox.lengths()));
        }
        return progress.build();
    }

    private static StreamProgress.Builder progress(StreamKey key, long acked, long next, long finalSequence) {
        return StreamProgress.newBuilder()
                .setExecutionId(key.executionId())
                .setWriterName(key.writerName())
                .setEpoch(key.epoch())
                .setAcked(acked)
                .setNext(next)
                .setFinalSequence(finalSequence);
    }

    private static List<TextLength> texts(TextLengths lengths) {
        List<TextLength> texts = new ArrayList<>();
        lengths.growing((key, bytes) -> texts.add(TextLength.newBuilder()
                .setEntryId(key.entryId())
                .setField(key.field())
                .setLength(bytes)
                .build()));
        return texts;
    }

    private Spool spool() {
        Spool open = spool;
        if (open == null) {
            throw new IllegalStateException("the spool is not open");
        }
        return open;
    }

    /** Something with the disk. */
    private interface Work {
        void run() throws IOException;
    }

    private void guarded(long now, Work work) {
        if (!works) {
            return;
        }
        try {
            work.run();
        } catch (IOException | RuntimeException failed) {
            fail(failed, now);
        }
    }

    private void fail(Exception failed, long now) {
        works = false;
        retryNanos = now + Math.min(LAST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(failures, 10));
        String reason = failed instanceof UncheckedIOException unchecked
                ? String.valueOf(unchecked.getCause())
                : failed.toString();
        if (failures++ == 0) {
            logger.warn("The spool fails ({}); what is not sent is kept in memory only", reason, failed);
        } else {
            logger.debug("The spool still fails ({})", reason);
        }
        counters.spoolFailures.increment();
        counters.spoolState = SpoolState.FAILED;
        callbacks.call(() -> listener.spoolFailed(reason));
    }
}
