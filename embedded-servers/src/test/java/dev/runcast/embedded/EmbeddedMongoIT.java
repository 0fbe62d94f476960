package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatObject;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.bson.Document;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedMongoIT {

    @TempDir
    Path folder;

    @Test
    void documentsAndIndexesAreThereAfterARestart() {
        try (EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder))) {
            with(mongo, things -> things.insertOne(new Document("_id", "a").append("n", 7L)));
            with(mongo, things -> things.createIndex(new Document("n", 1)));
            mongo.stop();
            assertThat(FreePorts.isFree(mongo.port())).isTrue();
            mongo.restart();
            assertThatObject(with(mongo, things -> things.find(new Document("_id", "a"))
                            .first()))
                    .isEqualTo(new Document("_id", "a").append("n", 7L));
            List<String> indexes = with(mongo, EmbeddedMongoIT::indexNames);
            assertThat(indexes).contains("n_1");
            assertThat(mongo.previousStopWasClean()).isTrue();
        }
    }

    @Test
    void aClientThatStaysConnectedDoesNotKeepTheServerFromStopping() {
        try (EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder));
                MongoClient client = MongoClients.create(mongo.connectionString())) {
            MongoCollection<Document> things = client.getDatabase("test").getCollection("things");
            things.insertOne(new Document("_id", "a"));
            mongo.restart();
            assertThat(things.countDocuments()).isEqualTo(1);
        }
    }

    @Test
    void inMemoryEverythingIsForgottenAtAStop() {
        try (EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.inMemory())) {
            with(mongo, things -> things.insertOne(new Document("_id", "a")));
            mongo.restart();
            assertThatObject(with(mongo, MongoCollection::countDocuments)).isEqualTo(0L);
            assertThat(mongo.previousStopWasClean()).isTrue();
        }
    }

    @Test
    void twoRunInOneProcess() {
        try (EmbeddedMongo first = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("a")));
                EmbeddedMongo second = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("b")))) {
            with(first, things -> things.insertOne(new Document("_id", "a")));
            assertThatObject(with(second, MongoCollection::countDocuments)).isEqualTo(0L);
        }
    }

    @Test
    void theMarkIsThereWhileItRunsAndAfterAKillUntilItStopsCleanly() throws Exception {
        Path mark = folder.resolve("unclean");
        try (OtherProcess killed = OtherProcess.run(MongoUntilKilled.class, folder.toString())) {
            killed.awaitLine("started");
            assertThat(mark).exists();
            killed.kill();
        }
        assertThat(mark).exists();
        try (EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder))) {
            assertThat(mongo.previousStopWasClean()).isFalse();
            with(mongo, things -> things.insertOne(new Document("_id", "a")));
            mongo.restart();
            assertThat(mongo.previousStopWasClean()).isTrue();
        }
        assertThat(mark).doesNotExist();
    }

    @Test
    void aStartThatFailsLeavesACleanFolderClean() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.loopback(), FreePorts.free()));
            assertThatThrownBy(() -> EmbeddedMongo.start(new EmbeddedMongo.Config(folder, other.getLocalPort())))
                    .isInstanceOf(EmbeddedServerException.class)
                    .hasMessageContaining("MongoDB port: " + other.getLocalPort() + " is taken");
        }
        try (EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder))) {
            assertThat(mongo.previousStopWasClean()).isTrue();
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() throws Exception {
        Path data = Files.createFile(folder.resolve("file")).resolve("data");
        assertThatThrownBy(() -> EmbeddedMongo.start(EmbeddedMongo.Config.in(data)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("MongoDB data folder: " + data);
    }

    @Test
    void aFileOfAnotherVersionIsRefusedAndLeftAlone() throws Exception {
        Path file = Files.writeString(
                folder.resolve("mongo.mv.db"), "H:9,block:2,blockSize:1000,format:99,version:1\n".repeat(400));
        long size = Files.size(file);
        assertThatThrownBy(() -> EmbeddedMongo.start(EmbeddedMongo.Config.in(folder)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("MongoDB data file: " + file)
                .hasMessageContaining("expected: a file this version of the server wrote");
        assertThat(file).hasSize(size);
    }

    private static List<String> indexNames(MongoCollection<Document> collection) {
        return collection.listIndexes().map(index -> index.getString("name")).into(new ArrayList<>());
    }

    private static <T> T with(EmbeddedMongo mongo, Function<MongoCollection<Document>, T> action) {
        try (MongoClient client = MongoClients.create(mongo.connectionString())) {
            return action.apply(client.getDatabase("test").getCollection("things"));
        }
    }

    /** Runs a server until somebody kills this process. */
    static final class MongoUntilKilled {

        public static void main(String[] arguments) throws Exception {
            EmbeddedMongo.start(EmbeddedMongo.Config.in(Path.of(arguments[0])));
            System.out.println("started");
            Thread.currentThread().join();
        }
    }
}
