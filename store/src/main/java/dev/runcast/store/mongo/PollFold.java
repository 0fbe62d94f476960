package dev.runcast.store.mongo;

import com.mongodb.client.model.Filters;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.model.WriteModel;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionPatch;
import dev.runcast.store.StoreWrite;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.TextChange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.bson.types.Binary;

/**
 * The changes of a poll as the fewest writes: of each header and entry only the newest, of each text what was appended
 * in as few pieces as may be, of each bucket of history one {@code $set}.
 */
final class PollFold {
    private static final UpdateOptions UPSERT = new UpdateOptions().upsert(true);

    private final boolean guarded;
    private final List<WriteModel<Document>> executions = new ArrayList<>();
    private final List<WriteModel<Document>> entries = new ArrayList<>();
    private final List<WriteModel<Document>> texts = new ArrayList<>();
    private final List<WriteModel<Document>> changes = new ArrayList<>();
    private final List<WriteModel<Document>> requests = new ArrayList<>();
    private final List<WriteModel<Document>> rejected = new ArrayList<>();
    private final List<WriteModel<Document>> deadLetters = new ArrayList<>();

    PollFold(StoreWrite write, boolean guarded) {
        this.guarded = guarded;
        write.changes().forEach(this::add);
        write.rejected().forEach(this::add);
        write.deadLetters().forEach(this::add);
    }

    List<WriteModel<Document>> executions() {
        return executions;
    }

    List<WriteModel<Document>> entries() {
        return entries;
    }

    List<WriteModel<Document>> texts() {
        return texts;
    }

    List<WriteModel<Document>> changes() {
        return changes;
    }

    List<WriteModel<Document>> requests() {
        return requests;
    }

    List<WriteModel<Document>> rejected() {
        return rejected;
    }

    List<WriteModel<Document>> deadLetters() {
        return deadLetters;
    }

    private void add(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        Execution patch = Execution.getDefaultInstance();
        boolean full = false;
        Map<String, Entry> records = new LinkedHashMap<>();
        Map<Text, List<Piece>> pieces = new LinkedHashMap<>();
        for (Change change : batch.getChangesList()) {
            patch = ExecutionPatch.join(patch, change).build();
            full |= change.hasExecution();
            change.getEntriesList().forEach(entry -> records.put(entry.getEntryId(), entry));
            addPieces(change, pieces);
        }
        executions.add(versioned(key.toString(), patch.getVersion(), HeaderDocument.update(key, patch, full)));
        Map<String, Document> listed = new HashMap<>();
        for (Text text : pieces.keySet()) {
            if (!records.containsKey(text.entryId())) {
                throw new IllegalArgumentException(
                        "text of entry %s of %s: without the entry's record (expected: with it)"
                                .formatted(text.entryId(), key));
            }
        }
        pieces.forEach((text, all) -> addTexts(key, text, all, listed));
        records.values()
                .forEach(entry -> addEntry(key, entry, listed.getOrDefault(entry.getEntryId(), new Document())));
        addHistory(key, batch.getChangesList());
    }

    private static void addPieces(Change change, Map<Text, List<Piece>> pieces) {
        Map<Text, Integer> indexes = new HashMap<>();
        for (TextChange text : change.getTextsList()) {
            Text name = new Text(text.getEntryId(), text.getFieldValue(), text.getGeneration());
            int index = indexes.merge(name, 1, Integer::sum) - 1;
            Piece piece =
                    new Piece(change.getVersion(), change.getVersion(), index, text.getOffset(), text.getTextBytes());
            List<Piece> before = pieces.computeIfAbsent(name, first -> new ArrayList<>());
            int last = before.size() - 1;
            if (last >= 0 && before.get(last).joins(piece, Names.MAX_INLINE_BYTES)) {
                before.set(last, before.get(last).join(piece));
            } else {
                before.add(piece);
            }
        }
    }

    private void addTexts(ExecutionKey key, Text text, List<Piece> pieces, Map<String, Document> listed) {
        Map<String, Document> sets = new LinkedHashMap<>();
        for (Piece piece : pieces) {
            String bucket = Names.pieces(text.field(), text.generation(), piece.version());
            String id = Names.texts(key, text.entryId(), bucket);
            listed.computeIfAbsent(text.entryId(), entry -> new Document()).append("pieces." + bucket, true);
            Document set = sets.computeIfAbsent(id, first -> new Document());
            Document said = new Document("offset", piece.offset());
            if (piece.bytes().size() > Names.MAX_INLINE_BYTES) {
                texts.add(always(
                        id + '/' + piece.name(),
                        new Document("$set", new Document("text", piece.bytes().toStringUtf8()))));
            } else {
                said.append("text", piece.bytes().toStringUtf8());
            }
            set.append("pieces." + piece.name(), said);
        }
        sets.forEach((id, set) -> texts.add(always(id, new Document("$set", set))));
    }

    private void addEntry(ExecutionKey key, Entry entry, Document listed) {
        Document set = entryFields(key, entry).append("raw", HeaderDocument.binary(entry));
        set.putAll(listed);
        entries.add(versioned(Names.entry(key, entry.getOrdinal()), entry.getVersion(), new Document("$set", set)));
    }

    /** What a person reads of an entry in a shell. */
    static Document entryFields(ExecutionKey key, Entry entry) {
        return new Document("execution", key.toString())
                .append("entry_id", entry.getEntryId())
                .append("parent_id", entry.getParentId())
                .append("ordinal", entry.getOrdinal())
                .append("kind", entry.getBodyCase().name())
                .append("state", Names.shortName(entry.getState(), "ENTRY_STATE_"))
                .append("version", entry.getVersion())
                .append("updated_at", HeaderDocument.date(entry.getUpdatedAt()));
    }

    private void addHistory(ExecutionKey key, List<Change> all) {
        Map<String, Document> sets = new LinkedHashMap<>();
        for (Change change : all) {
            Document set = sets.computeIfAbsent(Names.changes(key, change.getVersion()), first -> new Document());
            if (change.hasRequestOutcome()) {
                requests.add(always(
                        Names.request(key, change.getRequestOutcome().getRequestId()),
                        new Document("$max", new Document("version", change.getVersion()))));
            }
            Binary packed = new Binary(Packed.pack(change.toByteArray()));
            if (packed.length() > Names.MAX_INLINE_BYTES) {
                addLarge(key, change.getVersion(), packed.getData());
                set.append("changes.v" + change.getVersion(), new Binary(new byte[0]));
            } else {
                set.append("changes.v" + change.getVersion(), packed);
            }
        }
        sets.forEach((id, set) -> changes.add(always(id, new Document("$set", set))));
    }

    private void addLarge(ExecutionKey key, long version, byte[] packed) {
        if (packed.length <= Names.MAX_PART_BYTES) {
            changes.add(always(
                    Names.change(key, version), new Document("$set", new Document("change", new Binary(packed)))));
            return;
        }
        int parts = 0;
        for (int from = 0; from < packed.length; from += Names.MAX_PART_BYTES) {
            byte[] part = Arrays.copyOfRange(packed, from, Math.min(packed.length, from + Names.MAX_PART_BYTES));
            changes.add(always(
                    Names.changePart(key, version, parts),
                    new Document("$set", new Document("change", new Binary(part)))));
            parts++;
        }
        changes.add(always(Names.change(key, version), new Document("$set", new Document("parts", parts))));
    }

    private void add(RejectedUpdate update) {
        Document set = new Document("execution", update.getTenant() + '/' + update.getExecutionId())
                .append("offset", update.getOffset())
                .append("index", update.getIndex())
                .append("reason", Names.shortName(update.getReason(), "REJECTION_REASON_"))
                .append("message", update.getMessage())
                .append("received_at", HeaderDocument.date(update.getReceivedAt()))
                .append("raw", HeaderDocument.binary(update));
        rejected.add(always(
                "%d/%d/%d".formatted(update.getPartition(), update.getOffset(), update.getIndex()),
                new Document("$set", set)));
    }

    private void add(DeadLetter letter) {
        Document set = new Document("topic", letter.topic())
                .append("partition", letter.partition())
                .append("offset", letter.offset())
                .append("key", letter.key())
                .append("reason", letter.reason())
                .append("message", letter.message())
                .append("at", Date.from(letter.at()));
        deadLetters.add(always(
                "%s/%d/%d".formatted(letter.topic(), letter.partition(), letter.offset()), new Document("$set", set)));
    }

    /** A write that says the same whenever it is made. */
    private static WriteModel<Document> always(String id, Document update) {
        return new UpdateOneModel<>(Filters.eq("_id", id), update, UPSERT);
    }

    /** A write that must not go back behind a newer one. */
    private WriteModel<Document> versioned(String id, long version, Document update) {
        Bson byId = Filters.eq("_id", id);
        return new UpdateOneModel<>(guarded ? Filters.and(byId, Filters.lt("version", version)) : byId, update, UPSERT);
    }

    private record Text(String entryId, int field, int generation) {}
}
