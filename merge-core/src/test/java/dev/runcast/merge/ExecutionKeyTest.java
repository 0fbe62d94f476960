package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.runcast.v1.ExecutionAttributes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ExecutionKeyTest {
    @Test
    void keyReadsBackAsItIsWritten() {
        ExecutionKey key = new ExecutionKey("acme", "run_1-A");
        assertThat(key).hasToString("acme/run_1-A");
        assertThat(ExecutionKey.parse("acme/run_1-A")).isEqualTo(key);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "acme", "/", "acme/", "/run", "acme/run/1", "ac me/run", "acme/-run", "acme/é"})
    void otherFormsAreRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ExecutionKey.parse(text))
                .withMessageContaining("expected");
    }

    @Test
    void idHasAtMost64Characters() {
        assertThat(Ids.isId("x".repeat(64))).isTrue();
        assertThat(Ids.isId("x".repeat(65))).isFalse();
    }

    @Test
    void messageShowsAValueOnOneLine() {
        assertThat(Ids.shown("a\nb")).isEqualTo("\"a\\u000ab\"");
        assertThat(Ids.shown("x".repeat(1_000))).hasSizeLessThan(90).endsWith("…\"");
    }

    @Test
    void canonicalFormDoesNotDependOnTheOrderOfAMap() {
        ExecutionAttributes one = ExecutionAttributes.newBuilder()
                .putLabels("a", "1")
                .putLabels("b", "2")
                .build();
        ExecutionAttributes other = ExecutionAttributes.newBuilder()
                .putLabels("b", "2")
                .putLabels("a", "1")
                .build();
        assertThat(Canonical.json(one))
                .isEqualTo(Canonical.json(other))
                .isEqualTo("{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}");
        assertThat(Canonical.bytes(one)).isEqualTo(Canonical.bytes(other));
    }
}
