package dev.runcast.faults;

import dev.runcast.embedded.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;

/** The broker as a process: {@code FOLDER PORT}. */
final class BrokerMain {
    private BrokerMain() {}

    public static void main(String[] arguments) {
        EmbeddedKafka kafka = EmbeddedKafka.start(
                new EmbeddedKafka.Config(Path.of(arguments[0]), Integer.parseInt(arguments[1])));
        Runtime.getRuntime().addShutdownHook(new Thread(kafka::stop));
        System.out.println("ready");
        while (kafka.failure().isEmpty()) {
            Await.pause(Duration.ofMillis(500));
        }
        System.out.println("gave up: " + kafka.failure().orElseThrow());
        Runtime.getRuntime().halt(1);
    }
}
