package dev.runcast.merge;

import dev.runcast.v1.Declared;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What is known of the execution itself: what was asked for, its labels, context and progress. */
final class Declarations {
    private Declarations() {}

    /** The first spec counts; the same again is welcome, another is not. An empty one declares nothing. */
    static @Nullable Refusal declared(Work work, Declared declared) {
        ExecutionSpec spec = declared.getSpec();
        if (!Work.isEmpty(spec)) {
            ExecutionSpec before = work.specWithInput();
            if (before == null) {
                work.declare(spec);
            } else if (!before.equals(spec)) {
                return Refusal.invalid(
                        "declared.spec",
                        "of agent " + Ids.shown(spec.getAgent()),
                        "the spec that was declared first, of agent " + Ids.shown(before.getAgent()));
            }
        }
        if (declared.getLabelsCount() == 0) {
            return null;
        }
        return patch(
                work,
                ExecutionPatched.newBuilder()
                        .putAllLabels(declared.getLabelsMap())
                        .build());
    }

    static @Nullable Refusal patch(Work work, ExecutionPatched patch) {
        ExecutionAttributes before = work.attributes();
        Map<String, String> labels = patched(before.getLabelsMap(), patch.getLabelsMap(), patch.getClearLabelsList());
        if (labels.size() > Limits.LABELS) {
            return Refusal.tooMany("labels", labels.size(), Limits.LABELS);
        }
        Map<String, String> context =
                patched(before.getContextMap(), patch.getContextMap(), patch.getClearContextList());
        if (context.size() > Limits.CONTEXT) {
            return Refusal.tooMany("context", context.size(), Limits.CONTEXT);
        }
        ExecutionAttributes.Builder after =
                ExecutionAttributes.newBuilder().putAllLabels(labels).putAllContext(context);
        if (patch.hasProgress()) {
            after.setProgress(patch.getProgress());
        } else if (before.hasProgress() && !patch.getClearProgress()) {
            after.setProgress(before.getProgress());
        }
        ExecutionAttributes attributes = after.build();
        if (!attributes.equals(before)) {
            work.setAttributes(attributes);
        }
        return null;
    }

    /** Sorted, so that equal attributes are equal bytes too. */
    private static Map<String, String> patched(
            Map<String, String> before, Map<String, String> set, List<String> clear) {
        Map<String, String> after = new TreeMap<>(before);
        clear.forEach(after::remove);
        after.putAll(set);
        return after;
    }
}
