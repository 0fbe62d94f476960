package dev.runcast.faults;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Sees the moment in which the server has done an update of one collection and the client does not know it yet.
 *
 * <p>How: each message begins with its length, its number, and the number of the message that it answers. A request that
 * updates the collection is remembered by its number; when its answer comes, the trigger is pulled before the answer
 * goes on.
 */
final class MongoTap implements Conversation {
    private static final int HEADER = 16;

    private final byte[] wanted;
    private final Runnable trigger;
    private final Set<Integer> updates = ConcurrentHashMap.newKeySet();
    private final Frames requests = new Frames();
    private final Frames answers = new Frames();

    /** @param trigger is run by the connection's thread; the answer waits for it */
    MongoTap(String collection, Runnable trigger) {
        this.wanted = command("update", collection);
        this.trigger = trigger;
    }

    @Override
    public void fromClient(byte[] bytes, int length, OutputStream toServer) throws IOException {
        requests.add(bytes, length);
        for (byte[] message = requests.next(); message.length > 0; message = requests.next()) {
            if (contains(message, wanted)) {
                updates.add(number(message, 4));
            }
            toServer.write(message);
        }
    }

    @Override
    public void fromServer(byte[] bytes, int length, OutputStream toClient) throws IOException {
        answers.add(bytes, length);
        for (byte[] message = answers.next(); message.length > 0; message = answers.next()) {
            if (updates.remove(number(message, 8))) {
                trigger.run();
            }
            toClient.write(message);
        }
    }

    /** BSON of {@code "update": "collection"}: type 2, name, zero, length with its zero, text, zero. */
    private static byte[] command(String name, String collection) {
        byte[] key = name.getBytes(StandardCharsets.UTF_8);
        byte[] value = collection.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(1 + key.length + 1 + 4 + value.length + 1)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 2)
                .put(key)
                .put((byte) 0)
                .putInt(value.length + 1)
                .put(value)
                .put((byte) 0)
                .array();
    }

    private static int number(byte[] message, int at) {
        return ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
    }

    private static boolean contains(byte[] message, byte[] wanted) {
        // The command is the first field of the first section, so it is found early or not at all.
        int last = Math.min(message.length, 256) - wanted.length;
        for (int at = HEADER; at <= last; at++) {
            int same = 0;
            while (same < wanted.length && message[at + same] == wanted[same]) {
                same++;
            }
            if (same == wanted.length) {
                return true;
            }
        }
        return false;
    }

    /** Bytes in, whole messages out. */
    private static final class Frames {
        private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

        void add(byte[] bytes, int length) {
            pending.write(bytes, 0, length);
        }

        /** The next whole message; empty when there is none yet. */
        byte[] next() {
            byte[] all = pending.toByteArray();
            if (all.length < HEADER || all.length < number(all, 0)) {
                return new byte[0];
            }
            int length = number(all, 0);
            pending.reset();
            pending.write(all, length, all.length - length);
            return java.util.Arrays.copyOf(all, length);
        }
    }
}
