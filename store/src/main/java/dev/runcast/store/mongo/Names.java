package dev.runcast.store.mongo;

import com.mongodb.client.model.Filters;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.TextField;
import org.bson.conversions.Bson;

/** What collections and documents are called. Numbers in ids are padded, so that ids sort as the numbers do. */
final class Names {
    static final String EXECUTIONS = "executions";
    static final String ENTRIES = "entries";
    static final String TEXTS = "texts";
    static final String CHANGES = "changes";
    static final String REQUESTS = "requests";
    static final String REJECTED = "rejected";
    static final String DEAD_LETTERS = "dead_letters";
    static final String META = "meta";

    /** How many consecutive versions share a document. */
    static final int BUCKET = 128;

    /** What is larger has a document of its own, so that 128 of them stay far below MongoDB's 16 MiB. */
    static final int MAX_INLINE_BYTES = 32 * 1024;

    /** What is larger has several documents of its own: only the end of a run with hundreds of open entries is. */
    static final int MAX_PART_BYTES = 8 * 1024 * 1024;

    private Names() {}

    static String entry(ExecutionKey key, long ordinal) {
        return "%s/%010d".formatted(key, ordinal);
    }

    static String changes(ExecutionKey key, long version) {
        return "%s/%010d".formatted(key, version / BUCKET);
    }

    static String change(ExecutionKey key, long version) {
        return changes(key, version) + '/' + version;
    }

    static String changePart(ExecutionKey key, long version, int part) {
        return change(key, version) + '/' + part;
    }

    /** All documents of an execution in a collection where it has many: those whose ids begin with its own. */
    static Bson all(ExecutionKey key) {
        // No character of an id comes between '/' and the one that follows it.
        return Filters.and(Filters.gt("_id", key + "/"), Filters.lt("_id", key + "0"));
    }

    static String request(ExecutionKey key, String requestId) {
        return key + "/" + requestId;
    }

    /** Where the pieces of a text lie that were written at a version, without the entry: the entry lists these. */
    static String pieces(int field, int generation, long version) {
        return "%s/%d/%010d".formatted(textField(field), generation, version / BUCKET);
    }

    static String texts(ExecutionKey key, String entryId, String pieces) {
        return "%s/%s/%s".formatted(key, entryId, pieces);
    }

    /** {@code RESULT} for {@code TEXT_FIELD_RESULT}; a field that this build does not know keeps its number. */
    static String textField(int number) {
        TextField field = TextField.forNumber(number);
        return field == null ? Integer.toString(number) : shortName(field, "TEXT_FIELD_");
    }

    static int textField(String name) {
        return Character.isDigit(name.charAt(0))
                ? Integer.parseInt(name)
                : TextField.valueOf("TEXT_FIELD_" + name).getNumber();
    }

    /** {@code RUNNING} for {@code PHASE_RUNNING}: the form of the contract's JSON without what the field says anyway. */
    static String shortName(Enum<?> value, String prefix) {
        return value.name().startsWith(prefix) ? value.name().substring(prefix.length()) : value.name();
    }
}
