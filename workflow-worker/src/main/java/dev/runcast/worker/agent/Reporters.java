package dev.runcast.worker.agent;

import dev.runcast.runner.FlushResult;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** One reporter for each tenant, since the tenant comes from the token. Thread-safe. */
final class Reporters implements AutoCloseable {
    private final RunnerSettings settings;
    private final Map<String, StatusReporter> byTenant = new HashMap<>();

    Reporters(RunnerSettings settings) {
        this.settings = settings;
    }

    synchronized StatusReporter of(String tenant) {
        return byTenant.computeIfAbsent(
                tenant,
                unused -> StatusReporter.open(ReporterConfig.of(settings.ingest())
                        .withToken(() -> settings.tokenOf(tenant))
                        .withBackoff(Duration.ofMillis(100), Duration.ofSeconds(5))));
    }

    /** Whether everything that an attempt has reported before is acked within this time. */
    boolean flush(String tenant, String executionId, long epoch, Duration timeout) {
        FlushResult result = of(tenant).flush(timeout);
        return result.complete()
                || result.missing().stream()
                        .noneMatch(missing -> missing.executionId().equals(executionId) && missing.epoch() == epoch);
    }

    @Override
    public synchronized void close() {
        byTenant.values().forEach(StatusReporter::close);
        byTenant.clear();
    }
}
