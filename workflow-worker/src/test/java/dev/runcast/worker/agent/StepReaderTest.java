package dev.runcast.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.worker.agent.Step.Act;
import dev.runcast.worker.agent.Step.Beat;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepReaderTest {
    @Test
    void subAgentsWorkAtTheSameTime() {
        Act agents = (Act) StepReader.read("[{agents: [{steps: [{wait: 2}]}, {steps: [{wait: 3}]}]}]")
                .get(0);
        Duration whole = agents.beats().stream().map(Beat::pause).reduce(Duration.ZERO, Duration::plus);
        assertThat(whole).isEqualTo(Duration.ofMillis(3020));
    }

    @Test
    void jsonIsReadToo() {
        assertThat(StepReader.read("[{\"say\": \"Hello\"}, {\"fail\": {\"code\": \"X\"}}]"))
                .hasSize(2);
    }

    @Test
    void argumentsAreJsonHoweverTheyAreWritten() {
        List<Step> steps = StepReader.read(
                "[{ask: {arguments: {price: 100}}}, {ask: {arguments: '{\"price\": 1e2}'}}, {ask: {prompt: Go}}]");
        assertThat(steps)
                .extracting(step -> ((Step.Ask) step).arguments())
                .containsExactly("{\"price\":100}", "{\"price\": 1e2}", "{}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {say: one}                     | steps: {say=one} (expected: a list)
        [{say: one, tool: x}]          | steps[0]: {say=one, tool=x} (expected: one word and what belongs to it)
        [{sing: la}]                   | steps[0].sing: sing (expected: say,
        [{wait: -1}]                   | steps[0].wait.seconds: -1 (expected: seconds, 0 or more)
        [{fail: {times: 0}}]           | steps[0].fail.times: 0 (expected: 1 or greater)
        [{agents: [{steps: [crash]}]}] | steps[0].agents[0].steps[0].crash: crash (expected:
        [                              | steps: not YAML
        """)
    void whatIsWrongIsSaidWithItsPlace(String text, String message) {
        assertThatThrownBy(() -> StepReader.read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }
}
