package dev.runcast.embedded;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.ConcurrentModificationException;
import java.util.Map;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** Documents as they came over the wire. */
final class BsonDocumentType extends BasicDataType<Document> {
    private static final int ENTRY = 64;

    /** About how many bytes of heap it takes, which bounds the cache. */
    @Override
    public int getMemory(Document document) {
        try {
            return memory(document);
        } catch (ConcurrentModificationException changing) {
            return ENTRY * (1 + document.size());
        }
    }

    private static int memory(Object value) {
        if (value instanceof String text) {
            return ENTRY + text.length();
        }
        if (value instanceof BinData bytes) {
            return ENTRY + bytes.getData().length;
        }
        if (value instanceof Map<?, ?> fields) {
            int sum = ENTRY;
            for (Map.Entry<?, ?> field : fields.entrySet()) {
                sum += memory(field.getKey()) + memory(field.getValue());
            }
            return sum;
        }
        if (value instanceof Collection<?> items) {
            int sum = ENTRY;
            for (Object item : items) {
                sum += memory(item);
            }
            return sum;
        }
        return ENTRY;
    }

    /**
     * The server changes stored documents in place while the file's own thread writes them. What is torn by that is put
     * again right after, so any copy will do; it only must not end the store.
     */
    @Override
    public void write(WriteBuffer to, Document document) {
        to.put(encoded(document).nioBuffer());
    }

    private static ByteBuf encoded(Document document) {
        while (true) {
            ByteBuf bytes = Unpooled.buffer(1024);
            try {
                BsonEncoder.encodeDocument(document, bytes);
                return bytes;
            } catch (ConcurrentModificationException changing) {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public Document read(ByteBuffer from) {
        ByteBuf bytes = Unpooled.wrappedBuffer(from);
        Document document = BsonDecoder.decodeBson(bytes);
        from.position(from.position() + bytes.readerIndex());
        return document;
    }

    @Override
    public Document[] createStorage(int size) {
        return new Document[size];
    }
}
