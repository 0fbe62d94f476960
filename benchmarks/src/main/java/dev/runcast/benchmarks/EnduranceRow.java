package dev.runcast.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/**
 * Whether anything grows that should not: the local stack under 2,000 updates/s for a long time, looked at once a
 * minute. The log, the feed and the stored history keep everything by design, so they are told apart from the rest. The
 * executions go on throughout, and so do their entries: each has four open ones that it writes to again and again, since
 * the state keeps the record of every entry by design as well.
 */
final class EnduranceRow implements Row {
    private static final int EXECUTIONS = 100;
    private static final int PER_SECOND = 2_000;
    /** Each execution is reported of twice a second, as often as a runner sends text that grows. */
    private static final int IN_BATCH = 10;

    /** What grows before this is the start. */
    private static final int SETTLED_AFTER = 5;

    private final int minutes;

    /** @param minutes 3 or more; from minute 6 on, or from half of the time when that is sooner, it must be flat */
    EnduranceRow(int minutes) {
        this.minutes = minutes;
    }

    @Override
    public String name() {
        return "endurance";
    }

    @Override
    public String about() {
        return "%d minutes at 2,000 updates/s".formatted(minutes);
    }

    /**
     * One minute.
     *
     * @param heap live after the newest full or old collection, in MB
     * @param resident of the stack and its Redis, in MB
     * @param rocks the state of the merge on disk, in MB
     * @param kept what grows by design, in MB: log, feed and the store with its history
     * @param rest all else in the data folder, in MB: changelog, offsets, transactions, logs
     */
    private record Minute(
            int number, double p50, double p99, double heap, double resident, double rocks, double kept, double rest) {}

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        List<Minute> all = new ArrayList<>();
        bench.say("minute   p50 ms   p99 ms  heap MB   RSS MB  rocks MB  kept MB  rest MB");
        try (Audience audience = Audience.begin(stack, "endure", EXECUTIONS, Workload::steady)) {
            for (int number = 1; number <= minutes; number++) {
                Histogram micros = audience.watch(PER_SECOND, IN_BATCH, Duration.ofMinutes(1));
                Minute minute = look(stack, number, micros);
                all.add(minute);
                bench.say(
                        "%6d %8.2f %8.1f %8.0f %8.0f %9.1f %8.0f %8.0f",
                        minute.number,
                        minute.p50,
                        minute.p99,
                        minute.heap,
                        minute.resident,
                        minute.rocks,
                        minute.kept,
                        minute.rest);
            }
        }
        int from = Math.min(SETTLED_AFTER, minutes / 2);
        List<Minute> settled = all.subList(from, all.size());
        return List.of(
                figure("p99", Unit.MILLISECONDS, settled, minute -> minute.p99, 1.5, ""),
                figure("heap after a collection", Unit.MEGABYTES, settled, minute -> minute.heap, 1.2, ""),
                figure("resident memory", Unit.MEGABYTES, settled, minute -> minute.resident, 1.2, ""),
                figure("RocksDB on disk", Unit.MEGABYTES, settled, minute -> minute.rocks, 1.2, ""),
                figure(
                        "disk besides what is kept",
                        Unit.MEGABYTES,
                        settled,
                        minute -> minute.rest,
                        1.2,
                        " Kept by design are the log, the feed and the stored history."));
    }

    /** The last third of the settled minutes divided by the first, and how it grows from minute to minute. */
    private Figure figure(
            String name, Unit unit, List<Minute> settled, ToDoubleFunction<Minute> value, double most, String more) {
        int third = Math.max(1, settled.size() / 3);
        double begin = Spread.of(settled.subList(0, third).stream()
                        .map(value::applyAsDouble)
                        .toList())
                .median();
        double end = Spread.of(settled.subList(settled.size() - third, settled.size()).stream()
                        .map(value::applyAsDouble)
                        .toList())
                .median();
        return new Figure(
                name(),
                "endurance: " + name + ", end ÷ begin",
                Unit.TIMES,
                Spread.of(end / Math.max(begin, 1e-9)),
                null,
                null,
                List.of(Goal.atMost(most)),
                String.format(
                        Locale.ROOT,
                        "%s: %s in the first third of the minutes from minute %d on, %s in the last; %+.3f a minute.%s",
                        name,
                        unit.text(begin),
                        minutes - settled.size() + 1,
                        unit.text(end),
                        slope(settled, value),
                        more));
    }

    /** Least squares. */
    private static double slope(List<Minute> minutes, ToDoubleFunction<Minute> value) {
        double meanTime = minutes.stream().mapToDouble(Minute::number).average().orElse(0);
        double mean = minutes.stream().mapToDouble(value).average().orElse(0);
        double above = 0;
        double below = 0;
        for (Minute minute : minutes) {
            above += (minute.number - meanTime) * (value.applyAsDouble(minute) - mean);
            below += (minute.number - meanTime) * (minute.number - meanTime);
        }
        return below == 0 ? 0 : above / below;
    }

    private static Minute look(StackProcess stack, int number, Histogram micros) throws Exception {
        Path data = stack.data();
        double kept = megabytes(data.resolve("mongo"), "")
                + megabytes(data.resolve("kafka"), "runcast.updates.v1")
                + megabytes(data.resolve("kafka"), "runcast.changes.v1");
        double rocks = megabytes(data.resolve("merge-stream"), "");
        return new Minute(
                number,
                micros.getValueAtPercentile(50) / 1000.0,
                micros.getValueAtPercentile(99) / 1000.0,
                stack.process().liveHeapBytes() / 1e6,
                stack.process().residentBytes() / 1e6,
                rocks,
                kept,
                megabytes(data, "") - kept - rocks);
    }

    /** What the files of a folder occupy whose path has a word in it; files that go away meanwhile count nothing. */
    private static double megabytes(Path folder, String word) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().contains(word))
                            .mapToLong(EnduranceRow::occupied)
                            .sum()
                    / 1e6;
        } catch (IOException | UncheckedIOException moved) {
            return 0;
        }
    }

    private static long occupied(Path file) {
        try {
            // What Kafka maps ahead for its indexes is not on the disk.
            return Files.isRegularFile(file) ? file.toString().endsWith("index") ? 0 : Files.size(file) : 0;
        } catch (IOException gone) {
            return 0;
        }
    }
}
