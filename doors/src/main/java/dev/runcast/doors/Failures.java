package dev.runcast.doors;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.runcast.v1.RejectionReason;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says failures: as {@link DoorException} inside a service, as {@code google.rpc.Status} (AIP-193) with
 * {@code ErrorInfo} over gRPC and HTTP. Which failure is which status stands in {@link Reason}.
 */
public final class Failures {
    /** {@code ErrorInfo.domain} of every failure of ours. */
    public static final String DOMAIN = "runcast.dev";

    private static final Logger log = LoggerFactory.getLogger(Failures.class);
    private static final int LONGEST_METADATA = 256;
    private static final JsonFormat.Printer JSON = JsonFormat.printer()
            .usingTypeRegistry(TypeRegistry.newBuilder()
                    .add(ErrorInfo.getDescriptor())
                    .add(BadRequest.getDescriptor())
                    .add(RetryInfo.getDescriptor())
                    .build());

    private Failures() {}

    /** A failure that is not about one value. */
    public static DoorException of(Reason reason, String message) {
        return new DoorException(reason, message, Map.of(), List.of(), null);
    }

    /** A failure with what a program may want to know besides its reason. */
    public static DoorException of(Reason reason, String message, Map<String, String> metadata) {
        return new DoorException(reason, message, metadata, List.of(), null);
    }

    /** The same with a cause that the log should have and the caller should not. */
    public static DoorException of(Reason reason, String message, Map<String, String> metadata, Throwable cause) {
        return new DoorException(reason, message, metadata, List.of(), cause);
    }

    /** A failure with a cause that the log should have and the caller should not. */
    public static DoorException of(Reason reason, String message, Throwable cause) {
        return new DoorException(reason, message, Map.of(), List.of(), cause);
    }

    /** A wrong value: its message is {@code field: value (expected: …)}, and its status names the field. */
    public static DoorException value(Reason reason, String field, String value, String expected) {
        String shown = shortened(value);
        return new DoorException(
                reason,
                "%s: %s (expected: %s)".formatted(field, shown, expected),
                Map.of("field", field, "value", shown, "expected", expected),
                List.of(BadRequest.FieldViolation.newBuilder()
                        .setField(field)
                        .setDescription("%s (expected: %s)".formatted(shown, expected))
                        .setReason(reason.name())
                        .build()),
                null);
    }

    /** An update that was not applied, or not taken. */
    public static DoorException rejected(RejectionReason rejection, String message) {
        return of(Reason.of(rejection), message);
    }

    /** An execution that is not there, or is another tenant's: the caller cannot tell which. */
    public static DoorException noExecution(String executionId) {
        return new DoorException(
                Reason.NOT_FOUND,
                "execution_id: %s (expected: an execution of your tenant)".formatted(shortened(executionId)),
                Map.of("field", "execution_id", "value", shortened(executionId)),
                List.of(),
                null);
    }

    /**
     * What a caller is told. A failure that is nobody's row is INTERNAL: it is logged whole, and the caller gets none of
     * it.
     */
    public static Status status(Throwable failure) {
        if (failure instanceof DoorException known) {
            return status(known);
        }
        if (failure instanceof StatusRuntimeException grpc) {
            Status said = StatusProto.fromThrowable(grpc);
            if (said != null) {
                return said;
            }
        }
        log.error("failed", failure);
        return status(of(Reason.INTERNAL, "a failure of the service; its log has the rest"));
    }

    /** What a gRPC caller is told, to be given to {@code onError}. */
    public static StatusRuntimeException grpc(Throwable failure) {
        return StatusProto.toStatusRuntimeException(status(failure));
    }

    /** The HTTP status code of a {@code google.rpc.Code}, as {@code google/rpc/code.proto} maps it. */
    public static int httpCode(Status status) {
        Code code = Code.forNumber(status.getCode());
        return code == null
                ? 500
                : switch (code) {
                    case OK -> 200;
                    case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
                    case UNAUTHENTICATED -> 401;
                    case PERMISSION_DENIED -> 403;
                    case NOT_FOUND -> 404;
                    case ABORTED, ALREADY_EXISTS -> 409;
                    case RESOURCE_EXHAUSTED -> 429;
                    case CANCELLED -> 499;
                    case UNIMPLEMENTED -> 501;
                    case UNAVAILABLE -> 503;
                    case DEADLINE_EXCEEDED -> 504;
                    default -> 500;
                };
    }

    /** ProtoJSON of a status, its details included. */
    public static String json(Status status) {
        try {
            return JSON.print(status);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("details: of a type that is not ours", e);
        }
    }

    private static Status status(DoorException failure) {
        Reason reason = failure.reason();
        if (failure.getCause() != null) {
            // One line: while a dependency is away this comes with every call.
            log.warn(
                    "{}: {} ({})",
                    reason,
                    failure.getMessage(),
                    failure.getCause().toString());
        }
        Status.Builder status = Status.newBuilder()
                .setCode(reason.code().getNumber())
                .setMessage(String.valueOf(failure.getMessage()))
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setReason(reason.name())
                        .setDomain(DOMAIN)
                        .putAllMetadata(failure.metadata())
                        .putMetadata("category", reason.category().name())
                        .build()));
        if (!failure.violations().isEmpty()) {
            status.addDetails(Any.pack(BadRequest.newBuilder()
                    .addAllFieldViolations(failure.violations())
                    .build()));
        }
        if (reason.retryable()) {
            status.addDetails(Any.pack(RetryInfo.newBuilder()
                    .setRetryDelay(Duration.newBuilder().setSeconds(1))
                    .build()));
        }
        return status.build();
    }

    /** A value as a message may show it: not endless, and nothing in it that a terminal or a log would act on. */
    static String shortened(String value) {
        return value.length() <= LONGEST_METADATA
                ? visible(value)
                : "%s… (%d characters)".formatted(visible(value.substring(0, LONGEST_METADATA)), value.length());
    }

    private static String visible(String value) {
        if (value.codePoints().noneMatch(Failures::isInvisible)) {
            return value;
        }
        StringBuilder visible = new StringBuilder(value.length() + 16);
        value.codePoints().forEach(c -> {
            if (isInvisible(c)) {
                visible.append("\\u%04x".formatted(c));
            } else {
                visible.appendCodePoint(c);
            }
        });
        return visible.toString();
    }

    /** Control characters, those that turn the direction of writing, and halves of characters. */
    private static boolean isInvisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }
}
