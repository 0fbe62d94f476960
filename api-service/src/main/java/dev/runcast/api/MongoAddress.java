package dev.runcast.api;

import dev.runcast.store.mongo.MongoSettings;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where the store lies.
 *
 * @param uri {@code mongodb://…} or {@code mongodb+srv://…}
 * @param database the database's name
 * @param timeout how long one operation may take
 */
@ConfigurationProperties("runcast.mongo")
record MongoAddress(
        @DefaultValue("mongodb://localhost:27017") String uri,
        @DefaultValue(MongoSettings.DEFAULT_DATABASE) String database,
        @DefaultValue("10s") Duration timeout) {
    /** As the store takes it. This door only reads, so nothing is guarded. */
    MongoSettings settings() {
        return new MongoSettings(uri, database, true, timeout);
    }
}
