package dev.runcast.faults;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** A file of messages, each behind its length and written at once, so that a kill of the writer loses none of them. */
final class Records implements AutoCloseable {
    private final FileChannel file;

    private Records(FileChannel file) {
        this.file = file;
    }

    /** Writes behind what is there. */
    static Records append(Path path) {
        try {
            return new Records(FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized void write(MessageLite message) {
        ByteBuffer buffer = ByteBuffer.allocate(4 + message.getSerializedSize());
        buffer.putInt(message.getSerializedSize()).put(message.toByteArray()).flip();
        try {
            while (buffer.hasRemaining()) {
                file.write(buffer);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All messages; none when there is no file. A last one that is cut off was never written. */
    static <M> List<M> read(Path path, Parser<M> parser) {
        List<M> all = new ArrayList<>();
        if (!Files.exists(path)) {
            return all;
        }
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path));
            while (bytes.remaining() >= 4 && bytes.remaining() - 4 >= bytes.getInt(bytes.position())) {
                byte[] message = new byte[bytes.getInt()];
                bytes.get(message);
                all.add(parser.parseFrom(message));
            }
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(path + " holds what is not a message", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
