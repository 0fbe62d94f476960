package dev.runcast.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ListChangesResponse;
import dev.runcast.v1.PublishUpdatesRequest;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class JsonTest {
    private static final JsonFormat.Printer LIBRARY =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    /** Everything that strings of a contract meet: escapes, line ends of JavaScript, other scripts, half characters. */
    private static final String[] PIECES = {
        "a", "\"", "\\", "/", "<&'>", "\n", "\r", "\t", "\b", "\f", "\u0000", "\u001f", "\u007f", "\u2028", "\u2029",
        "é", "漢", "🦊", "\ud83e", "",
    };

    @Test
    void anyMessageOfTheContractIsWrittenAsTheLibraryWritesIt() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<Descriptor> types = Stream.of(ListChangesResponse.getDescriptor(), PublishUpdatesRequest.getDescriptor())
                .map(Descriptor::getFile)
                .flatMap(file -> Stream.concat(Stream.of(file), file.getDependencies().stream()))
                .filter(file -> file.getPackage().equals("runcast.v1"))
                .flatMap(file -> file.getMessageTypes().stream())
                .distinct()
                .toList();
        assertThat(types).contains(Change.getDescriptor(), Execution.getDescriptor());
        for (Descriptor type : types) {
            for (int i = 0; i < 200; i++) {
                Message message = message(random, type, 4);
                assertThat(Json.line(message))
                        .as("seed %d, %s", seed, type.getFullName())
                        .isEqualTo(LIBRARY.print(message));
            }
        }
    }

    @Test
    void emptyMessageHasTheFieldsWithoutPresence() throws Exception {
        assertThat(Json.line(Execution.getDefaultInstance())).isEqualTo(LIBRARY.print(Execution.getDefaultInstance()));
    }

    @Test
    void timeBeyondTheYear9999IsRefused() {
        Change late = Change.newBuilder()
                .setReceivedAt(Timestamp.newBuilder().setSeconds(253_402_300_800L))
                .build();
        assertThatThrownBy(() -> Json.line(late)).isInstanceOf(IllegalStateException.class);
    }

    private static Message message(Random random, Descriptor type, int depth) {
        if (type.equals(Timestamp.getDescriptor())) {
            int[] nanos = {0, 5_000_000, 123_456_000, 123_456_789, 1};
            return Timestamp.newBuilder()
                    .setSeconds(random.nextLong(-62_135_596_800L, 253_402_300_800L))
                    .setNanos(nanos[random.nextInt(nanos.length)])
                    .build();
        }
        if (type.equals(Duration.getDescriptor())) {
            return Duration.newBuilder()
                    .setSeconds(random.nextInt(1000))
                    .setNanos(random.nextInt(1_000_000_000))
                    .build();
        }
        if (type.equals(FieldMask.getDescriptor())) {
            return FieldMask.newBuilder().addPaths("session_id").build();
        }
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        for (FieldDescriptor field : type.getFields()) {
            if (random.nextInt(3) == 0 || field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth == 0) {
                continue;
            }
            if (field.isRepeated()) {
                for (int i = random.nextInt(3); i > 0; i--) {
                    builder.addRepeatedField(field, value(random, field, depth));
                }
            } else {
                builder.setField(field, value(random, field, depth));
            }
        }
        return builder.build();
    }

    private static Object value(Random random, FieldDescriptor field, int depth) {
        return switch (field.getJavaType()) {
            case MESSAGE -> message(random, field.getMessageType(), depth - 1);
            case STRING -> text(random);
            case ENUM -> constant(random, field);
            case BOOLEAN -> random.nextBoolean();
            case INT -> random.nextInt();
            case LONG -> random.nextLong();
            case BYTE_STRING -> ByteString.copyFrom(new byte[random.nextInt(5)]);
            case FLOAT, DOUBLE -> throw new IllegalStateException(field.getFullName());
        };
    }

    private static EnumValueDescriptor constant(Random random, FieldDescriptor field) {
        List<EnumValueDescriptor> values = field.getEnumType().getValues();
        return random.nextInt(8) == 0
                ? field.getEnumType().findValueByNumberCreatingIfUnknown(1000 + random.nextInt(3))
                : values.get(random.nextInt(values.size()));
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}
