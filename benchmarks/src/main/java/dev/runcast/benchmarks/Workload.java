package dev.runcast.benchmarks;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.Merge;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Usage;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.Random;

/**
 * What the runners report, the same for every row and every rival: an agent that thinks, speaks and calls tools, over
 * and over. Twenty updates make a turn of five entries: a thought (begun, three pieces, done), a message (begun, eight
 * pieces, done), two tool calls (begun with arguments, done with a result) and the usage. 150 bytes each on average.
 */
final class Workload {
    /** Updates of one turn. */
    static final int TURN = 20;

    private static final Writer RUNNER =
            Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER).build();

    private static final int STEADY = 4;
    private static final int PIECE = 64;
    private static final int PIECES = 1024;
    private static final String[] TEXT = pieces();

    private Workload() {}

    /**
     * One update of an execution.
     *
     * @param sequence its place, from 1
     * @param salt whose words it has: executions with another salt say something else
     */
    static Update update(long sequence, int salt) {
        Update.Builder update = Update.newBuilder().setOccurredAt(now());
        if (sequence == 1) {
            return update.setPhaseChanged(PhaseChanged.newBuilder().setPhase(Phase.PHASE_RUNNING))
                    .build();
        }
        long turn = (sequence - 2) / TURN;
        int step = (int) ((sequence - 2) % TURN);
        if (step == 0) {
            update.setEntryUpserted(message("k-" + turn, Role.ROLE_THINKING, EntryState.ENTRY_STATE_RUNNING));
        } else if (step <= 3) {
            update.setTextAppended(piece("k-" + turn, step - 1, sequence, salt));
        } else if (step == 4) {
            update.setEntryUpserted(state("k-" + turn, EntryState.ENTRY_STATE_COMPLETED));
        } else if (step == 5) {
            update.setEntryUpserted(message("m-" + turn, Role.ROLE_AI, EntryState.ENTRY_STATE_RUNNING));
        } else if (step <= 13) {
            update.setTextAppended(piece("m-" + turn, step - 6, sequence, salt));
        } else if (step == 14) {
            update.setEntryUpserted(state("m-" + turn, EntryState.ENTRY_STATE_COMPLETED));
        } else if (step == 15 || step == 17) {
            update.setEntryUpserted(upsert(Entry.newBuilder()
                    .setEntryId("t-" + turn + "-" + step)
                    .setState(EntryState.ENTRY_STATE_RUNNING)
                    .setToolCall(ToolCall.newBuilder()
                            .setName("search_files")
                            .setArguments("{\"query\": \"" + text(sequence, salt) + "\"}"))));
        } else if (step == 16 || step == 18) {
            update.setEntryUpserted(upsert(Entry.newBuilder()
                    .setEntryId("t-" + turn + "-" + (step - 1))
                    .setState(EntryState.ENTRY_STATE_COMPLETED)
                    .setToolCall(ToolCall.newBuilder()
                            .setResult("{\"found\": [\"" + text(sequence, salt) + "\", \"" + text(sequence + 7, salt)
                                    + "\", \"" + text(sequence + 13, salt) + "\"]}"))));
        } else {
            update.setEntryUpserted(upsert(Entry.newBuilder()
                    .setEntryId("u-" + turn)
                    .setState(EntryState.ENTRY_STATE_COMPLETED)
                    .setUsage(Usage.newBuilder()
                            .setModel("model-large")
                            .setInputTokens(1200 + turn)
                            .setOutputTokens(340)
                            .setCostMicros(5100))));
        }
        return update.build();
    }

    /** What an execution's updates are, by their sequence from 1 and a salt. */
    interface Updates {
        /** See {@link Workload#update}. */
        Update update(long sequence, int salt);
    }

    /** Updates under which an execution gets no further entries: four messages that are never done. */
    static Update steady(long sequence, int salt) {
        if (sequence <= STEADY + 1) {
            return sequence == 1
                    ? update(1, salt)
                    : Update.newBuilder()
                            .setOccurredAt(now())
                            .setEntryUpserted(
                                    message("s-" + (sequence - 2), Role.ROLE_AI, EntryState.ENTRY_STATE_RUNNING))
                            .build();
        }
        long step = sequence - STEADY - 2;
        return Update.newBuilder()
                .setOccurredAt(now())
                .setTextAppended(piece("s-" + step % STEADY, Math.toIntExact(step / STEADY), sequence, salt))
                .build();
    }

    /** Consecutive updates as a runner sends them. */
    static UpdateBatch batch(String executionId, long epoch, long firstSequence, int updates, int salt) {
        return batch(Workload::update, executionId, epoch, firstSequence, updates, salt);
    }

    /** The same with other updates. */
    static UpdateBatch batch(Updates kind, String executionId, long epoch, long firstSequence, int updates, int salt) {
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setExecutionId(executionId)
                .setWriter(RUNNER)
                .setEpoch(epoch)
                .setFirstSequence(firstSequence);
        for (int i = 0; i < updates; i++) {
            batch.addUpdates(kind.update(firstSequence + i, salt));
        }
        return batch.build();
    }

    /** A batch as the door appends it to the log. */
    static UpdateBatch stamped(UpdateBatch batch) {
        return batch.toBuilder()
                .setTenant("default")
                .setReceivedAt(now())
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal("anonymous")
                .build();
    }

    static Timestamp now() {
        long millis = System.currentTimeMillis();
        return Timestamp.newBuilder()
                .setSeconds(millis / 1000)
                .setNanos((int) (millis % 1000) * 1_000_000)
                .build();
    }

    private static TextAppended piece(String entryId, int place, long sequence, int salt) {
        return TextAppended.newBuilder()
                .setEntryId(entryId)
                .setField(TextField.TEXT_FIELD_TEXT)
                .setOffset((long) place * PIECE)
                .setText(text(sequence, salt))
                .build();
    }

    private static EntryUpserted message(String entryId, Role role, EntryState state) {
        return upsert(Entry.newBuilder()
                .setEntryId(entryId)
                .setState(state)
                .setMessage(ChatMessage.newBuilder().setRole(role)));
    }

    private static EntryUpserted state(String entryId, EntryState state) {
        return upsert(Entry.newBuilder().setEntryId(entryId).setState(state));
    }

    private static EntryUpserted upsert(Entry.Builder entry) {
        return EntryUpserted.newBuilder().setEntry(entry).build();
    }

    private static String text(long sequence, int salt) {
        return TEXT[(int) ((sequence * 31 + salt * 17L) & (PIECES - 1))];
    }

    private static String[] pieces() {
        Random random = new Random(20260508);
        String[] pieces = new String[PIECES];
        for (int i = 0; i < PIECES; i++) {
            StringBuilder piece = new StringBuilder(PIECE);
            while (piece.length() < PIECE) {
                int word = 2 + random.nextInt(7);
                for (int letter = 0; letter < word && piece.length() < PIECE; letter++) {
                    piece.append((char) ('a' + random.nextInt(26)));
                }
                if (piece.length() < PIECE) {
                    piece.append(' ');
                }
            }
            pieces[i] = piece.toString();
        }
        return pieces;
    }
}
