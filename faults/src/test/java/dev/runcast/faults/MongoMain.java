package dev.runcast.faults;

import dev.runcast.embedded.EmbeddedMongo;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** The server that speaks MongoDB's wire protocol as a process: {@code FOLDER PORT}. */
final class MongoMain {
    private MongoMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        EmbeddedMongo mongo = EmbeddedMongo.start(
                new EmbeddedMongo.Config(Path.of(arguments[0]), Integer.parseInt(arguments[1])));
        Runtime.getRuntime().addShutdownHook(new Thread(mongo::stop));
        System.out.println("stopped cleanly before: " + mongo.previousStopWasClean());
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
