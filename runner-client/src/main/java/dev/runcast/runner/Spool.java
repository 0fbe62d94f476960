package dev.runcast.runner;

import dev.runcast.spool.v1.SpoolRecord;
import dev.runcast.spool.v1.StreamProgress;
import dev.runcast.v1.UpdateBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a spool: its lock and its segments. Knows nothing of what the records mean beyond whose they are. Belongs
 * to the sender's thread.
 *
 * <p>Only the newest segment is written. An older one goes when nothing in it is wanted, whatever stands before it: each
 * segment begins with how far every writer has come, so none is needed to understand another.
 */
final class Spool {
    private static final String SUFFIX = ".spool";
    private static final String LOCK = "lock";
    private static final long LEAST_SEGMENT = 64 * 1024;
    private static final long MOST_SEGMENT = 16L * 1024 * 1024;
    private static final int SEGMENTS = 16;

    private final Path directory;
    private final long segmentBytes;
    private final Map<StreamKey, RecoveredStream> streams = new LinkedHashMap<>();
    private final List<String> damage = new ArrayList<>();
    private final TreeMap<Long, SpoolSegment> segments = new TreeMap<>();
    private @Nullable FileChannel lockFile;
    private @Nullable SpoolSegment active;
    /** What of the newest segment is how far writers have come. */
    private long beginning;

    private Spool(SpoolSettings settings) {
        this.directory = settings.directory();
        this.segmentBytes = Math.max(LEAST_SEGMENT, Math.min(MOST_SEGMENT, settings.maxBytes() / SEGMENTS));
    }

    /**
     * Takes the folder and reads what is in it. {@link #roll} must come before the first {@link #append}.
     *
     * @throws IOException when it cannot be used: it is another process's, of another version, or not a folder that can
     *     be written to
     */
    static Spool open(SpoolSettings settings) throws IOException {
        Spool spool = new Spool(settings);
        try {
            spool.take();
            spool.readAll();
            return spool;
        } catch (IOException | RuntimeException failed) {
            spool.close();
            throw failed;
        }
    }

    /** What was found, by writer, in the order of the log. */
    Map<StreamKey, RecoveredStream> streams() {
        return streams;
    }

    /** What of it could not be read, for a person. */
    List<String> damage() {
        return damage;
    }

    /** Begins a new segment with these records; everything appended from then on goes there. */
    void roll(Iterator<SpoolRecord> first) throws IOException {
        take();
        long number = segments.isEmpty() ? 1 : segments.lastKey() + 1;
        SpoolSegment segment = SpoolSegment.create(directory.resolve("%012d%s".formatted(number, SUFFIX)), number);
        try {
            while (first.hasNext()) {
                segment.append(first.next());
            }
        } catch (IOException | RuntimeException failed) {
            segment.delete();
            throw failed;
        }
        segments.put(number, segment);
        active = segment;
        beginning = segment.size();
    }

    /** Whether the next record should go into a new segment. */
    boolean wantsRoll() {
        return active().size() - beginning >= segmentBytes;
    }

    /** Writes a record, through to the operating system; returns its offset in {@link #active()}. */
    long append(SpoolRecord record) throws IOException {
        return active().append(record);
    }

    SpoolSegment active() {
        return Objects.requireNonNull(active, "no segment has been begun");
    }

    /** What all files take. */
    long bytes() {
        long bytes = 0;
        for (SpoolSegment segment : segments.values()) {
            bytes += segment.size();
        }
        return bytes;
    }

    /** Whether {@link #trim} would delete something. */
    boolean hasVoid() {
        return segments.values().stream().anyMatch(this::isVoid);
    }

    /** Deletes what nobody wants. How far the writers have come must have been written before. */
    void trim() {
        for (Iterator<SpoolSegment> each = segments.values().iterator(); each.hasNext(); ) {
            SpoolSegment segment = each.next();
            if (isVoid(segment)) {
                each.remove();
                segment.delete();
            }
        }
    }

    /** Segments whose files somebody has deleted under us; they can still be read. */
    List<SpoolSegment> lost() {
        return segments.values().stream().filter(segment -> !segment.exists()).toList();
    }

    /** An older segment that is kept for little; null when there is none. */
    @Nullable
    SpoolSegment sparse() {
        return segments.values().stream()
                .filter(segment -> segment != active && segment.sparse())
                .findFirst()
                .orElse(null);
    }

    /** Has everything written reach the disk itself. */
    void force() throws IOException {
        for (SpoolSegment segment : segments.values()) {
            if (segment == active) {
                segment.force();
            }
        }
    }

    void close() {
        segments.values().forEach(SpoolSegment::close);
        FileChannel held = lockFile;
        lockFile = null;
        if (held != null) {
            try {
                // The lock goes with the channel.
                held.close();
            } catch (IOException failed) {
                return;
            }
        }
    }

    private boolean isVoid(SpoolSegment segment) {
        return segment != active && segment.live() <= 0;
    }

    /** Makes the folder and locks it, unless that is done and still so. */
    private void take() throws IOException {
        Path path = directory.resolve(LOCK);
        if (lockFile != null && Files.exists(path)) {
            return;
        }
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory, ownerOnly());
        }
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException sameProcess) {
            lock = null;
        }
        if (lock == null) {
            String holder = holder(channel);
            channel.close();
            throw new IOException(
                    "spool folder " + directory + ": in use by " + holder + " (expected: one process for each folder)");
        }
        channel.truncate(0);
        channel.write(
                ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
        FileChannel before = lockFile;
        lockFile = channel;
        if (before != null) {
            before.close();
        }
    }

    private FileAttribute<?>[] ownerOnly() {
        boolean posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
        return posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                }
                : new FileAttribute<?>[0];
    }

    private static String holder(FileChannel lock) throws IOException {
        ByteBuffer pid = ByteBuffer.allocate(20);
        lock.read(pid, 0);
        String text = new String(pid.array(), 0, pid.position(), StandardCharsets.US_ASCII);
        return text.matches("[0-9]+") ? "process " + text : "another process";
    }

    private void readAll() throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path path : files) {
                String name = path.getFileName().toString();
                String number = name.substring(0, name.length() - SUFFIX.length());
                if (number.matches("[0-9]{1,18}")) {
                    segments.put(Long.parseLong(number), SpoolSegment.open(path, Long.parseLong(number)));
                }
            }
        }
        for (SpoolSegment segment : segments.values()) {
            String flaw = segment.scan((offset, length, record) -> take(segment, offset, length, record));
            if (!flaw.isEmpty()) {
                damage.add("spool file " + segment.path + ": " + flaw);
            }
        }
    }

    private void take(SpoolSegment segment, long offset, int length, SpoolRecord record) {
        switch (record.getRecordCase()) {
            case UPDATES -> {
                UpdateBatch batch = record.getUpdates().getBatch();
                stream(new StreamKey(batch.getExecutionId(), batch.getWriter().getName(), batch.getEpoch()))
                        .take(record.getUpdates(), segment, offset, length);
            }
            case PROGRESS -> {
                StreamProgress progress = record.getProgress();
                stream(new StreamKey(progress.getExecutionId(), progress.getWriterName(), progress.getEpoch()))
                        .take(progress);
            }
            case RECORD_NOT_SET -> damage.add("spool file " + segment.path + ": a record of an unknown kind");
        }
    }

    private RecoveredStream stream(StreamKey key) {
        return streams.computeIfAbsent(key, any -> new RecoveredStream());
    }
}
