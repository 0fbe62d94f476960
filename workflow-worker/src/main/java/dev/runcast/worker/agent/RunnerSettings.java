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
 * @param token bearer token for tenants that {@code tokens} does not name; empty for none
 * @param tokens bearer tokens by tenant
 * @param tokenRequired whether a tenant without a token gets no agent, since nothing of what it did would be taken
 * @param agents folder of agents, one file each: {@code NAME.yaml} or {@code NAME.json} with steps, {@code NAME.jsonl}
 *     with a recorded conversation; absent for the built-in ones only
 * @param threads folder in which agents keep their progress; has to be shared by all processes that serve one queue
 * @param speed how many times faster than scripted agents take their time, greater than 0
 * @param crashAllowed whether a scripted agent may end this process
 */
@ConfigurationProperties("runcast.runner")
public record RunnerSettings(
        @DefaultValue("localhost:8080") String ingest,
        @DefaultValue("") String token,
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

    /** The token of a tenant; empty for none. */
    String tokenOf(String tenant) {
        return tokens.getOrDefault(tenant, token);
    }
}
