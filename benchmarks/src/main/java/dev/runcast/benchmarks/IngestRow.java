package dev.runcast.benchmarks;

import dev.runcast.benchmarks.rival.BareLoop;
import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.ingest.IngestApplication;
import dev.runcast.ingest.IngestServer;
import dev.runcast.topics.ClientSettings;
import java.time.Duration;
import java.util.List;

/** How many updates a second the runners' door takes and acks. */
final class IngestRow implements Row {
    private static final int EXECUTIONS = 1_000;

    @Override
    public String name() {
        return "ingest";
    }

    @Override
    public String about() {
        return "acked updates a second, beside a bare gRPC-to-Kafka loop";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(bench.newFolder("kafka")))) {
            var application = IngestApplication.builder()
                    .run(
                            "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                            "--runcast.ingest.port=0",
                            "--spring.main.web-application-type=none");
            int threads = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
            try (application;
                    BareLoop loop = new BareLoop(new ClientSettings(kafka.bootstrapServers()), threads)) {
                String door =
                        "127.0.0.1:" + application.getBean(IngestServer.class).port();
                Duel duel = Duel.fight(
                        bench, "ingest", Unit.PER_SECOND, () -> turn(bench, loop.target()), () -> turn(bench, door));
                return List.of(new Figure(
                        name(),
                        "ingest: acked updates/s, batches of 20",
                        Unit.PER_SECOND,
                        duel.ours(),
                        duel.rival(),
                        duel.ratio(),
                        List.of(Goal.ratioAtLeast(0.9)),
                        "batches of 20 from 1,000 executions over 4 streams, 256 batches without an ack; beside it a"
                                + " loop that parses a batch, sends it to Kafka and acks from the callback. Client, both"
                                + " doors and the broker in this process."));
            }
        }
    }

    private static double turn(Workbench bench, String target) throws InterruptedException {
        Duration time = bench.scale().publishFor();
        try (PublishLoad load = new PublishLoad(target, EXECUTIONS, Workload.TURN)) {
            load.measure(time.dividedBy(5));
            return load.measure(time);
        }
    }
}
