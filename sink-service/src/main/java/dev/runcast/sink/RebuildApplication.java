package dev.runcast.sink;

import dev.runcast.sink.Finding.Verdict;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.topics.KafkaSettings;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * The sink as a job, with the settings that it serves with: {@code --runcast.sink.mode=verify} or {@code rebuild}.
 * Findings and the sum go to the log. Ends with 0 when all is equal or was mended, with 3 when it is not.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties({KafkaSettings.class, MongoAccess.class, SinkSettings.class})
class RebuildApplication {
    private static final String MODE = "--runcast.sink.mode=";

    /** The store is not what the log makes of it. */
    static final int NOT_EQUAL = 3;

    private static final Logger LOG = LoggerFactory.getLogger(RebuildApplication.class);
    /** The sink writes what is committed, which is once a second. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    /** Whether the arguments or the environment ask for another mode than to serve. */
    static boolean isAsked(String... args) {
        String mode = System.getenv("RUNCAST_SINK_MODE");
        for (String arg : args) {
            if (arg.startsWith(MODE)) {
                mode = arg.substring(MODE.length());
            }
        }
        return mode != null && !mode.equalsIgnoreCase("serve");
    }

    /** Does it and gives the exit code. */
    static int run(String... args) {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(RebuildApplication.class)
                        .properties(Map.of("spring.config.name", SinkApplication.CONFIG_NAME))
                        .web(WebApplicationType.NONE)
                        .run(args);
                MongoExecutionStore store = MongoExecutionStore.connect(
                        context.getBean(MongoAccess.class).settings())) {
            return run(context.getBean(KafkaSettings.class), context.getBean(SinkSettings.class), store);
        }
    }

    private static int run(KafkaSettings kafka, SinkSettings settings, MongoExecutionStore store) {
        boolean verify = settings.mode() == SinkSettings.Mode.VERIFY;
        if (!verify) {
            SinkGroup.requireNone(kafka.clients(), settings.group());
        }
        Rebuild rebuild = new Rebuild(kafka.clients(), store, verify ? PATIENCE : Duration.ZERO);
        RebuildReport report = verify
                ? rebuild.verify((step, done, all) -> LOG.info("{}: {} of {}", step, done, all))
                : rebuild.replace((step, done, all) -> LOG.info("{}: {} of {}", step, done, all));
        report.findings().forEach(finding -> LOG.warn("{}", finding));
        LOG.info(
                "{} updates, {} executions: {} equal, {} different, {} missing, {} behind, {} not in the log; {} replaced",
                report.updates(),
                report.executions(),
                report.equal(),
                report.count(Verdict.DIFFERENT),
                report.count(Verdict.MISSING),
                report.count(Verdict.BEHIND),
                report.count(Verdict.NOT_IN_LOG),
                report.replaced());
        boolean good = verify ? report.allEqual() : report.count(Verdict.NOT_IN_LOG) == 0;
        return good ? 0 : NOT_EQUAL;
    }
}
