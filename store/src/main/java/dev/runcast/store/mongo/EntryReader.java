package dev.runcast.store.mongo;

import static com.mongodb.client.model.Filters.in;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.mongodb.client.model.Projections;
import com.mongodb.reactivestreams.client.MongoCollection;
import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.StoredEntry;
import dev.runcast.store.TextPieces;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.bson.Document;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Reads entries in windows: the records by their ordinals, then the texts of as many of them as make about 1 MiB, then
 * those long pieces that the texts still need. All by {@code _id}.
 */
final class EntryReader {
    private static final int WINDOW = 64;
    private static final long TEXT_BYTES = 1024 * 1024;

    private final MongoCollection<Document> entries;
    private final MongoCollection<Document> texts;

    EntryReader(MongoDatabase database) {
        entries = database.getCollection(Names.ENTRIES);
        texts = database.getCollection(Names.TEXTS);
    }

    Flux<StoredEntry> read(Execution execution, long afterOrdinal) {
        ExecutionKey key = new ExecutionKey(execution.getTenant(), execution.getExecutionId());
        long last = execution.getTotals().getEntries();
        return Flux.<Long, Long>generate(() -> afterOrdinal + 1, (next, sink) -> {
                    if (next > last) {
                        sink.complete();
                    } else {
                        sink.next(next);
                    }
                    return next + WINDOW;
                })
                .concatMap(first -> window(key, first, Math.min(last, first + WINDOW - 1)), 1)
                .concatMap(group -> texts(key, group, execution.getVersion()), 1);
    }

    private Flux<List<Found>> window(ExecutionKey key, long first, long last) {
        List<String> ids = LongStream.rangeClosed(first, last)
                .mapToObj(ordinal -> Names.entry(key, ordinal))
                .toList();
        return Flux.from(entries.find(in("_id", ids)).projection(Projections.include("raw", "pieces")))
                .map(Found::of)
                .collectSortedList(Comparator.comparingLong(found -> found.entry.getOrdinal()))
                .flatMapIterable(EntryReader::bySize);
    }

    private static List<List<Found>> bySize(List<Found> window) {
        List<List<Found>> groups = new ArrayList<>();
        long bytes = TEXT_BYTES;
        for (Found found : window) {
            long length = 1;
            for (TextState text : found.entry.getTextsList()) {
                length += text.getLengthBytes();
            }
            bytes += length;
            if (bytes > TEXT_BYTES) {
                groups.add(new ArrayList<>());
                bytes = length;
            }
            groups.get(groups.size() - 1).add(found);
        }
        return groups;
    }

    private Flux<StoredEntry> texts(ExecutionKey key, List<Found> group, long version) {
        Map<String, Found> owners = new HashMap<>();
        for (Found found : group) {
            for (String pieces : found.pieces) {
                owners.put(Names.texts(key, found.entry.getEntryId(), pieces), found);
            }
        }
        if (owners.isEmpty()) {
            return Flux.fromIterable(group).map(found -> new StoredEntry(found.entry, List.of()));
        }
        return Flux.from(texts.find(in("_id", owners.keySet())))
                .collectList()
                .flatMap(documents -> withLongPieces(documents, version))
                .flatMapIterable(pieces -> {
                    Map<String, Texts> byEntry = new HashMap<>();
                    pieces.forEach((id, all) -> byEntry.computeIfAbsent(entryId(owners, id), entry -> new Texts())
                            .add(id, all));
                    List<StoredEntry> read = new ArrayList<>(group.size());
                    for (Found found : group) {
                        Texts own = byEntry.get(found.entry.getEntryId());
                        read.add(new StoredEntry(
                                found.entry, own == null ? List.of() : own.pieces(found.entry.getEntryId())));
                    }
                    return read;
                });
    }

    private static String entryId(Map<String, Found> owners, String id) {
        Found owner = owners.get(id);
        if (owner == null) {
            throw new IllegalStateException("text %s: not asked for".formatted(id));
        }
        return owner.entry.getEntryId();
    }

    /** The pieces of each document up to the version, the long ones fetched from documents of their own. */
    private Mono<Map<String, List<Piece>>> withLongPieces(List<Document> documents, long version) {
        Map<String, List<Piece>> pieces = new TreeMap<>();
        Map<String, Piece> wanted = new HashMap<>();
        for (Document document : documents) {
            String id = document.getString("_id");
            List<Piece> all = pieces.computeIfAbsent(id, first -> new ArrayList<>());
            document.get("pieces", Document.class).forEach((name, said) -> {
                Piece piece = piece(name, (Document) said);
                if (piece.version() <= version) {
                    if (((Document) said).containsKey("text")) {
                        all.add(piece);
                    } else {
                        wanted.put(id + '/' + name, piece);
                    }
                }
            });
        }
        if (wanted.isEmpty()) {
            return Mono.just(pieces);
        }
        return Flux.from(texts.find(in("_id", wanted.keySet())))
                .doOnNext(document -> {
                    String id = document.getString("_id");
                    Piece piece = wanted.remove(id);
                    if (piece != null) {
                        pieces.getOrDefault(id.substring(0, id.lastIndexOf('/')), new ArrayList<>())
                                .add(piece.with(ByteString.copyFromUtf8(document.getString("text"))));
                    }
                })
                .then(Mono.fromSupplier(() -> {
                    if (!wanted.isEmpty()) {
                        throw new IllegalStateException(
                                "texts: %s missing (expected: all that are listed)".formatted(wanted.keySet()));
                    }
                    return pieces;
                }));
    }

    private static Piece piece(String name, Document said) {
        return Piece.named(
                name,
                said.get("offset", Number.class).longValue(),
                said.containsKey("text") ? ByteString.copyFromUtf8(said.getString("text")) : ByteString.EMPTY);
    }

    /** A record, and where the pieces of its texts lie. */
    private record Found(Entry entry, List<String> pieces) {
        static Found of(Document document) {
            try {
                Document pieces = document.get("pieces", Document.class);
                return new Found(
                        Entry.parseFrom(HeaderDocument.bytes(document, "raw")),
                        pieces == null ? List.of() : List.copyOf(pieces.keySet()));
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("entry %s: damaged".formatted(document.get("_id")), e);
            }
        }
    }

    /** The texts of one entry: of each field the newest generation that has a piece. */
    private static final class Texts {
        private final Map<Integer, Map<Integer, List<Piece>>> byField = new TreeMap<>();

        /** @param id tenant/execution/entry/field/generation/bucket */
        void add(String id, List<Piece> pieces) {
            if (!pieces.isEmpty()) {
                String[] parts = id.split("/", -1);
                byField.computeIfAbsent(Names.textField(parts[3]), field -> new TreeMap<>())
                        .computeIfAbsent(Integer.parseInt(parts[4]), generation -> new ArrayList<>())
                        .addAll(pieces);
            }
        }

        List<TextChange> pieces(String entryId) {
            List<TextChange> cut = new ArrayList<>();
            byField.forEach((field, generations) -> {
                int newest = ((TreeMap<Integer, List<Piece>>) generations).lastKey();
                List<Piece> said = generations.getOrDefault(newest, List.of());
                ByteString text = Piece.text(said, "text %s of entry %s".formatted(Names.textField(field), entryId));
                TextChange shape = TextChange.newBuilder()
                        .setEntryId(entryId)
                        .setFieldValue(field)
                        .setGeneration(newest)
                        .build();
                cut.addAll(TextPieces.cut(shape, text.toByteArray()));
            });
            return cut;
        }
    }
}
