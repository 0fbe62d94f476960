package dev.runcast.merge;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cold records of an execution as a batch sees them: loaded when first asked for, put aside while an update works
 * on them, and written once at the end of the batch.
 */
final class Records {
    private static final class Cell {
        final byte[] key;

        @Nullable
        MessageLite held;

        @Nullable
        MessageLite draft;

        boolean drafted;
        boolean changed;

        Cell(byte[] key) {
            this.key = key;
        }
    }

    private final StateReader state;
    private final Map<ByteBuffer, Cell> cells = new LinkedHashMap<>();
    private final List<Cell> drafts = new ArrayList<>();

    Records(StateReader state) {
        this.state = state;
    }

    <T extends MessageLite> @Nullable T get(byte[] key, Parser<T> parser) {
        Cell cell = cell(key, parser);
        @SuppressWarnings("unchecked") // a key has one kind of record
        T record = (T) (cell.drafted ? cell.draft : cell.held);
        return record;
    }

    /** Replaces a record; null deletes it. Holds when the update does. */
    <T extends MessageLite> void put(byte[] key, Parser<T> parser, @Nullable T record) {
        Cell cell = cell(key, parser);
        if (!cell.drafted) {
            cell.drafted = true;
            drafts.add(cell);
        }
        cell.draft = record;
    }

    /** Whether the present update has replaced any record. */
    boolean hasDrafts() {
        return !drafts.isEmpty();
    }

    /** Whether the present update has replaced the record. */
    boolean isDrafted(byte[] key) {
        Cell cell = cells.get(ByteBuffer.wrap(key));
        return cell != null && cell.drafted;
    }

    /** The record before the present update; only for one that has been asked for. */
    <T extends MessageLite> T held(byte[] key, T absent) {
        Cell cell = cells.get(ByteBuffer.wrap(key));
        if (cell == null || cell.held == null) {
            return absent;
        }
        @SuppressWarnings("unchecked") // a key has one kind of record
        T held = (T) cell.held;
        return held;
    }

    void keep() {
        for (Cell cell : drafts) {
            cell.held = cell.draft;
            cell.changed = true;
            cell.drafted = false;
        }
        drafts.clear();
    }

    void putBack() {
        for (Cell cell : drafts) {
            cell.draft = null;
            cell.drafted = false;
        }
        drafts.clear();
    }

    void write(List<StateWrite> to) {
        cells.values().forEach(cell -> {
            if (cell.changed) {
                to.add(new StateWrite(cell.key, cell.held == null ? null : cell.held.toByteArray()));
            }
        });
    }

    /** @throws IllegalStateException when the store holds something else under the key: the store is damaged */
    static <T extends MessageLite> @Nullable T read(StateReader state, byte[] key, Parser<T> parser) {
        byte[] bytes = state.get(key);
        if (bytes == null) {
            return null;
        }
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(
                    "state: %d unreadable bytes under %s (expected: a record of its kind)"
                            .formatted(bytes.length, Ids.shown(new String(key, StandardCharsets.ISO_8859_1))),
                    e);
        }
    }

    private Cell cell(byte[] key, Parser<? extends MessageLite> parser) {
        ByteBuffer at = ByteBuffer.wrap(key);
        Cell cell = cells.get(at);
        if (cell == null) {
            cell = new Cell(key);
            cell.held = read(state, key, parser);
            cells.put(at, cell);
        }
        return cell;
    }
}
