package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Done;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A door that breaks off in many ways, as one that is killed and started again does. */
class WatchAgainTest {
    private final Door door = new Door();

    @RegisterExtension
    private final ServedDoor served = new ServedDoor(door);

    @Test
    void whoHasSeenAPartGoesOnWhateverADoorThatComesBackSays() {
        door.then(null, Status.UNAVAILABLE, Status.UNKNOWN, Status.INTERNAL, Status.NOT_FOUND);
        assertThat(watch()).isZero();
        assertThat(served.err.toString() + served.out).contains("connection lost, trying again");
        assertThat(door.cursors).hasSize(6);
        assertThat(door.cursors.get(0)).isEmpty();
        assertThat(door.cursors.subList(1, 6)).containsOnly("c1");
    }

    @Test
    void whoHasSeenNothingIsToldAtOnceThatThereIsNothing() {
        door.then(Status.NOT_FOUND);
        assertThat(watch()).isEqualTo(Runcast.NOT_FOUND);
        assertThat(door.cursors).hasSize(1);
    }

    @Test
    void whatCannotPassEndsTheWatch() {
        door.then(null, Status.PERMISSION_DENIED);
        assertThat(watch()).isEqualTo(Runcast.NOT_PERMITTED);
        assertThat(door.cursors).hasSize(2);
    }

    private int watch() {
        return served.execute("watch", "run", "-o", "json");
    }

    /** Gives the beginning, then fails as told, then gives the end. */
    private static final class Door extends ExecutionServiceGrpc.ExecutionServiceImplBase {
        private final List<String> cursors = new CopyOnWriteArrayList<>();
        private Status[] script = {};

        /** One a connection: null gives the beginning and breaks off. */
        void then(Status... script) {
            this.script = script;
        }

        @Override
        public void watchExecution(WatchExecutionRequest request, StreamObserver<WatchExecutionResponse> viewer) {
            int connection = cursors.size();
            cursors.add(request.getCursor());
            if (connection >= script.length) {
                viewer.onNext(WatchExecutionResponse.newBuilder()
                        .setCursor("c2")
                        .setDone(Done.newBuilder().setPhase(Phase.PHASE_COMPLETED))
                        .build());
                viewer.onCompleted();
                return;
            }
            Status failure = script[connection];
            if (failure == null) {
                viewer.onNext(WatchExecutionResponse.newBuilder()
                        .setCursor("c1")
                        .setSnapshot(Snapshot.newBuilder()
                                .setFirst(true)
                                .setLast(true)
                                .setExecution(Execution.newBuilder().setVersion(1)))
                        .build());
            }
            viewer.onError((failure == null ? Status.UNAVAILABLE : failure).asRuntimeException());
        }
    }
}
