package dev.runcast.sink;

import dev.runcast.store.mongo.MongoSettings;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where MongoDB is and how it is written; see {@link MongoSettings}.
 *
 * @param uri {@code mongodb://…} or {@code mongodb+srv://…}
 * @param database the database's name
 * @param versionGuard whether a document is written only over an older one; off only with the embedded server
 * @param timeout how long one operation may take
 */
@ConfigurationProperties("runcast.mongo")
public record MongoAccess(
        @DefaultValue("mongodb://localhost:27017") String uri,
        @DefaultValue(MongoSettings.DEFAULT_DATABASE) String database,
        @DefaultValue("true") boolean versionGuard,
        @DefaultValue("10s") Duration timeout) {
    /** @throws IllegalArgumentException when a value has the wrong form */
    public MongoAccess {
        new MongoSettings(uri, database, versionGuard, timeout);
    }

    MongoSettings settings() {
        return new MongoSettings(uri, database, versionGuard, timeout);
    }

    @Override
    public String toString() {
        return settings().toString();
    }
}
