package dev.runcast.faults;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How long the reporter keeps the agents' threads.
 *
 * <p>Ten processes share two cores here, so the clock on the wall also runs while an agent's thread waits for a core,
 * while a hypervisor has taken the core away, or while the whole JVM stands still, which no reporter can help. So calls
 * of more than a millisecond are looked at one by one. A thread that never gave up its core by itself during the call
 * ({@code voluntary_ctxt_switches}, Linux only) waited for nothing: its own time is the processor's. Of one that did,
 * two things are taken off: the waiting for a core as the kernel counts it for the very thread ({@code schedstat}), and
 * the stops of the process as a thread sees them that does nothing but sleep a millisecond at a time (as jHiccup does),
 * less what that thread itself waited for a core. What is left, running and blocked in the reporter, is judged; the
 * plain times are printed beside it.
 */
final class CallTimes {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** Longer calls are looked at one by one. */
    private static final long SLOW_NANOS = 1_000_000;

    private static final double MOST_OF_THE_RUN = 0.01;
    private static final long LONGEST_NANOS = 5_000_000;
    private static final int MOST = 1 << 20;

    private final List<Agent> agents = new CopyOnWriteArrayList<>();
    private final Stops stops = new Stops();
    private long[] walls = new long[4096];
    private int calls;
    private final List<Slow> slow = new ArrayList<>();
    private long cpuNanos;
    private long runNanos;
    private long worstNanos;

    /** What is known when all is over. All in nanoseconds. */
    record Summary(
            long calls,
            long cpu,
            long run,
            long worst,
            long wallP999,
            long wallWorst,
            long hiccupP999,
            long hiccupWorst) {
        static Summary read(Path file) {
            Properties values = new Properties();
            try (var in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                values.load(in);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new Summary(
                    value(values, "calls"),
                    value(values, "cpu"),
                    value(values, "run"),
                    value(values, "worst"),
                    value(values, "wallP999"),
                    value(values, "wallWorst"),
                    value(values, "hiccupP999"),
                    value(values, "hiccupWorst"));
        }

        private static long value(Properties values, String name) {
            return Long.parseLong(values.getProperty(name));
        }

        /** What is promised and was not kept: at most 1 % of the run, at most 5 ms a call. */
        List<String> violations() {
            List<String> violations = new ArrayList<>();
            if (share() > MOST_OF_THE_RUN) {
                violations.add("agents spent %.2f %% of their run in the reporter (expected: at most %.0f %%)"
                        .formatted(100 * share(), 100 * MOST_OF_THE_RUN));
            }
            if (worst > LONGEST_NANOS) {
                violations.add("a call of the reporter took %.2f ms (expected: at most %.0f ms)"
                        .formatted(ms(worst), ms(LONGEST_NANOS)));
            }
            return violations;
        }

        /** Which part of their run the agents spent in the reporter. */
        double share() {
            return run == 0 ? 0 : (double) cpu / run;
        }

        @Override
        public String toString() {
            return "%d calls, %.3f %% of the run, worst %.2f ms (on the wall: p99.9 %.2f, worst %.2f ms; a thread that"
                            .formatted(calls, 100 * share(), ms(worst), ms(wallP999), ms(wallWorst))
                    + " only sleeps: p99.9 %.2f, worst %.2f ms)".formatted(ms(hiccupP999), ms(hiccupWorst));
        }

        private static double ms(long nanos) {
            return nanos / 1e6;
        }
    }

    /** A call that took long on the wall. */
    private record Slow(long from, long to, long cpu, long delay, long waits) {
        /** What it took by itself. */
        long own(Stops stops) {
            long stopped = stops.during(from, to);
            long own = waits == 0 ? cpu : Math.max(cpu, to - from - delay - stopped);
            System.out.printf(
                    "a call of %d us: ran %d, waited %d times, had no core %d, process stood still %d, hence by itself %d%n",
                    (to - from) / 1000, cpu / 1000, waits, delay / 1000, stopped / 1000, own / 1000);
            return own;
        }
    }

    /** An agent's thread. Not shared. */
    final class Agent implements AutoCloseable {
        private final Scheduling scheduling = new Scheduling();
        private final long begin = System.nanoTime();
        private final long thread = Thread.currentThread().getId();
        private volatile long since;

        /** Makes a call of the reporter. */
        void call(Runnable call) {
            long waitsBefore = scheduling.waits();
            long delayBefore = scheduling.withoutCore();
            long cpuBefore = THREADS.getCurrentThreadCpuTime();
            long from = System.nanoTime();
            since = from;
            call.run();
            since = 0;
            long to = System.nanoTime();
            long cpu = THREADS.getCurrentThreadCpuTime() - cpuBefore;
            long delay = scheduling.withoutCore() - delayBefore;
            record(from, to, cpu, delay, scheduling.waits() - waitsBefore);
        }

        /** Prints where the thread is when it has been in a call for long, and where the thread is that it waits for. */
        private void look(long now) {
            long from = since;
            if (from == 0 || now - from < LONGEST_NANOS) {
                return;
            }
            since = 0;
            ThreadInfo waits = THREADS.getThreadInfo(thread, 12);
            if (waits == null || waits.getLockName() == null) {
                return;
            }
            ThreadInfo owner = waits.getLockOwnerId() < 0 ? null : THREADS.getThreadInfo(waits.getLockOwnerId(), 12);
            System.out.printf("after %d us a call waits: %s%n  owner: %s%n", (now - from) / 1000, waits, owner);
        }

        @Override
        public void close() {
            agents.remove(this);
            ran(System.nanoTime() - begin);
        }
    }

    /** Of the thread that calls. */
    Agent agent() {
        Agent agent = new Agent();
        agents.add(agent);
        return agent;
    }

    private synchronized void record(long from, long to, long cpu, long delay, long waits) {
        long wall = to - from;
        if (calls == walls.length && calls < MOST) {
            walls = Arrays.copyOf(walls, calls * 2);
        }
        if (calls < walls.length) {
            walls[calls++] = wall;
        }
        cpuNanos += cpu;
        if (wall > SLOW_NANOS) {
            slow.add(new Slow(from, to, cpu, delay, waits));
        } else {
            worstNanos = Math.max(worstNanos, wall);
        }
    }

    private synchronized void ran(long nanos) {
        runNanos += nanos;
    }

    /** Forgets the calls so far. */
    synchronized void reset() {
        calls = 0;
        cpuNanos = 0;
        runNanos = 0;
        worstNanos = 0;
        slow.clear();
        stops.reset();
    }

    /** Writes what {@link Summary#read} reads. */
    synchronized void write(Path file) {
        for (Slow call : slow) {
            worstNanos = Math.max(worstNanos, call.own(stops));
        }
        long[] sorted = Arrays.copyOf(walls, calls);
        Arrays.sort(sorted);
        Properties values = new Properties();
        values.setProperty("calls", Integer.toString(calls));
        values.setProperty("cpu", Long.toString(cpuNanos));
        values.setProperty("run", Long.toString(runNanos));
        values.setProperty("worst", Long.toString(worstNanos));
        values.setProperty("wallP999", Long.toString(at(sorted, 0.999)));
        values.setProperty("wallWorst", Long.toString(at(sorted, 1)));
        long[] slept = stops.sorted();
        values.setProperty("hiccupP999", Long.toString(at(slept, 0.999)));
        values.setProperty("hiccupWorst", Long.toString(at(slept, 1)));
        try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            values.store(out, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long at(long[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, sorted.length * share)];
    }

    /** What the kernel counts of the thread that made it; where it counts nothing, a thread waits once in every call. */
    private static final class Scheduling {
        private static final byte[] VOLUNTARY = "\nvoluntary_ctxt_switches:".getBytes(StandardCharsets.US_ASCII);

        private final @Nullable RandomAccessFile schedstat = open("schedstat");
        private final @Nullable RandomAccessFile status = open("status");
        private final byte[] buffer = new byte[4096];
        private long uncounted;

        private static @Nullable RandomAccessFile open(String name) {
            Path file = Path.of("/proc/thread-self", name);
            try {
                return Files.isReadable(file)
                        ? new RandomAccessFile(file.toRealPath().toFile(), "r")
                        : null;
            } catch (IOException notLinux) {
                return null;
            }
        }

        /** For how many nanoseconds it was ready to run and had no core: the second number of schedstat. */
        long withoutCore() {
            if (schedstat == null) {
                return 0;
            }
            int read = read(schedstat);
            int at = 0;
            while (at < read && buffer[at] != ' ') {
                at++;
            }
            return number(at, read);
        }

        /** How often it gave up its core by itself, to wait for something. */
        long waits() {
            if (status == null) {
                return ++uncounted;
            }
            int read = read(status);
            for (int at = 0; at + VOLUNTARY.length < read; at++) {
                if (Arrays.equals(buffer, at, at + VOLUNTARY.length, VOLUNTARY, 0, VOLUNTARY.length)) {
                    return number(at + VOLUNTARY.length, read);
                }
            }
            return ++uncounted;
        }

        private int read(RandomAccessFile file) {
            try {
                file.seek(0);
                return file.read(buffer);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private long number(int from, int to) {
            int at = from;
            while (at < to && (buffer[at] < '0' || buffer[at] > '9')) {
                at++;
            }
            long value = 0;
            for (; at < to && buffer[at] >= '0' && buffer[at] <= '9'; at++) {
                value = value * 10 + (buffer[at] - '0');
            }
            return value;
        }
    }

    /** How long the process stands still, as a thread sees it that only sleeps. */
    private final class Stops {
        private static final long SLEEP_NANOS = 1_000_000;

        private long[] ends = new long[16_384];
        private long[] stops = new long[16_384];
        private long[] late = new long[16_384];
        private int count;

        Stops() {
            Thread thread = new Thread(this::sleep, "stops");
            thread.setDaemon(true);
            thread.start();
        }

        private void sleep() {
            Scheduling scheduling = new Scheduling();
            long waitedBefore = scheduling.withoutCore();
            long before = System.nanoTime();
            while (true) {
                LockSupport.parkNanos(SLEEP_NANOS);
                long now = System.nanoTime();
                long waited = scheduling.withoutCore();
                add(now, Math.max(0, now - before - SLEEP_NANOS), waited - waitedBefore);
                agents.forEach(agent -> agent.look(now));
                before = now;
                waitedBefore = waited;
            }
        }

        private synchronized void add(long end, long overslept, long waited) {
            if (count == ends.length) {
                ends = Arrays.copyOf(ends, count * 2);
                stops = Arrays.copyOf(stops, count * 2);
                late = Arrays.copyOf(late, count * 2);
            }
            ends[count] = end;
            late[count] = overslept;
            stops[count++] = Math.max(0, overslept - waited);
        }

        /** How much of this time the process stood still, as far as is known by now. */
        synchronized long during(long from, long to) {
            long sum = 0;
            for (int i = count - 1; i >= 0 && ends[i] > from; i--) {
                // The stop lies somewhere before the end of the sleep.
                long begin = ends[i] - late[i] - SLEEP_NANOS;
                sum += Math.max(0, Math.min(stops[i], Math.min(to, ends[i]) - Math.max(from, begin)));
            }
            return sum;
        }

        synchronized void reset() {
            count = 0;
        }

        synchronized long[] sorted() {
            long[] sorted = Arrays.copyOf(late, count);
            Arrays.sort(sorted);
            return sorted;
        }
    }
}
