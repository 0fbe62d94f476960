package dev.runcast.embedded;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.kafka.common.utils.Exit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * A broker that cannot go on (its disk is full, its folder is gone) ends its process through Exit, by halting it without
 * running a shutdown hook. In its own process that is right. Here it would take every service and every test with it and
 * leave no word, so the procedures are replaced, for the process and for good: Kafka's hooks are static, so they cannot
 * be put back while another broker of this process runs. Kafka relies on them not returning, so they throw.
 */
/** Keeps a broker from ending the process it is embedded in, and tells the brokers of this process why it wanted to. */
final class KafkaExits {

    private static final Logger LOG = LoggerFactory.getLogger(KafkaExits.class);

    private static final AtomicBoolean REPLACED = new AtomicBoolean();

    /** Kafka does not say which broker gave up, so all that run here are told. */
    private static final Set<Consumer<String>> LISTENERS = ConcurrentHashMap.newKeySet();

    private KafkaExits() {}

    static void listen(Consumer<String> listener) {
        if (REPLACED.compareAndSet(false, true)) {
            Exit.setExitProcedure((status, message) -> refuse("exit", status, message));
            Exit.setHaltProcedure((status, message) -> refuse("halt", status, message));
        }
        LISTENERS.add(listener);
    }

    static void forget(Consumer<String> listener) {
        LISTENERS.remove(listener);
    }

    private static void refuse(String how, int status, @Nullable String message) {
        String reason = "Kafka gave up in thread %s and wanted to %s the process with status %d%s"
                .formatted(Thread.currentThread().getName(), how, status, message == null ? "" : ": " + message);
        LOG.error("{}", reason);
        LISTENERS.forEach(listener -> listener.accept(reason));
        throw new IllegalStateException(reason);
    }
}
