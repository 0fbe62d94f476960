package dev.runcast.recording;

import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A recorded conversation: what an agent and its tools said, in order.
 *
 * @param conversationId becomes the execution's id
 * @param agent the agent's name; empty when the recording does not say
 * @param sessionId the session it belongs to; empty when the recording does not say
 * @param labels labels of the execution
 * @param messages what was said, in order
 * @param outcome how the run ended; COMPLETED when the recording does not say
 * @param failure why it failed; absent when it did not
 */
public record Recording(
        String conversationId,
        String agent,
        String sessionId,
        Map<String, String> labels,
        List<Message> messages,
        Phase outcome,
        @Nullable Failure failure) {

    /** One thing in a conversation. */
    sealed interface Message {}

    /** A message of one of the roles, with the model call's usage where it was recorded. */
    record Said(String role, String text, @Nullable ModelUsage usage) implements Message {}

    /** The agent calls a tool. The id is the recording's own and may recur. */
    record Called(String callId, String name, String arguments) implements Message {}

    /** A tool answers the last unanswered call of that id. Absent failure means that it went well. */
    record Answered(
            String callId,
            String name,
            String result,
            @Nullable Failure failure) implements Message {}

    /** The agent's plan as it now is. */
    record Planned(List<Step> steps) implements Message {}

    /** Agents that work for the agent at the same time. */
    record Delegated(List<Agent> agents) implements Message {}

    /** One step of a plan; the status is OpenAI's word: pending, in_progress, completed, cancelled. */
    record Step(String id, String content, String status) {}

    /** One agent that works for another. */
    record Agent(String id, String name, String input, List<Message> messages, String output) {}

    /** What a model call used, in tokens. */
    record ModelUsage(String model, long promptTokens, long completionTokens) {}
}
