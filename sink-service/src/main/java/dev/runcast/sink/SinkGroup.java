package dev.runcast.sink;

import dev.runcast.topics.ClientSettings;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.GroupIdNotFoundException;

/** Whether a sink writes the store now: it has members in its consumer group. */
public final class SinkGroup {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private SinkGroup() {}

    /**
     * Makes sure that nobody else writes. A sink that was killed is counted until the brokers give it up, 45 s by
     * Kafka's default.
     *
     * @param group {@code runcast.sink.group} of the sink
     * @throws RebuildException when a sink runs
     * @throws IllegalStateException when the brokers do not answer
     */
    public static void requireNone(ClientSettings kafka, String group) {
        String id = group + "-mongo";
        int members = members(kafka, id);
        if (members > 0) {
            throw new RebuildException(
                    ("sink-service runs: consumer group %s has %d member%s (expected: none while the store is"
                                    + " replaced, since the store has one writer). Stop it first; --verify may run beside it")
                            .formatted(id, members, members == 1 ? "" : "s"));
        }
    }

    private static int members(ClientSettings kafka, String id) {
        try (Admin admin = Admin.create(kafka.admin("runcast-rebuild"))) {
            return admin
                    .describeConsumerGroups(List.of(id))
                    .all()
                    .get(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                    .values()
                    .stream()
                    .mapToInt(group -> group.members().size())
                    .sum();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return 0;
            }
            throw new IllegalStateException("consumer group %s: %s".formatted(id, e.getCause()), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("consumer group %s: no answer in %s".formatted(id, TIMEOUT), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RebuildException("interrupted");
        }
    }
}
