package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IngestSettingsTest {
    /** Defaults are documented, so a change of one is a change of the documentation. */
    @Test
    void defaultsAreAsDocumented() {
        assertThat(MemoryDoor.settings(Map.of()))
                .hasToString("IngestSettings[address=127.0.0.1, port=8080, tokenFile=null, reflection=true, threads=0,"
                        + " inFlight=InFlightSettings[total=33554432B, perStream=4194304B], linger=PT0S,"
                        + " deliveryTimeout=PT30S, drainTimeout=PT10S, writersPerStream=4096,"
                        + " connection=ConnectionSettings[keepAlive=PT30S, keepAliveTimeout=PT10S,"
                        + " permitKeepAlive=PT5S, maxIdle=PT15M, maxStreams=1000]]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port | 65536 | runcast.ingest.port: 65536 (expected: 0 to 65535)",
                "threads | -1 | runcast.ingest.threads: -1 (expected: 0 or greater)",
                "linger | 2s | runcast.ingest.linger: PT2S (expected: 0ms to 1s)",
                "delivery-timeout | 100ms | runcast.ingest.delivery-timeout: PT0.1S (expected: PT1S or longer)",
                "writers-per-stream | 0 | runcast.ingest.writers-per-stream: 0 (expected: 1 or greater)",
                "in-flight.total | 10KB | runcast.ingest.in-flight.total: 10240B (expected: 1MB or greater)",
                "in-flight.per-stream | 64MB | runcast.ingest.in-flight.per-stream: 67108864B (expected: 64KB to the total, 33554432B)",
                "connection.max-streams | 0 | runcast.ingest.connection.max-streams: 0 (expected: 1 or greater)",
            })
    void settingOutOfRangeIsNamedWithWhatWasExpected(String name, String value, String message) {
        assertThatThrownBy(() -> MemoryDoor.settings(Map.of("runcast.ingest." + name, value)))
                .rootCause()
                .hasMessage(message);
    }
}
