package dev.runcast.merge;

import dev.runcast.state.v1.EntryRecord;
import dev.runcast.state.v1.Header;
import dev.runcast.state.v1.OutcomeRecord;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Reads what the merge has stored of the one execution in a store. */
final class StoredState {
    private static final StateKeys KEYS = new StateKeys(new ExecutionKey(Histories.TENANT, Histories.EXECUTION));

    private StoredState() {}

    /** 0 when nothing has been accepted. */
    static long version(MemoryState state) {
        Header header = Records.read(state, KEYS.one(StateKeys.HEADER), Header.parser());
        return header == null ? 0 : header.getExecution().getVersion();
    }

    static Execution execution(MemoryState state) {
        Header header = Records.read(state, KEYS.one(StateKeys.HEADER), Header.parser());
        if (header == null) {
            throw new AssertionError("no header is stored");
        }
        Execution.Builder execution = header.getExecution().toBuilder();
        ExecutionSpec spec = Records.read(state, KEYS.one(StateKeys.SPEC), ExecutionSpec.parser());
        ExecutionSpec input = Records.read(state, KEYS.one(StateKeys.INPUT), ExecutionSpec.parser());
        if (spec != null) {
            execution.setSpec(
                    input == null
                            ? spec
                            : spec.toBuilder().setInput(input.getInput()).build());
        }
        ExecutionAttributes attributes =
                Records.read(state, KEYS.one(StateKeys.ATTRIBUTES), ExecutionAttributes.parser());
        if (attributes != null) {
            execution.setAttributes(attributes);
        }
        OutcomeRecord outcome = Records.read(state, KEYS.one(StateKeys.OUTCOME), OutcomeRecord.parser());
        if (outcome != null && outcome.hasFailure()) {
            execution.setFailure(outcome.getFailure());
        }
        if (outcome != null && outcome.hasLateOutcome()) {
            execution.setLateOutcome(outcome.getLateOutcome());
        }
        Attempt attempt = Records.read(state, KEYS.one(StateKeys.ATTEMPT), Attempt.parser());
        if (attempt != null) {
            execution.setAttempt(attempt);
        }
        return execution.build();
    }

    static List<Entry> entries(MemoryState state) {
        List<Entry> entries = new ArrayList<>();
        for (byte[] key : state.keys(KEYS.prefix(StateKeys.ENTRY), Integer.MAX_VALUE)) {
            EntryRecord record = Records.read(state, key, EntryRecord.parser());
            if (record == null) {
                throw new AssertionError("no entry is stored under " + new String(key, StandardCharsets.US_ASCII));
            }
            entries.add(record.getEntry());
        }
        entries.sort(Comparator.comparingLong(Entry::getOrdinal));
        return entries;
    }
}
