package dev.runcast.merge;

import dev.runcast.v1.Entry;
import dev.runcast.v1.TextState;

/** What one entry adds to the sums over all of them. A changed entry is taken off as it was and added as it is. */
final class Sums {
    private Sums() {}

    static void count(ExecutionState execution, Entry entry, int sign) {
        boolean open = !EntryStates.isFinished(entry.getState());
        execution.entries += sign;
        execution.openEntries += open ? sign : 0;
        for (TextState text : entry.getTextsList()) {
            execution.textBytes += sign * text.getLengthBytes();
        }
        switch (entry.getBodyCase()) {
            case MESSAGE -> execution.messages += sign;
            case TOOL_CALL -> execution.toolCalls += sign;
            case APPROVAL -> execution.pendingApprovals += open ? sign : 0;
            case USAGE -> {
                execution.inputTokens += sign * entry.getUsage().getInputTokens();
                execution.outputTokens += sign * entry.getUsage().getOutputTokens();
                execution.costMicros += sign * entry.getUsage().getCostMicros();
            }
            case SUB_AGENT, TODO, ARTIFACT, BODY_NOT_SET -> {}
        }
    }
}
