package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InFlightTest {
    private final InFlight inFlight = new InFlight(1000);
    private final List<String> woken = new ArrayList<>();

    @Test
    void roomIsTakenUpToTheLimitAndGivenBack() {
        assertThat(inFlight.tryTake(600)).isTrue();
        assertThat(inFlight.tryTake(401)).isFalse();
        assertThat(inFlight.tryTake(400)).isTrue();
        assertThat(inFlight.fill()).isEqualTo(1.0);
        inFlight.give(600);
        assertThat(inFlight.bytes()).isEqualTo(400);
    }

    @Test
    void whatIsLargerThanTheLimitGoesThroughAlone() {
        assertThat(inFlight.tryTake(5000)).isTrue();
        assertThat(inFlight.tryTake(1)).isFalse();
    }

    @Test
    void whoWaitsIsWokenInOrderAndOnlyWhenItFits() {
        inFlight.tryTake(900);
        inFlight.whenRoom(500, () -> woken.add("large"));
        inFlight.whenRoom(50, () -> woken.add("small"));
        assertThat(woken).isEmpty();
        inFlight.give(300);
        assertThat(woken).isEmpty();
        inFlight.give(100);
        assertThat(woken).containsExactly("large");
        inFlight.give(500);
        assertThat(woken).containsExactly("large", "small");
    }

    @Test
    void whoAsksWhenThereIsRoomIsWokenAtOnce() {
        inFlight.whenRoom(500, () -> woken.add("now"));
        assertThat(woken).containsExactly("now");
    }

    @Test
    void smallOnesDoNotPassALargeOneThatWaits() {
        inFlight.tryTake(900);
        inFlight.whenRoom(500, () -> woken.add("large"));
        assertThat(inFlight.tryTake(50)).isFalse();
        inFlight.give(900);
        assertThat(woken).containsExactly("large");
        assertThat(inFlight.bytes()).isEqualTo(500);
        assertThat(inFlight.tryTake(50)).isTrue();
    }
}
