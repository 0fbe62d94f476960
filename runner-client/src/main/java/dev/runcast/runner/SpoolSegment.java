package dev.runcast.runner;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.spool.v1.SpoolRecord;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One file of a spool: written at its end, read anywhere, deleted when nothing in it is wanted any more. Its form stands
 * in {@code spool.proto}. Not thread-safe.
 */
final class SpoolSegment {
    /** What stands before each record: its length and its CRC. */
    static final int FRAME = 8;

    private static final String FORM = "RUNCAST SPOOL ";
    private static final byte[] HEADER = (FORM + "1\n").getBytes(StandardCharsets.US_ASCII);

    /** No record is longer: a batch and what stands around it, or the progress of one writer. */
    private static final int LONGEST = 4 * 1024 * 1024;

    final Path path;
    final long number;
    private final FileChannel channel;
    private long size;
    private long live;
    private long written;

    /** Told of each record that is whole, in order. */
    interface Visitor {
        void record(long offset, int length, SpoolRecord record);
    }

    private SpoolSegment(Path path, long number, FileChannel channel, long size) {
        this.path = path;
        this.number = number;
        this.channel = channel;
        this.size = size;
    }

    /** A new file; it must not exist. */
    static SpoolSegment create(Path path, long number) throws IOException {
        FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        SpoolSegment segment = new SpoolSegment(path, number, channel, 0);
        try {
            segment.write(ByteBuffer.wrap(HEADER));
        } catch (IOException failed) {
            segment.delete();
            throw failed;
        }
        return segment;
    }

    /** An existing file, to be read. */
    static SpoolSegment open(Path path, long number) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        return new SpoolSegment(path, number, channel, channel.size());
    }

    /**
     * Reads all records that are whole. Returns what is wrong with the file, empty when nothing is.
     *
     * @throws IOException when it cannot be read, or is not a segment of this version
     */
    String scan(Visitor visitor) throws IOException {
        ByteBuffer bytes = readAt(0, Math.toIntExact(size));
        byte[] header = new byte[Math.min(HEADER.length, bytes.remaining())];
        bytes.get(header);
        if (!Arrays.equals(header, Arrays.copyOf(HEADER, header.length))) {
            throw new IOException(
                    "spool file " + path + ": begins with \"" + printable(header) + "\" (expected: \"" + FORM + "1\")");
        }
        if (header.length < HEADER.length) {
            return "it ends inside its header";
        }
        String flaw = "";
        while (bytes.remaining() > 0) {
            int offset = bytes.position();
            if (bytes.remaining() < FRAME) {
                return torn(offset);
            }
            int length = bytes.getInt();
            int crc = bytes.getInt();
            if (length <= 0 || length > LONGEST || length > bytes.remaining()) {
                return torn(offset);
            }
            byte[] payload = new byte[length];
            bytes.get(payload);
            SpoolRecord record = crc(payload) == crc ? parsed(payload) : null;
            if (record == null) {
                // Its length may still be right, and what comes behind it whole: that is seen there.
                flaw = "the record at " + offset + " is not what was written";
            } else {
                visitor.record(offset, FRAME + length, record);
            }
        }
        return flaw;
    }

    /** Appends a record; returns its offset. After a failure the segment takes no more. */
    long append(SpoolRecord record) throws IOException {
        byte[] payload = record.toByteArray();
        ByteBuffer frame = ByteBuffer.allocate(FRAME + payload.length);
        frame.putInt(payload.length).putInt(crc(payload)).put(payload).flip();
        long offset = size;
        write(frame);
        return offset;
    }

    /** Reads {@code length} bytes of whole records. */
    void read(long offset, int length, Visitor visitor) throws IOException {
        ByteBuffer bytes = readAt(offset, length);
        while (bytes.remaining() > 0) {
            long at = offset + bytes.position();
            int size = bytes.remaining() < FRAME ? -1 : bytes.getInt();
            int crc = size < 0 ? 0 : bytes.getInt();
            if (size <= 0 || size > bytes.remaining()) {
                throw new IOException("spool file " + path + ": no record at " + at);
            }
            byte[] payload = new byte[size];
            bytes.get(payload);
            if (crc(payload) != crc) {
                throw new IOException("spool file " + path + ": the record at " + at + " is not what was written");
            }
            visitor.record(at, FRAME + size, SpoolRecord.parseFrom(payload));
        }
    }

    /** Bytes in the file. */
    long size() {
        return size;
    }

    /** Updates in it that are still wanted. */
    long live() {
        return live;
    }

    /** So many updates were written to it, wanted or not. */
    void wrote(long updates) {
        written += updates;
    }

    /** Whether at most half of the updates in it are wanted, so that moving those to another file gains room. */
    boolean sparse() {
        return live <= written / 2;
    }

    void hold(long updates) {
        live += updates;
    }

    void release(long updates) {
        live -= updates;
    }

    /** Whether the file is still in its folder. */
    boolean exists() {
        return Files.exists(path);
    }

    void force() throws IOException {
        channel.force(true);
    }

    void close() {
        try {
            channel.close();
        } catch (IOException failed) {
            // It was read or written through; there is nothing left to lose.
            return;
        }
    }

    void delete() {
        close();
        try {
            Files.deleteIfExists(path);
        } catch (IOException failed) {
            // The next process reads it and finds nothing wanted in it.
            return;
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        long at = size;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
        size = at;
    }

    private ByteBuffer readAt(long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("spool file " + path + ": ends at " + (offset + bytes.position())
                        + " (expected: " + (offset + length) + ")");
            }
        }
        return bytes.flip();
    }

    private String torn(int offset) {
        return "its last " + (size - offset) + " bytes are no whole record";
    }

    private static @Nullable SpoolRecord parsed(byte[] payload) {
        try {
            return SpoolRecord.parseFrom(payload);
        } catch (InvalidProtocolBufferException unreadable) {
            return null;
        }
    }

    private static int crc(byte[] payload) {
        CRC32C crc = new CRC32C();
        crc.update(payload);
        return (int) crc.getValue();
    }

    private static String printable(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1)
                .replaceAll("[^ -~]", "?")
                .trim();
    }
}
