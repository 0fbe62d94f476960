package dev.runcast.store.mongo;

import java.time.Duration;

/**
 * Where the store lies and how it is written.
 *
 * @param uri {@code mongodb://…} or {@code mongodb+srv://…}; a database named in it is not used. Never shown, since it
 *     may hold a password
 * @param database the database's name
 * @param versionGuard whether each header and record is written only over an older one, which makes a second writer
 *     harmless. Off where there is only one and the server is slow at it, as the embedded one is
 * @param timeout how long one operation may take, the search for a server included
 */
public record MongoSettings(String uri, String database, boolean versionGuard, Duration timeout) {
    /** What is used unless told otherwise. */
    public static final String DEFAULT_DATABASE = "runcast";

    /** @throws IllegalArgumentException when the URI or the database has the wrong form */
    public MongoSettings {
        if (!uri.startsWith("mongodb://") && !uri.startsWith("mongodb+srv://")) {
            throw new IllegalArgumentException("MongoDB URI: another form (expected: mongodb://… or mongodb+srv://…)");
        }
        if (database.isEmpty()) {
            throw new IllegalArgumentException("database: \"\" (expected: a name, such as runcast)");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout: %s (expected: longer than 0)".formatted(timeout));
        }
    }

    /** A real MongoDB, as a production has it. */
    public static MongoSettings of(String uri) {
        return new MongoSettings(uri, DEFAULT_DATABASE, true, Duration.ofSeconds(30));
    }

    /** The embedded server, whose only writer is the sink. */
    public static MongoSettings embedded(String uri) {
        return new MongoSettings(uri, DEFAULT_DATABASE, false, Duration.ofSeconds(30));
    }

    @Override
    public String toString() {
        return "MongoSettings[database=%s, versionGuard=%s, timeout=%s]".formatted(database, versionGuard, timeout);
    }
}
