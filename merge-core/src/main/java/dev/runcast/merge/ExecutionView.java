package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a person sees of an execution, built from its changes and nothing else. Immutable, and so safe to share between
 * threads: applying a change returns a new view and costs what the change is large, also for a text that grows by ten
 * thousand appends.
 *
 * <p>A snapshot is a change too: one that leads from version 0 to the present one.
 */
public final class ExecutionView {
    /** Before the first change. */
    public static final ExecutionView EMPTY =
            new ExecutionView(Execution.getDefaultInstance(), 0, new PersistentMap<>());

    /** All fields but text_bytes, which is a sum over the entries. */
    private final Execution execution;

    private final long textBytes;
    private final PersistentMap<EntryView> entries;

    private ExecutionView(Execution execution, long textBytes, PersistentMap<EntryView> entries) {
        this.execution = execution;
        this.textBytes = textBytes;
        this.entries = entries;
    }

    /**
     * The view after a change.
     *
     * @throws IllegalArgumentException when the change does not follow {@link #version()} directly, or has a text that
     *     does not fit where it says
     */
    public ExecutionView apply(Change change) {
        if (change.getFirstVersion() != version() + 1 || change.getVersion() < change.getFirstVersion()) {
            throw new IllegalArgumentException("change: versions %d to %d (expected: from %d)"
                    .formatted(change.getFirstVersion(), change.getVersion(), version() + 1));
        }
        long bytes = textBytes;
        PersistentMap<EntryView> after = entries;
        for (Entry record : change.getEntriesList()) {
            EntryView before = after.get(record.getEntryId());
            EntryView entry = before == null ? new EntryView(record) : before.withRecord(record);
            bytes += entry.textBytes() - (before == null ? 0 : before.textBytes());
            after = after.with(record.getEntryId(), entry);
        }
        for (TextChange text : change.getTextsList()) {
            EntryView entry = after.get(text.getEntryId());
            if (entry == null) {
                throw new IllegalArgumentException(
                        "text of %s (expected: an entry that has appeared)".formatted(Ids.shown(text.getEntryId())));
            }
            after = after.with(text.getEntryId(), entry.with(text));
        }
        return new ExecutionView(header(change), bytes, after);
    }

    /** The number of the last change applied; 0 before the first. */
    public long version() {
        return execution.getVersion();
    }

    /** The execution, all fields complete; empty before the first change. */
    public Execution execution() {
        if (execution.getTotals().getTextBytes() == textBytes) {
            return execution;
        }
        Execution.Builder complete = execution.toBuilder();
        complete.getTotalsBuilder().setTextBytes(textBytes);
        return complete.build();
    }

    /** All entries in order of first appearance, texts filled in. */
    public List<Entry> entries() {
        List<EntryView> all = new ArrayList<>(entries.size());
        entries.forEachValue(all::add);
        all.sort(Comparator.comparingLong(entry -> entry.record().getOrdinal()));
        return all.stream().map(EntryView::full).toList();
    }

    /** One entry, texts filled in; null when it has not appeared. */
    public @Nullable Entry entry(String entryId) {
        EntryView entry = entries.get(entryId);
        return entry == null ? null : entry.full();
    }

    /** One text of an entry as UTF-8, without copying it; null when it has not been written. */
    public @Nullable ByteString text(String entryId, TextField field) {
        EntryView entry = entries.get(entryId);
        EntryView.Text text = entry == null ? null : entry.texts().get(field);
        return text == null ? null : text.bytes();
    }

    /**
     * The records without their texts and the texts apart, as one change from version 0: what a viewer who begins now
     * needs, and what {@link #EMPTY} becomes this view by.
     */
    public Change snapshot() {
        List<EntryView> all = new ArrayList<>(entries.size());
        entries.forEachValue(all::add);
        all.sort(Comparator.comparingLong(entry -> entry.record().getOrdinal()));
        Change.Builder snapshot = Change.newBuilder()
                .setFirstVersion(1)
                .setVersion(version())
                .setReceivedAt(execution.getUpdatedAt())
                .setExecution(execution());
        for (EntryView entry : all) {
            snapshot.addEntries(entry.record());
            entry.texts()
                    .forEach((field, text) -> snapshot.addTexts(TextChange.newBuilder()
                            .setEntryId(entry.record().getEntryId())
                            .setField(field)
                            .setGeneration(text.generation())
                            .setTextBytes(text.bytes())));
        }
        return snapshot.build();
    }

    /**
     * One change with the effect of two consecutive ones on a view.
     *
     * @throws IllegalArgumentException when they are not consecutive
     */
    public static Change fold(Change older, Change newer) {
        return Fold.of(List.of(older, newer));
    }

    /**
     * One change with the effect of consecutive ones on a view, in time that grows with their size only. Of several
     * causes and request outcomes the last one stays.
     *
     * @throws IllegalArgumentException when there are none, or they are not consecutive
     */
    public static Change fold(List<Change> changes) {
        return Fold.of(changes);
    }

    /** Small fields replace; a message field that is absent stays, and one that is empty is taken away. */
    private Execution header(Change change) {
        Execution.Builder after;
        if (change.hasExecution()) {
            Execution newer = change.getExecution();
            after = newer.toBuilder();
            if (!newer.hasSpec() && execution.hasSpec()) {
                after.setSpec(execution.getSpec());
            } else if (newer.getSpec().equals(ExecutionSpec.getDefaultInstance())) {
                after.clearSpec();
            }
            if (!newer.hasAttributes() && execution.hasAttributes()) {
                after.setAttributes(execution.getAttributes());
            } else if (newer.getAttributes().equals(ExecutionAttributes.getDefaultInstance())) {
                after.clearAttributes();
            }
            if (!newer.hasFailure() && execution.hasFailure()) {
                after.setFailure(execution.getFailure());
            } else if (newer.getFailure().equals(Failure.getDefaultInstance())) {
                after.clearFailure();
            }
            if (!newer.hasLateOutcome() && execution.hasLateOutcome()) {
                after.setLateOutcome(execution.getLateOutcome());
            } else if (newer.getLateOutcome().equals(LateOutcome.getDefaultInstance())) {
                after.clearLateOutcome();
            }
            if (!newer.hasAttempt() && execution.hasAttempt()) {
                after.setAttempt(execution.getAttempt());
            } else if (newer.getAttempt().equals(Attempt.getDefaultInstance())) {
                after.clearAttempt();
            }
        } else {
            after = execution.toBuilder();
        }
        return after.setVersion(change.getVersion())
                .setUpdatedAt(change.getReceivedAt())
                .build();
    }
}
