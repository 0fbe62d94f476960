package dev.runcast.doors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CallersTest {
    private static final InetSocketAddress HERE = new InetSocketAddress(InetAddress.getLoopbackAddress(), 4711);
    private static final InetSocketAddress ELSEWHERE = new InetSocketAddress("192.0.2.7", 4711);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void withoutATokenFileEverybodyOnThisMachineIsTheLocalOperator() {
        assertThat(Callers.loopbackOnly().identify(null, HERE))
                .isEqualTo(new Principal("default", "local", Role.OPERATOR));
        assertThat(Callers.loopbackOnly().identify(null, null)).isEqualTo(Principal.LOCAL);
    }

    @Test
    void withoutATokenFileNobodyElsewhereIsServed() {
        assertThat(refusal(Callers.loopbackOnly(), null, ELSEWHERE)).isEqualTo(Reason.LOOPBACK_ONLY);
        assertThat(refusal(Callers.loopbackOnly(), "Bearer x", ELSEWHERE)).isEqualTo(Reason.LOOPBACK_ONLY);
    }

    @Test
    void withoutATokenFileADoorDoesNotOpenToTheWorld() throws IOException {
        InetAddress everywhere = InetAddress.getByName("0.0.0.0");
        assertThatThrownBy(() -> Callers.configured(null, everywhere, InstantSource.system()))
                .hasMessage("address: 0.0.0.0 without a token file (expected: a loopback address, or a token file)");
        Callers.configured(null, InetAddress.getByName("127.0.0.5"), InstantSource.system());
        Callers.configured(null, InetAddress.getByName("::1"), InstantSource.system());
    }

    @Test
    void withATokenFileOnlyATokenCountsWhereverItComesFrom() throws IOException {
        Callers callers = withToken();
        assertThat(callers.identify("Bearer a-token-of-acme-1", ELSEWHERE).tenant())
                .isEqualTo("acme");
        assertThat(callers.identify("bearer   a-token-of-acme-1", HERE).tenant())
                .isEqualTo("acme");
        assertThat(refusal(callers, null, HERE)).isEqualTo(Reason.UNAUTHENTICATED);
        assertThat(refusal(callers, "Basic YTpi", HERE)).isEqualTo(Reason.UNAUTHENTICATED);
        assertThat(refusal(callers, "Bearer a-token-of-acme-2", HERE)).isEqualTo(Reason.UNAUTHENTICATED);
        assertThat(refusal(callers, "Bearer ", HERE)).isEqualTo(Reason.UNAUTHENTICATED);
    }

    @Test
    void missingTokenFileIsSaidWhenTheDoorIsOpened() {
        assertThatThrownBy(() -> Callers.configured(
                        folder.resolve("none"), InetAddress.getLoopbackAddress(), InstantSource.system()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be read")
                .hasMessageContaining("expected: lines of");
    }

    private Callers withToken() throws IOException {
        Path file = Files.writeString(folder.resolve("tokens"), "a-token-of-acme-1 acme dana viewer\n");
        return Callers.configured(file, InetAddress.getByName("0.0.0.0"), InstantSource.system());
    }

    private static Reason refusal(Callers callers, @Nullable String authorization, InetSocketAddress peer) {
        return catchThrowableOfType(DoorException.class, () -> callers.identify(authorization, peer))
                .reason();
    }
}
