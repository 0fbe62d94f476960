package dev.runcast.store;

/** Something in a write can never be stored, however often it is tried: it is too large, or breaks the contract. */
public final class UnstorableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what the store's server or the store found. */
    public UnstorableException(String message, Throwable cause) {
        super(message, cause);
    }
}
