package dev.runcast.faults;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Loses a share of what is published, while the publisher is answered as if nothing had happened.
 *
 * <p>How: a command is an array of strings that say their lengths (RESP). A PUBLISH that is to be lost is sent to a
 * channel that nobody listens to, its name being as long as the real one: so answers keep their order by themselves.
 */
final class DeafRedis implements Conversation {
    private static final byte[] PUBLISH = "PUBLISH".getBytes(StandardCharsets.US_ASCII);

    private final double share;
    private final Random random;
    private final AtomicLong lost;
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

    /**
     * @param share how many are lost, 0 to 1
     * @param lost counts them
     */
    DeafRedis(double share, Random random, AtomicLong lost) {
        this.share = share;
        this.random = random;
        this.lost = lost;
    }

    @Override
    public void fromClient(byte[] bytes, int length, OutputStream toServer) throws IOException {
        pending.write(bytes, 0, length);
        byte[] all = pending.toByteArray();
        int done = 0;
        for (int end = commandEnd(all, 0); end >= 0; end = commandEnd(all, done)) {
            done = end;
        }
        toServer.write(all, 0, done);
        pending.reset();
        pending.write(all, done, all.length - done);
    }

    /** Where the command that begins here ends, -1 when it is not whole yet. Mutes it when it is to be lost. */
    private int commandEnd(byte[] all, int begin) {
        int at = begin;
        int line = lineEnd(all, at);
        if (line < 0) {
            return -1;
        }
        if (all[at] != '*') {
            return line;
        }
        int parts = number(all, at + 1, line);
        int channel = -1;
        boolean publish = false;
        at = line;
        for (int part = 0; part < parts; part++) {
            int header = lineEnd(all, at);
            if (header < 0) {
                return -1;
            }
            int size = number(all, at + 1, header);
            if (header + size + 2 > all.length) {
                return -1;
            }
            if (part == 0) {
                publish = Arrays.equals(all, header, header + size, PUBLISH, 0, PUBLISH.length);
            } else if (part == 1) {
                channel = header;
            }
            at = header + size + 2;
        }
        if (publish && channel >= 0 && random.nextDouble() < share) {
            all[channel] = '!';
            lost.incrementAndGet();
        }
        return at;
    }

    /** Behind the next line break; -1 when there is none. */
    private static int lineEnd(byte[] all, int from) {
        for (int at = from; at + 1 < all.length; at++) {
            if (all[at] == '\r' && all[at + 1] == '\n') {
                return at + 2;
            }
        }
        return -1;
    }

    private static int number(byte[] all, int from, int lineEnd) {
        return Integer.parseInt(new String(all, from, lineEnd - 2 - from, StandardCharsets.US_ASCII));
    }
}
