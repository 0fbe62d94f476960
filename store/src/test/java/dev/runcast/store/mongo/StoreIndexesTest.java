package dev.runcast.store.mongo;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.MongoClientSettings;
import com.mongodb.client.model.IndexModel;
import dev.runcast.store.ExecutionFilter;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.Document;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreIndexesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "phase = RUNNING",
                "agent = a",
                "session_id = s",
                "labels.team = x",
                "created_at > 2026-01-01T00:00:00Z"
            })
    void everyFilterHasAnIndexThatBeginsWithItAndEndsInTheListsOrder(String filter) {
        BsonDocument query = FilterDocument.of("t", ExecutionFilter.parse(filter))
                .toBsonDocument(BsonDocument.class, MongoClientSettings.getDefaultCodecRegistry());
        Set<String> fields = query.getArray("$and").stream()
                .flatMap(part -> part.asDocument().keySet().stream())
                .collect(Collectors.toSet());
        assertThat(StoreIndexes.all().get(Names.EXECUTIONS)).anySatisfy(index -> {
            List<String> keys = List.copyOf(keys(index).keySet());
            fields.add("created_at");
            assertThat(Set.copyOf(keys.subList(0, fields.size()))).isEqualTo(fields);
            assertThat(keys).endsWith("created_at", "execution_id");
        });
    }

    private static Document keys(IndexModel index) {
        return (Document) index.getKeys();
    }
}
