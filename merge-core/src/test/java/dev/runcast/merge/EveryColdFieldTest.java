package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Totals;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A message field that is added to Execution fails here by name until views and folds handle it. */
final class EveryColdFieldTest {
    /** All message fields but sums and times, which are small. */
    static Stream<FieldDescriptor> coldFields() {
        return Execution.getDescriptor().getFields().stream()
                .filter(field -> field.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
                .filter(field -> field.getMessageType() != Timestamp.getDescriptor()
                        && field.getMessageType() != Totals.getDescriptor());
    }

    @Test
    void theseAreTheColdFields() {
        assertThat(coldFields().map(FieldDescriptor::getName))
                .containsExactly("spec", "attributes", "failure", "late_outcome", "attempt");
    }

    @ParameterizedTest
    @MethodSource("coldFields")
    void absentIsUnchangedAndEmptyClearsInViewsAndFolds(FieldDescriptor field) {
        Message set = filled(field);
        Change first = change(1, Execution.newBuilder().setField(field, set));
        Change absent = change(2, Execution.newBuilder().setReason("on"));
        Change empty = change(3, Execution.newBuilder().setField(field, set.getDefaultInstanceForType()));

        ExecutionView kept = ExecutionView.EMPTY.apply(first).apply(absent);
        assertThat(kept.execution().getField(field)).isEqualTo(set);
        assertThat(kept.apply(empty).execution().hasField(field)).isFalse();

        Change folded = ExecutionView.fold(first, absent);
        assertThat(ExecutionView.EMPTY.apply(folded).execution()).isEqualTo(kept.execution());
        Change cleared = ExecutionView.fold(absent, empty);
        assertThat(ExecutionView.EMPTY.apply(first).apply(cleared).execution().hasField(field))
                .isFalse();
    }

    private static Message filled(FieldDescriptor field) {
        Message.Builder filled = Execution.newBuilder().newBuilderForField(field);
        for (FieldDescriptor inner : field.getMessageType().getFields()) {
            if (inner.getJavaType() == FieldDescriptor.JavaType.STRING && !inner.isRepeated()) {
                filled.setField(inner, inner.getName());
            } else if (inner.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !inner.isRepeated()) {
                // Present though empty, which is enough for a field not to be empty itself.
                filled.setField(inner, filled.newBuilderForField(inner).build());
            }
        }
        return filled.build();
    }

    private static Change change(long version, Execution.Builder execution) {
        return Change.newBuilder()
                .setFirstVersion(version)
                .setVersion(version)
                .setExecution(execution.setVersion(version))
                .build();
    }
}
