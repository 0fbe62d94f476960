package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.ingest.WriterWindow.Arrival;
import dev.runcast.ingest.WriterWindow.Flight;
import dev.runcast.ingest.WriterWindow.Loss;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WriterWindowTest {
    private final WriterWindow window = new WriterWindow();

    @Test
    void freshWindowTakesAnyFirstSequence() {
        assertThat(window.arrive(42)).isEqualTo(Arrival.NEXT);
        window.take(42, 44);
        assertThat(window.expected()).isEqualTo(45);
        assertThat(window.durable()).isZero();
    }

    @Test
    void ackMovesOnlyOverWhatIsDurableWithoutAHole() {
        Flight first = take(1, 3);
        Flight second = take(4, 6);
        Flight third = take(7, 7);
        assertThat(window.landed(second)).isFalse();
        assertThat(window.landed(third)).isFalse();
        assertThat(window.durable()).isZero();
        assertThat(window.landed(first)).isTrue();
        assertThat(window.durable()).isEqualTo(7);
    }

    @Test
    void gapIsRefusedOnceAndThenNothingIsTakenBeforeTheMissingOneComes() {
        take(1, 2);
        assertThat(window.arrive(4)).isEqualTo(Arrival.GAP);
        assertThat(window.arrive(5)).isEqualTo(Arrival.BEHIND);
        assertThat(window.arrive(4)).isEqualTo(Arrival.BEHIND);
        assertThat(window.expected()).isEqualTo(3);
        take(3, 9);
        assertThat(window.arrive(10)).isEqualTo(Arrival.NEXT);
    }

    @Test
    void refusedSequenceHoldsUpAllThatFollow() {
        take(1, 4);
        assertThat(window.arrive(5)).isEqualTo(Arrival.NEXT);
        window.refuse(5);
        assertThat(window.arrive(6)).isEqualTo(Arrival.BEHIND);
        assertThat(window.idle()).isFalse();
        take(5, 5);
        assertThat(window.arrive(6)).isEqualTo(Arrival.NEXT);
    }

    @Test
    void ofManySendsTheFirstFailAndTheLaterOnesLandButNoneOfThemIsAcked() {
        List<Flight> flights = new ArrayList<>();
        for (int i = 1; i <= 5106; i++) {
            flights.add(take(i, i));
        }
        boolean told = false;
        for (int i = 0; i < 958; i++) {
            told |= window.failed(flights.get(i)) == Loss.RESEND;
        }
        for (int i = 958; i < flights.size(); i++) {
            assertThat(window.landed(flights.get(i))).isFalse();
        }
        assertThat(told).isTrue();
        assertThat(window.durable()).isZero();
        assertThat(window.expected()).isEqualTo(1);
        assertThat(window.arrive(5107)).isEqualTo(Arrival.BEHIND);
        Flight again = take(1, 5106);
        assertThat(window.landed(again)).isTrue();
        assertThat(window.durable()).isEqualTo(5106);
    }

    @Test
    void failureIsToldOnceHoweverManyFollowIt() {
        Flight first = take(1, 1);
        Flight second = take(2, 2);
        assertThat(window.failed(first)).isEqualTo(Loss.RESEND);
        assertThat(window.failed(second)).isEqualTo(Loss.NONE);
        assertThat(window.expected()).isEqualTo(1);
    }

    @Test
    void failureInTheMiddleLeavesWhatWasBeforeIt() {
        Flight first = take(1, 5);
        Flight second = take(6, 9);
        Flight third = take(10, 12);
        assertThat(window.failed(second)).isEqualTo(Loss.RESEND);
        assertThat(window.landed(third)).isFalse();
        assertThat(window.landed(first)).isTrue();
        assertThat(window.durable()).isEqualTo(5);
        assertThat(window.expected()).isEqualTo(6);
    }

    @Test
    void lateFailureOfAnOldSendDoesNotTouchTheNewOne() {
        Flight first = take(1, 1);
        Flight second = take(2, 2);
        assertThat(window.failed(first)).isEqualTo(Loss.RESEND);
        Flight again = take(1, 2);
        assertThat(window.failed(second)).isEqualTo(Loss.NONE);
        assertThat(window.expected()).isEqualTo(3);
        assertThat(window.landed(again)).isTrue();
        assertThat(window.durable()).isEqualTo(2);
    }

    @Test
    void runnerThatGoesBackByItselfIsTakenAtItsWord() {
        window.landed(take(1, 10));
        assertThat(window.arrive(4)).isEqualTo(Arrival.NEXT);
        Flight again = window.take(4, 6);
        assertThat(window.expected()).isEqualTo(7);
        assertThat(window.landed(again)).isFalse();
        assertThat(window.durable()).isEqualTo(10);
    }

    @Test
    void failureOfWhatIsDurableAlreadyIsNoNews() {
        window.landed(take(1, 10));
        Flight again = take(4, 6);
        assertThat(window.failed(again)).isEqualTo(Loss.NONE);
        assertThat(window.idle()).isTrue();
        assertThat(window.arrive(7)).isEqualTo(Arrival.NEXT);
    }

    @Test
    void needlessResendThatFailsDoesNotHoldUpTheAckOfWhatLandedBehindIt() {
        window.landed(take(1, 10));
        Flight again = take(4, 6);
        Flight next = take(7, 12);
        assertThat(window.landed(next)).isFalse();
        assertThat(window.failed(again)).isEqualTo(Loss.ACK);
        assertThat(window.durable()).isEqualTo(12);
        assertThat(window.idle()).isTrue();
    }

    /**
     * A runner that goes back when it is refused, and now and then without need, against a log that fails at random: whatever
     * happens, what is acked is in the log, and in the end all of it is.
     */
    @Test
    void whateverFailsWhatIsAckedIsInTheLogAndInTheEndAllIs() {
        long seed = Long.getLong("seed", 20_261L);
        System.out.println(
                "seed " + seed + "; again with: mvn -pl ingest-service test -Dtest=WriterWindowTest -Dseed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            roundTrip(random);
        }
    }

    private static void roundTrip(Random random) {
        WriterWindow window = new WriterWindow();
        long total = 1L + random.nextInt(40);
        boolean[] logged = new boolean[(int) total + 2];
        List<Flight> flying = new ArrayList<>();
        List<long[]> ranges = new ArrayList<>();
        long next = 1;
        while (window.durable() < total) {
            if (next <= total && random.nextInt(3) > 0) {
                long last = Math.min(total, next + random.nextInt(4));
                if (window.arrive(next) == Arrival.NEXT) {
                    flying.add(window.take(next, last));
                    ranges.add(new long[] {next, last});
                }
                next = last + 1;
            } else if (!flying.isEmpty()) {
                int which = random.nextInt(10) == 0 ? random.nextInt(flying.size()) : 0;
                Flight flight = flying.remove(which);
                long[] range = ranges.remove(which);
                boolean lands = random.nextInt(4) > 0;
                boolean inTheLog = lands || random.nextBoolean();
                for (long sequence = range[0]; inTheLog && sequence <= range[1]; sequence++) {
                    logged[(int) sequence] = true;
                }
                if (lands) {
                    window.landed(flight);
                } else if (window.failed(flight) == Loss.RESEND) {
                    next = window.expected();
                }
            } else {
                assertThat(window.expected())
                        .as("what is to come when all is sent and nothing on its way, of which %d is acked", total)
                        .isLessThanOrEqualTo(total);
                next = window.expected();
            }
            if (random.nextInt(8) == 0 && next > 1) {
                next = 1 + random.nextLong(next);
            }
            for (int sequence = 1; sequence <= window.durable(); sequence++) {
                assertThat(logged[sequence])
                        .as("sequence %d is acked and in the log", sequence)
                        .isTrue();
            }
        }
    }

    private Flight take(long first, long last) {
        assertThat(window.arrive(first)).isEqualTo(Arrival.NEXT);
        return window.take(first, last);
    }
}
