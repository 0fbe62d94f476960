package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdateRequest;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestApplicationIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    static RunningDoor door;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        door = RunningDoor.start(kafka);
    }

    @AfterAll
    static void stop() {
        door.close();
        kafka.close();
    }

    @Test
    void streamIsAckedWhenItIsInTheLogByteForByte() {
        Runner runner = Runner.open(door.channel());
        runner.send(Batches.batch("stream-1", 1, 3)).send(Batches.batch("stream-1", 4, 2));
        runner.awaitAck("stream-1", 5);
        List<dev.runcast.v1.UpdateBatch> logged = Log.of(kafka).batches("default/stream-1");
        assertThat(logged).hasSize(2);
        assertThat(logged.get(0).getUpdatesList()).isEqualTo(Batches.batch("stream-1", 1, 3).getUpdatesList());
        assertThat(logged.get(1).getFirstSequence()).isEqualTo(4);
        runner.complete();
        assertThat(runner.awaitEnd().isOk()).isTrue();
    }

    @Test
    void singleUpdateIsAnsweredWhenItIsInTheLog() {
        IngestServiceGrpc.newBlockingStub(door.channel())
                .publishUpdate(PublishUpdateRequest.newBuilder()
                        .setBatch(Batches.request("unary-1", "request-1"))
                        .build());
        assertThat(Log.of(kafka).batches("default/unary-1")).singleElement().satisfies(batch -> {
            assertThat(batch.getRequestId()).isEqualTo("request-1");
            assertThat(batch.getTenant()).isEqualTo("default");
            assertThat(batch.getPrincipal()).isEqualTo("local");
            assertThat(batch.getRules()).isEqualTo(1);
            assertThat(batch.hasReceivedAt()).isTrue();
        });
    }
}
