package dev.runcast.merge;

import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.RejectedUpdate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a batch.
 *
 * @param outcomes one for each update, in order
 * @param writes what the store has to be given, each key once
 * @param changes the new versions, cut at 512 KiB
 * @param rejections updates that were not applied, neighbours of one reason folded; without the place in the log,
 *     which the caller stamps
 * @param row the whole execution (spec, attributes, failure included) when a column other than {@code version},
 *     {@code updated_at} and {@code totals.text_bytes} changed, else null; without the two fields that are too large
 *     for a row, {@code spec.input} and {@code attributes.context}
 * @param signals the level for runners when it changed, else null
 * @param header the execution without its cold fields after the batch; null when no update has been accepted
 */
public record MergeResult(
        List<Outcome> outcomes,
        List<StateWrite> writes,
        List<ChangeBatch> changes,
        List<RejectedUpdate> rejections,
        @Nullable Execution row,
        @Nullable ExecutionSignals signals,
        @Nullable Execution header) {}
