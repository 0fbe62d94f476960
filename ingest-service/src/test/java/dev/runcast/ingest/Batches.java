package dev.runcast.ingest;

import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;

/** Batches as runners send them. */
final class Batches {
    static final long EPOCH = 1_700_000_000_000L;
    static final Writer RUNNER =
            Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER).build();

    private Batches() {}

    /** A batch of text appends whose words tell their sequence. */
    static UpdateBatch.Builder batch(String execution, long first, int updates) {
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setExecutionId(execution)
                .setWriter(RUNNER)
                .setEpoch(EPOCH)
                .setFirstSequence(first);
        for (int i = 0; i < updates; i++) {
            batch.addUpdates(text(execution + "#" + (first + i)));
        }
        return batch;
    }

    static Update text(String text) {
        return Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId("message-1")
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setOffset(7)
                        .setText(text))
                .build();
    }

    static Update message(String entry, String text) {
        return Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder()
                                .setEntryId(entry)
                                .setState(EntryState.ENTRY_STATE_COMPLETED)
                                .setMessage(ChatMessage.newBuilder().setText(text))))
                .build();
    }

    static UpdateBatch.Builder request(String execution, String requestId) {
        return UpdateBatch.newBuilder()
                .setExecutionId(execution)
                .setWriter(RUNNER)
                .setRequestId(requestId)
                .addUpdates(message("entry-1", "words of " + requestId));
    }

    static PublishUpdatesRequest frame(UpdateBatch.Builder batch) {
        return PublishUpdatesRequest.newBuilder().setBatch(batch).build();
    }
}
