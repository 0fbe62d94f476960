package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import java.io.Serial;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ConcurrentModificationException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.h2.mvstore.WriteBuffer;
import org.junit.jupiter.api.Test;

class BsonDocumentTypeTest {
    private final BsonDocumentType type = new BsonDocumentType();

    @Test
    void documentIsReadAsItWasWrittenAndTheNextOneToo() {
        Document one = new Document("_id", "t/e")
                .append("version", 7L)
                .append("count", 3)
                .append("at", Instant.ofEpochMilli(1))
                .append("raw", new BinData(new byte[] {1, 2, 3}))
                .append("labels", List.of("a=b", new Document("k", "漢")))
                .append("nothing", null);
        Document other = new Document("_id", "t/f");
        WriteBuffer to = new WriteBuffer();
        type.write(to, one);
        type.write(to, other);
        ByteBuffer from = to.getBuffer().flip();
        assertThat(type.read(from)).isEqualTo(one);
        assertThat(type.read(from)).isEqualTo(other);
        assertThat(from.hasRemaining()).isFalse();
    }

    @Test
    void documentThatIsChangedWhileItIsWrittenIsWrittenOnceItIsWhole() {
        Changing field = new Changing();
        WriteBuffer to = new WriteBuffer();
        type.write(to, new Document("_id", "t/e").append("field", field));
        assertThat(field.looks).isGreaterThan(2);
        assertThat(type.read(to.getBuffer().flip()))
                .isEqualTo(new Document("_id", "t/e").append("field", new Document("k", "v")));
    }

    /** Somebody changes it the first two times that one looks. */
    private static final class Changing extends LinkedHashMap<String, Object> {
        @Serial
        private static final long serialVersionUID = 1L;

        private int looks;

        Changing() {
            super(Map.of("k", "v"));
        }

        @Override
        public Set<String> keySet() {
            failAtFirst();
            return super.keySet();
        }

        @Override
        public Set<Map.Entry<String, Object>> entrySet() {
            failAtFirst();
            return super.entrySet();
        }

        private void failAtFirst() {
            if (++looks <= 2) {
                throw new ConcurrentModificationException();
            }
        }
    }
}
