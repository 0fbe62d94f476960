package dev.runcast.api.watch;

import com.google.protobuf.MessageOrBuilder;
import dev.runcast.api.read.Json;
import dev.runcast.v1.WatchExecutionResponse;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A frame to viewers, with its two encodings made at most about once for all of them. Immutable to whoever looks;
 * thread-safe.
 */
public final class Frame {
    /** The largest change that is given in one: clients of gRPC refuse a message of over 4 MiB unless told otherwise. */
    static final int MAX_BYTES = 3 * 1024 * 1024;

    private final WatchExecutionResponse message;
    // Two threads may make the same encoding at once, which costs time and nothing else.
    private volatile byte @Nullable [] bytes;
    private volatile byte @Nullable [] event;

    Frame(WatchExecutionResponse message) {
        this.message = message;
    }

    /** The frame as the contract has it. */
    public WatchExecutionResponse message() {
        return message;
    }

    /** The frame as protobuf bytes. Not to be changed. */
    public byte[] bytes() {
        byte[] made = bytes;
        if (made == null) {
            made = message.toByteArray();
            bytes = made;
        }
        return made;
    }

    /**
     * The frame as a server-sent event: {@code id} is the cursor, {@code event} what the frame is, {@code data} that in
     * ProtoJSON on one line. Not to be changed.
     */
    public byte[] event() {
        byte[] made = event;
        if (made == null) {
            made = encode();
            event = made;
        }
        return made;
    }

    private byte[] encode() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        // A part of a snapshot before the last has an empty id, which takes the browser's last id back: whoever is cut
        // there has neither the old state nor the new one and must begin anew.
        line(out, "id", message.getCursor());
        line(out, "event", name());
        line(out, "data", Json.line(body()));
        out.write('\n');
        return out.toByteArray();
    }

    private static void line(ByteArrayOutputStream out, String field, String value) {
        out.writeBytes((field + ": " + value + '\n').getBytes(StandardCharsets.UTF_8));
    }

    private String name() {
        return switch (message.getFrameCase()) {
            case SNAPSHOT -> "snapshot";
            case CHANGE -> "change";
            case BOOKMARK -> "bookmark";
            case DONE -> "done";
            case FRAME_NOT_SET -> throw new IllegalStateException("a frame without content");
        };
    }

    private MessageOrBuilder body() {
        return switch (message.getFrameCase()) {
            case SNAPSHOT -> message.getSnapshot();
            case CHANGE -> message.getChange();
            case BOOKMARK -> message.getBookmark();
            case DONE -> message.getDone();
            case FRAME_NOT_SET -> throw new IllegalStateException("a frame without content");
        };
    }
}
