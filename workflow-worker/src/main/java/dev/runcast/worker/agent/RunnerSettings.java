package dev.runcast.worker.agent;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the reference runner runs agents.
 *
 * @param ingest where the runners' door listens, as gRPC names it
 * @param tokens bearer tokens by tenant; empty for a door without tokens. When there are any, a tenant without one gets
 *     no agent: what it did would be refused, or be taken for another tenant's
 * @param tokenRequired the same when there are none
 * @param agents folder of agents, one file each: {@code NAME.yaml} or {@code NAME.json} with steps, {@code NAME.jsonl}
 *     with a recorded conversation; absent for the built-in ones only
 * @param threads folder in which agents keep their progress; has to be shared by all processes that serve one queue
 * @param speed how many times faster than scripted agents take their time, greater than 0
 * @param crashAllowed whether a scripted agent may end this process
 */
@ConfigurationProperties("runcast.runner")
public record RunnerSettings(
        @DefaultValue("localhost:8080") String ingest,
        @DefaultValue Map<String, String> tokens,
        @DefaultValue("false") boolean tokenRequired,
        @Nullable Path agents,
        @DefaultValue("data/threads") Path threads,
        @DefaultValue("1") double speed,
        @DefaultValue("false") boolean crashAllowed) {
    /** @throws IllegalArgumentException when a value is out of range */
    public RunnerSettings {
        if (ingest.isBlank()) {
            throw new IllegalArgumentException("runcast.runner.ingest: empty (expected: host:port)");
        }
        if (!(speed > 0)) {
            throw new IllegalArgumentException("runcast.runner.speed: " + speed + " (expected: greater than 0)");
        }
        tokens = Map.copyOf(tokens);
    }

    /** Whether there is nothing with which a tenant's agents could report. */
    boolean lacksTokenOf(String tenant) {
        return (tokenRequired || !tokens.isEmpty()) && !tokens.containsKey(tenant);
    }

    /** The token of a tenant; empty for none. */
    String tokenOf(String tenant) {
        return tokens.getOrDefault(tenant, "");
    }
}
