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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How long the reporter keeps the agents' threads.
 *
 * <p>Ten processes share two cores here, so the clock on the wall also runs while an agent's thread waits for a core,
 * while a hypervisor has taken the core away, and while the JVM stops all threads at a safepoint, none of which a reporter
 * can help. So calls of more than a millisecond are looked at one by one. A thread that gave up its core by itself
 * ({@code voluntary_ctxt_switches}) no more often than there were safepoints waited for nothing else: its own time is the
 * processor's. Of one that did, two things are taken off: the waiting for a core as the kernel counts it for the very
 * thread ({@code schedstat}), and the safepoints as the JVM logs them. From both is taken what a core was kept from
 * everybody ({@code build-support/core-pauses}): a hypervisor that does so for up to 10 ms lets the kernel charge it to the
 * thread that was there. What is left, running and blocked in the reporter, is judged; the plain times are printed beside
 * it. Where the kernel counts nothing (it is Linux that does), only the safepoints are taken off.
 */
final class CallTimes {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** Longer calls are looked at one by one. */
    private static final long SLOW_NANOS = 1_000_000;

    private static final double MOST_OF_THE_RUN = 0.01;
    private static final long LONGEST_NANOS = 5_000_000;
    private static final int MOST = 1 << 20;

    private final List<Agent> agents = new CopyOnWriteArrayList<>();
    private long[] walls = new long[4096];
    private int calls;
    private final List<Slow> slow = new ArrayList<>();
    private long cpuNanos;
    private long runNanos;
    private long worstNanos;

    /** What is known when all is over. All in nanoseconds. */
    record Summary(long calls, long cpu, long run, long worst, long wallP999, long wallWorst) {
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
                    value(values, "wallWorst"));
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
            return "%d calls, %.3f %% of the run, worst %.2f ms (on the wall: p99.9 %.2f, worst %.2f ms)"
                    .formatted(calls, 100 * share(), ms(worst), ms(wallP999), ms(wallWorst));
        }

        private static double ms(long nanos) {
            return nanos / 1e6;
        }
    }

    /** A call that took long on the wall. */
    record Slow(long from, long to, long cpu, long delay, long waits) {
        /** What it took by itself. */
        long own(List<Span> safepoints, List<Span> pauses) {
            List<Span> during = safepoints.stream()
                    .filter(safepoint -> safepoint.within(from, to) > 0)
                    .toList();
            long stopped =
                    during.stream().mapToLong(span -> span.within(from, to)).sum();
            // Of cores that paused together one counts: the thread was on one.
            long paused = pauses.stream()
                    .mapToLong(span -> span.within(from, to))
                    .max()
                    .orElse(0);
            long charged = waits <= during.size() ? cpu : Math.max(cpu, to - from - delay - stopped);
            long own = Math.max(0, charged - paused);
            System.out.printf(
                    "a call of %d us: ran %d, had no core %d, %d safepoints of %d, core paused %d, waited %d times;"
                            + " by itself %d%n",
                    (to - from) / 1000,
                    cpu / 1000,
                    delay / 1000,
                    during.size(),
                    stopped / 1000,
                    paused / 1000,
                    waits,
                    own / 1000);
            return own;
        }
    }

    /** A time by {@code System.nanoTime()}, which is the monotonic clock. */
    record Span(long begin, long end) {
        /** A line of {@code -Xlog:safepoint} with the time before it: from the call for it to its end. */
        private static final Pattern LINE = Pattern.compile("\\[(\\d+)ns] Safepoint .* Total: +(\\d+) ns");

        long within(long from, long to) {
            return Math.max(0, Math.min(to, end) - Math.max(from, begin));
        }

        /** What {@code core-pauses} printed; nothing where it could not look. */
        static List<Span> pauses(Path log) throws IOException {
            if (!Files.exists(log)) {
                return List.of();
            }
            try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
                return lines.map(line -> line.split(" "))
                        .filter(words -> words.length == 2)
                        .map(words -> new Span(Long.parseLong(words[0]), Long.parseLong(words[1])))
                        .toList();
            }
        }

        static List<Span> safepoints(Path log) throws IOException {
            try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
                return lines.map(LINE::matcher)
                        .filter(Matcher::find)
                        .map(line -> {
                            long end = Long.parseLong(line.group(1));
                            return new Span(end - Long.parseLong(line.group(2)), end);
                        })
                        .toList();
            }
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

    CallTimes() {
        Thread watch = new Thread(this::watch, "call-times");
        watch.setDaemon(true);
        watch.start();
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
    }

    /** Writes what {@link Summary#read} reads, from this JVM's log of its safepoints and what {@code core-pauses} printed. */
    synchronized void write(Path file, Path safepoints, Path pauses) throws IOException {
        List<Span> stopped = Span.safepoints(safepoints);
        List<Span> paused = Span.pauses(pauses);
        for (Slow call : slow) {
            worstNanos = Math.max(worstNanos, call.own(stopped, paused));
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
        try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            values.store(out, null);
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

    /** Looks at the agents every millisecond. */
    private void watch() {
        while (true) {
            LockSupport.parkNanos(1_000_000);
            long now = System.nanoTime();
            agents.forEach(agent -> agent.look(now));
        }
    }
}
