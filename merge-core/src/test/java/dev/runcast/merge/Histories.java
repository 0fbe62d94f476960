package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Draws what a log may hold for one execution: attempts that replace each other and zombies that do not notice,
 * several writers, requests and their repeats, batches sent again as they were or cut anew, holes, a crash that plays
 * the end of the log once more, pauses of hours and days, and updates that break the contract. The oracle goes along,
 * so that most of what is drawn makes sense where it stands.
 */
final class Histories {
    static final String TENANT = "acme";
    static final String EXECUTION = "run-1";
    private static final long START_MILLIS = 1_750_000_000_000L;

    /** A runner process and what it has sent. */
    private static final class Runner {
        final String name;
        final long epoch;
        final List<Update> sent = new ArrayList<>();

        Runner(String name, long epoch) {
            this.name = name;
            this.epoch = epoch;
        }
    }

    private final Random random;
    private final Contents contents;
    private final Oracle oracle = new Oracle();
    private final List<UpdateBatch> log = new ArrayList<>();
    private final List<Runner> runners = new ArrayList<>();
    private long millis = START_MILLIS;
    private int requestNumber;

    private Histories(long seed) {
        random = new Random(seed);
        contents = new Contents(random, oracle);
    }

    /** A history, and what the oracle made of it. */
    record History(List<UpdateBatch> log, Oracle oracle) {}

    static History draw(long seed) {
        Histories histories = new Histories(seed);
        int steps = 4 + histories.random.nextInt(30);
        for (int i = 0; i < steps; i++) {
            histories.step();
        }
        return new History(histories.log, histories.oracle);
    }

    private void step() {
        pass();
        int dice = random.nextInt(100);
        if (runners.isEmpty() || dice < 4) {
            startAttempt();
        } else if (dice < 8) {
            runners.add(new Runner(contents.pick("tools", "child", "w" + random.nextInt(40)), newest().epoch));
        } else if (dice < 60) {
            send(random.nextInt(5) == 0 ? any() : newest());
        } else if (dice < 68) {
            sendAgain(any());
        } else if (dice < 72) {
            leaveHole(any());
        } else if (dice < 76) {
            crash();
        } else if (dice < 77 && random.nextInt(4) == 0) {
            storm();
        } else {
            request();
        }
    }

    private void pass() {
        int dice = random.nextInt(200);
        if (dice < 2) {
            millis += 20 * 3_600_000L + random.nextInt(10 * 3_600_000);
        } else if (dice < 10) {
            millis -= random.nextInt(5_000);
        } else {
            millis += random.nextInt(3_000);
        }
    }

    private void startAttempt() {
        long newest = runners.stream().mapToLong(r -> r.epoch).max().orElse(millis - 10);
        long older = newest - 5;
        long next = random.nextInt(3) == 0 ? Math.max(newest + 10, millis) : newest + 10;
        runners.add(new Runner(random.nextInt(8) == 0 ? "tools" : "", random.nextInt(12) == 0 ? older : next));
        send(newest());
    }

    private void send(Runner runner) {
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 12 : 4);
        long first = runner.sent.size() + 1L;
        List<Update> updates = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Update update = contents.ofRunner(runner.sent.isEmpty());
            runner.sent.add(update);
            updates.add(update);
            if (i < count - 1 && random.nextBoolean()) {
                append(stream(runner, first, updates));
                first += updates.size();
                updates = new ArrayList<>();
            }
        }
        append(stream(runner, first, updates));
    }

    /** From an earlier place on, in batches that are cut differently. */
    private void sendAgain(Runner runner) {
        if (runner.sent.isEmpty()) {
            return;
        }
        int from = random.nextInt(runner.sent.size());
        int to = from + 1 + random.nextInt(runner.sent.size() - from);
        append(stream(runner, from + 1L, runner.sent.subList(from, to)));
    }

    private void leaveHole(Runner runner) {
        Update lost = contents.ofRunner(false);
        runner.sent.add(lost);
        long first = runner.sent.size() + 1L;
        Update found = contents.ofRunner(false);
        runner.sent.add(found);
        append(stream(runner, first, List.of(found)));
        if (random.nextInt(3) > 0) {
            append(stream(runner, first - 1, List.of(lost, found)));
        }
    }

    /** Attempts that come up one after the other, and of which nothing applies. */
    private void storm() {
        long newest = newest().epoch;
        int count = 28 + random.nextInt(10);
        for (int i = 1; i <= count; i++) {
            Runner runner = new Runner(random.nextInt(6) == 0 ? "tools" : "", newest + i);
            runners.add(runner);
            runner.sent.add(Update.getDefaultInstance());
            if (random.nextBoolean()) {
                append(stream(runner, 1, runner.sent));
            } else {
                runner.sent.add(Update.getDefaultInstance());
                append(stream(runner, 2, runner.sent.subList(1, 2)));
            }
        }
        for (int i = 0; i < 4; i++) {
            send(runners.get(runners.size() - 1 - random.nextInt(count)));
        }
        runners.subList(runners.size() - count, runners.size() - 2).clear();
    }

    private void crash() {
        int from = log.isEmpty() ? 0 : random.nextInt(log.size());
        int to = Math.min(log.size(), from + 6);
        for (UpdateBatch batch : List.copyOf(log.subList(from, to))) {
            append(batch.toBuilder().setReceivedAt(now()).build());
        }
    }

    private void request() {
        WriterKind kind = contents.pick(
                WriterKind.WRITER_KIND_OPERATOR,
                WriterKind.WRITER_KIND_WORKFLOW,
                WriterKind.WRITER_KIND_SYSTEM,
                WriterKind.WRITER_KIND_RUNNER);
        boolean again = requestNumber > 0 && random.nextInt(6) == 0;
        String id = "request-" + (again ? random.nextInt(requestNumber) : requestNumber++);
        UpdateBatch.Builder batch = batch(
                        kind, kind == WriterKind.WRITER_KIND_RUNNER && random.nextInt(8) == 0 ? "cli" : "")
                .setRequestId(id)
                .setPrincipal(contents.pick("", "ann", "bob"))
                .addUpdates(contents.ofRequest(kind));
        if (kind == WriterKind.WRITER_KIND_RUNNER && random.nextBoolean()) {
            batch.setEpoch(newest().epoch + random.nextInt(3) - 1);
        }
        if (random.nextInt(10) == 0) {
            batch.setReceivedAt(Timestamps.fromMillis(millis - random.nextInt(20_000)));
        }
        append(batch.build());
    }

    private UpdateBatch stream(Runner runner, long first, List<Update> updates) {
        return batch(WriterKind.WRITER_KIND_RUNNER, runner.name)
                .setEpoch(runner.epoch)
                .setFirstSequence(first)
                .addAllUpdates(updates)
                .build();
    }

    private UpdateBatch.Builder batch(WriterKind kind, String name) {
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setTenant(TENANT)
                .setExecutionId(EXECUTION)
                .setWriter(writer(kind, name))
                .setReceivedAt(now())
                .setRules(1 + random.nextInt(2));
        if (random.nextInt(5) == 0) {
            batch.setTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        }
        return batch;
    }

    private Writer writer(WriterKind kind, String name) {
        Writer.Builder writer = Writer.newBuilder().setKind(kind).setName(name);
        if (random.nextInt(40) == 0) {
            writer.setUnknownFields(Contents.unknown(9, 12));
        }
        return writer.build();
    }

    private void append(UpdateBatch batch) {
        log.add(batch);
        oracle.apply(batch);
    }

    private Runner newest() {
        if (runners.isEmpty()) {
            runners.add(new Runner("", millis));
        }
        return runners.get(runners.size() - 1);
    }

    private Runner any() {
        return runners.get(random.nextInt(runners.size()));
    }

    private Timestamp now() {
        return Timestamps.fromMillis(millis);
    }
}
