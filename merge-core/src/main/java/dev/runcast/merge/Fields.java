package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Collects what is wrong with a message's fields: the first fault counts. The bounds are those that the contract's
 * annotations give to the doors; they are checked again here because a topic can be written by others.
 */
final class Fields {
    private @Nullable Refusal refusal;

    /** The first fault; null when there is none. */
    @Nullable
    Refusal refusal() {
        return refusal;
    }

    Fields id(String field, String value) {
        return check(Ids.isId(value), field, value, Ids.EXPECTED);
    }

    Fields idOrEmpty(String field, String value) {
        return check(Ids.isIdOrEmpty(value), field, value, Ids.EXPECTED + " or nothing");
    }

    /** At most so many characters; Unicode code points are counted, as the annotations do. */
    Fields characters(String field, ByteString bytes, int most) {
        // No text has more characters than bytes, so the common case needs no decoding.
        if (refusal == null && bytes.size() > most) {
            String value = bytes.toStringUtf8();
            int count = value.codePointCount(0, value.length());
            if (count > most) {
                refusal = Refusal.invalid(field, count + " characters", "at most " + most);
            }
        }
        return this;
    }

    /** At most so many bytes of UTF-8. */
    Fields bytes(String field, ByteString bytes, int most) {
        if (refusal == null && bytes.size() > most) {
            refusal = Refusal.tooLarge(field, bytes.size(), most);
        }
        return this;
    }

    Fields range(String field, long value, long least, long most) {
        if (refusal == null && (value < least || value > most)) {
            refusal = Refusal.invalid(
                    field, value, most == Long.MAX_VALUE ? least + " or greater" : least + " to " + most);
        }
        return this;
    }

    Fields count(String field, int count, int most) {
        if (refusal == null && count > most) {
            refusal = Refusal.invalid(field, count + " items", "at most " + most);
        }
        return this;
    }

    /** An enum by its number, since the value of one that this build does not know has none. */
    Fields known(String field, Enum<?> value, int number, boolean mayBeUnspecified) {
        if (refusal == null && ("UNRECOGNIZED".equals(value.name()) || number == 0 && !mayBeUnspecified)) {
            refusal = Refusal.invalid(
                    field,
                    number,
                    "a " + value.getDeclaringClass().getSimpleName() + " of the contract"
                            + (mayBeUnspecified ? "" : " other than 0"));
        }
        return this;
    }

    Fields time(String field, boolean present, Timestamp time) {
        if (refusal == null && present && !Times.isValid(time)) {
            refusal = Refusal.invalid(
                    field,
                    String.format(Locale.ROOT, "%d seconds, %d nanos", time.getSeconds(), time.getNanos()),
                    "a time from the year 1 to the year 9999");
        }
        return this;
    }

    Fields check(boolean fits, String field, String value, String expected) {
        if (refusal == null && !fits) {
            refusal = Refusal.invalid(field, Ids.shown(value), expected);
        }
        return this;
    }
}
