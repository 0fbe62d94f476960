package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.Test;

class RecentRecordsTest {
    @Test
    void whatWasUsedLongestAgoLeavesFirst() {
        RecentRecords recent = new RecentRecords(3L * (RecentRecords.OVERHEAD_BYTES + 1 + 10));
        recent.put(key("a"), new byte[10]);
        recent.put(key("b"), new byte[10]);
        recent.put(key("c"), new byte[10]);
        recent.find(key("a"));

        recent.put(key("d"), new byte[10]);

        assertThat(recent.find(key("b"))).isNull();
        assertThat(recent.find(key("a"))).hasSize(10);
        assertThat(recent.find(key("c"))).hasSize(10);
        assertThat(recent.find(key("d"))).hasSize(10);
    }

    @Test
    void thatThereIsNoRecordIsKnownToo() {
        RecentRecords recent = new RecentRecords(1_000);
        assertThat(recent.find(key("a"))).isNull();
        recent.put(key("a"), null);
        assertThat(recent.find(key("a"))).isSameAs(RecentRecords.NONE);
    }

    @Test
    void recordThatIsTooLargeIsNotKept() {
        RecentRecords recent = new RecentRecords(1_000);
        recent.put(key("a"), new byte[2_000]);
        assertThat(recent.find(key("a"))).isNull();
        assertThat(recent.bytes()).isZero();
    }

    @Test
    void neverSaysAnythingElseThanWasPutLastAndNeverTakesMoreThanItMay() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        RecentRecords recent = new RecentRecords(5_000);
        Map<Bytes, byte[]> all = new HashMap<>();
        List<Bytes> keys = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            keys.add(key("key-" + i));
        }
        for (int i = 0; i < 20_000; i++) {
            Bytes key = keys.get(random.nextInt(keys.size()));
            if (random.nextInt(5) == 0) {
                recent.forget(key);
                all.remove(key);
            } else if (random.nextBoolean()) {
                byte[] value = random.nextInt(4) == 0 ? null : new byte[1 + random.nextInt(400)];
                recent.put(key, value);
                all.put(key, value == null ? RecentRecords.NONE : value);
            }
            byte[] found = recent.find(key);
            assertThat(found == null || found == all.get(key))
                    .as("seed %d, step %d", seed, i)
                    .isTrue();
            assertThat(recent.bytes()).as("seed %d, step %d", seed, i).isBetween(0L, 5_000L);
        }
        keys.forEach(recent::forget);
        assertThat(recent.bytes()).isZero();
    }

    private static Bytes key(String name) {
        return Bytes.wrap(name.getBytes(StandardCharsets.UTF_8));
    }
}
