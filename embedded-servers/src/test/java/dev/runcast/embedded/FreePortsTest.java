package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FreePortsTest {

    @Test
    void aFreePreferredPortIsGiven() {
        int port = FreePorts.free();
        assertThat(FreePorts.preferred(port)).isEqualTo(new FreePorts.Choice(port, port));
        assertThat(FreePorts.preferred(port).substituted()).isFalse();
    }

    @Test
    void aTakenPreferredPortIsSubstitutedAndSaysSo() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.loopback(), FreePorts.free()));
            FreePorts.Choice choice = FreePorts.preferred(other.getLocalPort());
            assertThat(choice.port()).isNotEqualTo(other.getLocalPort());
            assertThat(choice.substituted()).isTrue();
        }
    }

    @Test
    void aPortTakenOnAllInterfacesIsTaken() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.free()));
            assertThat(FreePorts.isFree(other.getLocalPort())).isFalse();
        }
    }

    @Test
    void withoutAPreferenceNothingIsSubstituted() {
        assertThat(FreePorts.preferred(0).substituted()).isFalse();
    }

    @Test
    void noPortIsGivenTwice() {
        assertThat(IntStream.range(0, 100)
                        .map(attempt -> FreePorts.free())
                        .distinct()
                        .count())
                .isEqualTo(100);
    }

    @Test
    void portsOutsideTheRangeAreRefused() {
        assertThatThrownBy(() -> FreePorts.preferred(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("port: -1 (expected: 0 for any free port, or 1 to 65535)");
        assertThatThrownBy(() -> new EmbeddedMongo.Config(null, 65_536))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("port: 65536 (expected: 0 for any free port, or 1 to 65535)");
    }
}
