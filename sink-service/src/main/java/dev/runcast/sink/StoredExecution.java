package dev.runcast.sink;

import com.google.protobuf.Message;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.sink.FirstDifference.Difference;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One execution as it is stored: its history is folded into the digest that the log's is compared by, and into a view
 * that header, entries and texts are compared with. So nothing of the log has to be remembered but the digest.
 *
 * @param version the version that was compared; 0 when nothing is stored
 * @param history whether all of the log's history is there, byte for byte. When it is not, only a look at both tells
 *     whether they differ
 * @param problem where what is stored does not go together, or cannot be read; empty when it does
 */
record StoredExecution(long version, boolean history, String problem) {
    static final StoredExecution NONE = new StoredExecution(0, false, "");

    private static final int LOOKS = 20;
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(50);

    /** Reads it. Reads again when somebody wrote it meanwhile. */
    static StoredExecution read(ExecutionStore store, ExecutionKey key, Shadow.Of log) {
        StoredExecution read = new Look(store, key, log).look();
        for (int look = 1; look < LOOKS && moved(store, key, read.version); look++) {
            Pause.of(BETWEEN_LOOKS);
            read = new Look(store, key, log).look();
        }
        return read;
    }

    private static boolean moved(ExecutionStore store, ExecutionKey key, long version) {
        Long now = store.versions(List.of(key)).blockOptional().orElseThrow().get(key);
        return (now == null ? 0 : now) != version;
    }

    /** One look at it. */
    private static final class Look {
        private final ExecutionStore store;
        private final ExecutionKey key;
        private final Shadow.Of log;
        private final Digest digest = new Digest();
        private byte[] digested = Digest.begin();
        private boolean equal;
        private ExecutionView view = ExecutionView.EMPTY;

        Look(ExecutionStore store, ExecutionKey key, Shadow.Of log) {
            this.store = store;
            this.key = key;
            this.log = log;
        }

        StoredExecution look() {
            long version = 0;
            try {
                version = store.versions(List.of(key))
                        .blockOptional()
                        .orElseThrow()
                        .getOrDefault(key, 0L);
                if (version == 0) {
                    return NONE;
                }
                Execution stored = store.execution(key).block();
                if (stored == null) {
                    return NONE;
                }
                version = stored.getVersion();
                store.changes(key, 0, version).toStream().forEach(this::take);
                if (view.version() != version) {
                    return new StoredExecution(
                            version,
                            false,
                            "changes[%d]: absent (expected: all up to %d)".formatted(view.version() + 1, version));
                }
                return new StoredExecution(version, equal, problem(stored));
            } catch (IllegalStateException | IllegalArgumentException | ClassCastException | NullPointerException e) {
                // What a damaged document is answered with depends on where it is damaged.
                return new StoredExecution(version, false, "cannot be read: " + sentence(e));
            }
        }

        private void take(Change change) {
            view = view.apply(change);
            if (change.getVersion() <= log.version()) {
                digested = digest.after(digested, change);
                equal = change.getVersion() == log.version() && Arrays.equals(digested, log.digest());
            }
        }

        private String problem(Execution stored) {
            Difference difference = FirstDifference.between("execution", view.execution(), complete(stored));
            if (difference == null) {
                List<StoredEntry> entries =
                        store.entries(stored, 0).collectList().blockOptional().orElse(List.of());
                difference = entries(
                        view.entries(),
                        entries.stream().map(StoredEntry::filled).toList());
            }
            if (difference != null) {
                return difference.toString();
            }
            String contradiction = store.contradictions(key).blockFirst();
            return contradiction == null ? "" : contradiction;
        }

        /** The sum of the texts' lengths is not written with every change, and is told by the entries. */
        private Execution complete(Execution stored) {
            Execution.Builder complete = stored.toBuilder();
            if (stored.hasTotals() || view.execution().hasTotals()) {
                complete.getTotalsBuilder()
                        .setTextBytes(view.execution().getTotals().getTextBytes());
            }
            return complete.build();
        }

        private static @Nullable Difference entries(List<Entry> log, List<Entry> store) {
            for (int i = 0; i < Math.max(log.size(), store.size()); i++) {
                String at = "entries[" + (i + 1) + ']';
                Difference difference = i < log.size() && i < store.size()
                        ? FirstDifference.between(at, log.get(i), store.get(i))
                        : new Difference(at, shown(log, i), shown(store, i));
                if (difference != null) {
                    return difference;
                }
            }
            return null;
        }

        private static String shown(List<? extends Message> entries, int i) {
            return i < entries.size() ? "an entry" : "absent";
        }
    }

    /** What a damaged document is answered with, its causes included. */
    static String sentence(Throwable failure) {
        StringBuilder all = new StringBuilder(String.valueOf(failure.getMessage()));
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
            all.append(": ").append(cause.getMessage());
        }
        return all.toString();
    }
}
