package dev.runcast.recording;

/** A file is not what a recording has to be; the message says where and what was expected. */
public final class RecordingException extends RuntimeException {
    RecordingException(String message) {
        super(message);
    }

    RecordingException(String message, Throwable cause) {
        super(message, cause);
    }
}
