package dev.runcast.faults;

import com.google.protobuf.MessageLite;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Ack;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.TextState;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Judges a history against the oracle's fold of the log. An empty list means that every promise was kept. */
final class Checker {
    /** More of one kind say nothing new. */
    private static final int MOST = 20;

    private final History history;
    private final Map<ExecutionKey, Folded> folds;
    private final List<String> violations = new ArrayList<>();

    private Checker(History history) {
        this.history = history;
        this.folds = new TreeMap<>();
        history.log().entrySet().parallelStream()
                .map(entry -> Map.entry(entry.getKey(), Folded.of(entry.getKey(), entry.getValue())))
                .toList()
                .forEach(entry -> folds.put(entry.getKey(), entry.getValue()));
    }

    /** What was not as it must be, one a line. */
    static List<String> check(History history) {
        Checker checker = new Checker(history);
        checker.acksAreInEffectOnce();
        checker.reportsAreThere();
        checker.folds.forEach((key, fold) -> {
            checker.changesAreTheOracles(key, fold);
            checker.storeIsTheOracles(key, fold);
        });
        checker.rejectionsAreTheOracles();
        history.views().forEach((name, frames) -> checker.view(name, frames));
        return checker.violations.size() <= MOST
                ? List.copyOf(checker.violations)
                : List.copyOf(checker.violations.subList(0, MOST));
    }

    /** How much was looked at. */
    static String scope(History history) {
        long updates = history.log().values().stream()
                .flatMap(List::stream)
                .mapToLong(logged -> logged.batch().getUpdatesCount())
                .sum();
        long frames = history.views().values().stream().mapToLong(List::size).sum();
        return "%d executions, %d updates in the log, %d acks, %d frames of %d viewers"
                .formatted(
                        history.log().size(),
                        updates,
                        history.acked().size(),
                        frames,
                        history.views().size());
    }

    private void require(boolean holds, String violation, Object... values) {
        if (!holds) {
            violations.add(violation.formatted(values));
        }
    }

    private void acksAreInEffectOnce() {
        Map<Folded.Name, Set<Update>> sent = new HashMap<>();
        for (UpdateBatch batch : history.sent()) {
            for (int i = 0; i < batch.getUpdatesCount(); i++) {
                sent.computeIfAbsent(Folded.Name.of(batch, i), name -> new HashSet<>())
                        .add(batch.getUpdates(i));
            }
        }
        Map<Folded.Name, List<Folded.Outcome>> logged = new HashMap<>();
        Map<Folded.Name, TreeSet<Long>> settled = new HashMap<>();
        for (Folded fold : folds.values()) {
            for (Folded.Outcome update : fold.updates()) {
                logged.computeIfAbsent(update.name(), name -> new ArrayList<>()).add(update);
                if (!update.early() && update.name().sequence() > 0 && !update.fenced()) {
                    settled.computeIfAbsent(update.name().at(0), stream -> new TreeSet<>())
                            .add(update.name().sequence());
                }
                require(
                        sent.getOrDefault(update.name(), Set.of()).contains(update.update()),
                        "%s is in the log with a content that was never sent",
                        update.name());
            }
        }
        logged.forEach((name, all) -> require(
                all.stream().filter(Folded.Outcome::applied).count() <= 1, "%s was applied more than once", name));
        settled.forEach((stream, sequences) -> require(
                sequences.first() == 1 && sequences.last() == sequences.size(),
                "%s: sequences with a hole, %d of 1 to %d",
                stream,
                sequences.size(),
                sequences.last()));
        for (Folded.Name name : acked()) {
            List<Folded.Outcome> all = logged.getOrDefault(name, List.of());
            require(!all.isEmpty(), "%s was acked and is not in the log", name);
            require(
                    all.isEmpty() || all.stream().anyMatch(update -> update.applied() || settles(update)),
                    "%s was acked and neither applied nor refused by a rule",
                    name);
        }
    }

    private static boolean settles(Folded.Outcome update) {
        return update.rejected() && !update.early();
    }

    /** Acks of a stream are cumulative. */
    private Set<Folded.Name> acked() {
        Map<Folded.Name, Long> through = new HashMap<>();
        Set<Folded.Name> names = new HashSet<>();
        for (Ack ack : history.acked()) {
            if (ack.hasRequestId()) {
                names.add(new Folded.Name(ack.getExecutionId(), ack.getWriter(), 0, ack.getRequestId(), 0));
            } else {
                through.merge(
                        new Folded.Name(ack.getExecutionId(), ack.getWriter(), ack.getEpoch(), "", 0),
                        ack.getSequence(),
                        Math::max);
            }
        }
        through.forEach((stream, last) -> {
            for (long sequence = 1; sequence <= last; sequence++) {
                names.add(stream.at(sequence));
            }
        });
        return names;
    }

    /** What agents reported is in the state word for word: nothing was left out, nothing merged wrongly. */
    private void reportsAreThere() {
        for (Snapshot reported : history.reported()) {
            Execution execution = reported.getExecution();
            Folded fold = folds.entrySet().stream()
                    .filter(entry -> entry.getKey().executionId().equals(execution.getExecutionId()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse(null);
            if (fold == null) {
                violations.add(execution.getExecutionId() + " was reported and is not in the log");
                continue;
            }
            require(
                    fold.execution().getPhase() == execution.getPhase()
                            && fold.execution().getEpoch() == execution.getEpoch()
                            && fold.execution().getTotals().getOmittedUpdates() == 0,
                    "%s: reported %s of %d, found %s",
                    execution.getExecutionId(),
                    execution.getPhase(),
                    execution.getEpoch(),
                    fold.execution());
            Map<String, Entry> found = new HashMap<>();
            fold.entries().forEach(entry -> found.put(entry.getEntryId(), entry));
            for (Entry entry : reported.getEntriesList()) {
                Entry there = found.getOrDefault(entry.getEntryId(), Entry.getDefaultInstance());
                require(
                        content(there).equals(entry),
                        "%s: reported %s, found %s",
                        execution.getExecutionId(),
                        entry,
                        there);
            }
        }
    }

    /** Of an entry what an agent says. */
    private static Entry content(Entry entry) {
        Entry.Builder content = Entry.newBuilder().setEntryId(entry.getEntryId()).setState(entry.getState());
        switch (entry.getBodyCase()) {
            case MESSAGE -> content.setMessage(entry.getMessage());
            case TOOL_CALL -> content.setToolCall(entry.getToolCall());
            case USAGE -> content.setUsage(entry.getUsage());
            default -> {
                // Plans are replaced as a whole and not remembered by the agents.
            }
        }
        return content.build();
    }

    private void changesAreTheOracles(ExecutionKey key, Folded fold) {
        List<Change> changes = history.changes().getOrDefault(key, List.of()).stream()
                .map(ChangeBatch::getChangesList)
                .flatMap(List::stream)
                .toList();
        for (int i = 0; i < changes.size(); i++) {
            if (changes.get(i).getFirstVersion() != i + 1 || changes.get(i).getVersion() != i + 1) {
                violations.add("%s: change %d of the topic has version %d"
                        .formatted(key, i + 1, changes.get(i).getVersion()));
                break;
            }
        }
        List<Change> plain = changes.stream().map(Checker::withoutMessage).toList();
        same("changes of " + key, plain, fold.changes());
        History.Stored stored = history.stored().get(key);
        same("stored history of " + key, stored == null ? List.of() : stored.changes(), changes);
    }

    private static Change withoutMessage(Change change) {
        if (!change.hasRequestOutcome()) {
            return change;
        }
        Change.Builder plain = change.toBuilder();
        plain.getRequestOutcomeBuilder().clearMessage();
        return plain.build();
    }

    private void storeIsTheOracles(ExecutionKey key, Folded fold) {
        History.Stored stored = history.stored().get(key);
        if (stored == null) {
            require(fold.changes().isEmpty(), "%s is not in the store", key);
            return;
        }
        long textBytes = 0;
        for (StoredEntry entry : stored.entries()) {
            for (TextState text : entry.record().getTextsList()) {
                textBytes += text.getLengthBytes();
            }
        }
        // Documented: the sum lags in the store while a text grows and nothing else changes.
        Execution.Builder execution = stored.execution().toBuilder();
        execution.getTotalsBuilder().setTextBytes(textBytes);
        same("stored execution " + key, List.of(execution.build()), List.of(fold.execution()));
        same(
                "stored entries of " + key,
                stored.entries().stream().map(StoredEntry::filled).toList(),
                fold.entries());
    }

    private void rejectionsAreTheOracles() {
        Set<String> expected = new TreeSet<>();
        folds.values().forEach(fold -> fold.updates().stream()
                .filter(Folded.Outcome::rejected)
                .forEach(update -> expected.add(place(
                        update.partition(), update.offset(), update.index(), update.reason()))));
        Set<String> found = new TreeSet<>();
        for (RejectedUpdate rejected : history.rejected()) {
            for (int i = 0; i < rejected.getCount(); i++) {
                String place = place(
                        rejected.getPartition(),
                        rejected.getOffset(),
                        rejected.getIndex() + i,
                        rejected.getReason().name());
                require(found.add(place), "rejection twice: %s", place);
            }
        }
        expected.stream()
                .filter(place -> !found.contains(place))
                .forEach(place -> violations.add("rejection missing: " + place));
        found.stream()
                .filter(place -> !expected.contains(place))
                .forEach(place -> violations.add("rejection of what was not rejected: " + place));
    }

    private static String place(int partition, long offset, int index, String reason) {
        return "partition %d, offset %d, index %d, %s".formatted(partition, offset, index, reason);
    }

    private void view(String name, List<WatchExecutionResponse> frames) {
        String executionId = name.substring(name.indexOf('-') + 1);
        folds.forEach((key, fold) -> {
            if (key.executionId().equals(executionId)) {
                List<Change> changes = history.changes().getOrDefault(key, List.of()).stream()
                        .map(ChangeBatch::getChangesList)
                        .flatMap(List::stream)
                        .toList();
                violations.addAll(ViewCheck.check(name, frames, changes, fold.execution().getPhase()));
            }
        });
        require(
                folds.keySet().stream().anyMatch(key -> key.executionId().equals(executionId)),
                "%s watched what is not in the log",
                name);
    }

    private void same(String what, List<? extends MessageLite> found, List<? extends MessageLite> expected) {
        if (found.equals(expected)) {
            return;
        }
        int at = 0;
        while (at < Math.min(found.size(), expected.size()) && Objects.equals(found.get(at), expected.get(at))) {
            at++;
        }
        violations.add("%s: %d (expected: %d); the first difference is number %d:%n  found    %s%n  expected %s"
                .formatted(what, found.size(), expected.size(), at + 1, shown(found, at), shown(expected, at)));
    }

    private static String shown(List<? extends MessageLite> messages, int at) {
        return at < messages.size() ? messages.get(at).toString().replace('\n', ' ') : "nothing";
    }
}
