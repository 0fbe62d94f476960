package dev.runcast.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Brings executions to a length before something is measured on them. */
final class Preload {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Pattern VERSION = Pattern.compile("\"version\": ?\"(\\d+)\"");
    private static final int BATCH = 200;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private Preload() {}

    /** Reports that many updates to each and returns when the store has them. */
    static void run(Design design, List<String> ids, long epoch, long updates)
            throws IOException, InterruptedException {
        for (long next = 1; next <= updates; next += BATCH) {
            for (int i = 0; i < ids.size(); i++) {
                design.report(Workload.batch(ids.get(i), epoch, next, (int) Math.min(BATCH, updates - next + 1), i));
            }
        }
        awaitStored(design, ids, updates);
    }

    /** Waits until the store has all of them at a version. */
    static void awaitStored(Design design, List<String> ids, long version) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (String id : ids) {
            for (long stored = stored(design, id); stored < version; stored = stored(design, id)) {
                design.check();
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("%s: version %d is stored (expected: %d within %s)"
                            .formatted(id, stored, version, PATIENCE));
                }
                Thread.sleep(20);
            }
        }
    }

    private static long stored(Design design, String id) throws IOException, InterruptedException {
        var server = design.viewers();
        URI uri = URI.create(
                "http://%s:%d/v1/executions/%s".formatted(server.getAddress().getHostAddress(), server.getPort(), id));
        HttpResponse<String> answer;
        try {
            answer = HTTP.send(
                    HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (HttpTimeoutException busy) {
            return 0;
        }
        Matcher version = VERSION.matcher(answer.body());
        return answer.statusCode() == 200 && version.find() ? Long.parseLong(version.group(1)) : 0;
    }
}
