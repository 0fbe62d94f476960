package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.Phase;
import dev.runcast.v1.ResendRequest;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import dev.runcast.v1.Totals;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Everything the oracle knows of an execution, in plain sight. */
final class OracleState {
    private static final BigInteger PRIME = BigInteger.ONE.shiftLeft(61).subtract(BigInteger.ONE);
    private static final BigInteger BASE = new BigInteger("0a3c59f17d2e864b", 16);
    private static final List<String> TEXT_NAMES = List.of("text", "arguments", "result", "input", "output");
    private static final List<String> OUTPUT_ONLY = List.of("decision", "decided_by", "decided_at", "comment");

    /** A text with all its words. */
    static final class Text {
        int generation = 1;
        ByteString bytes = ByteString.EMPTY;
        List<Long> places = new ArrayList<>();

        boolean isPlace(long offset) {
            return offset == 0 || offset == bytes.size() || places.contains(offset);
        }

        void put(long offset, ByteString appended) {
            places.removeIf(place -> place >= offset);
            if (offset > 0 && !appended.isEmpty()) {
                places.add(offset);
            }
            while (places.size() > 8) {
                places.remove(0);
            }
            bytes = bytes.substring(0, (int) offset).concat(appended);
        }

        void restart() {
            generation++;
            bytes = ByteString.EMPTY;
            places.clear();
        }

        Text copy() {
            Text copy = new Text();
            copy.generation = generation;
            copy.bytes = bytes;
            copy.places = new ArrayList<>(places);
            return copy;
        }
    }

    /** An entry with all its texts. */
    static final class Item {
        Entry record;
        final TreeMap<TextField, Text> texts = new TreeMap<>();

        Item(Entry record) {
            this.record = record;
        }

        boolean finished() {
            return OracleState.finished(record.getState());
        }

        @Nullable
        Text text(TextField field) {
            return texts.get(field);
        }

        Text begin(TextField field) {
            Text text = new Text();
            texts.put(field, text);
            return text;
        }

        void restartTexts(List<TextChange> changes) {
            texts.forEach((field, text) -> text.restart());
        }

        /** All that an upsert does but the state. */
        void patch(Entry patch, List<String> clear, boolean begins, List<TextChange> changes) {
            Map<TextField, ByteString> given = new TreeMap<>();
            Entry.Builder next = record.toBuilder();
            if (begins) {
                next.clearEndedAt().clearFailure();
            }
            FieldDescriptor body = patch.getOneofFieldDescriptor(
                    Entry.getDescriptor().getOneofs().get(0));
            if (body != null) {
                Message from = (Message) patch.getField(body);
                from.getAllFields().forEach((field, value) -> {
                    if (TEXT_NAMES.contains(field.getName()) && !patch.hasApproval()) {
                        given.put(textField(field.getName()), ByteString.copyFromUtf8((String) value));
                    }
                });
            }
            for (String path : clear) {
                String name = path.substring(path.indexOf('.') + 1);
                if (path.indexOf('.') < 0) {
                    next.clearField(Entry.getDescriptor().findFieldByName(path));
                } else if (TEXT_NAMES.contains(name)) {
                    Text text = texts.get(textField(name));
                    if (!given.containsKey(textField(name)) && text != null && !text.bytes.isEmpty()) {
                        text.restart();
                        changes.add(change(textField(name), 0, ByteString.EMPTY));
                    }
                } else {
                    FieldDescriptor of = Entry.getDescriptor().findFieldByName(path.substring(0, path.indexOf('.')));
                    Message.Builder cleared = ((Message) next.getField(of)).toBuilder();
                    if (next.hasField(of)) {
                        next.setField(
                                of,
                                cleared.clearField(of.getMessageType().findFieldByName(name))
                                        .build());
                    }
                }
            }
            if (patch.hasParentId()) {
                next.setParentId(patch.getParentId());
                if (patch.getParentId().isEmpty()) {
                    next.clearParentId();
                }
            }
            if (patch.hasStartedAt()) {
                next.setStartedAt(patch.getStartedAt());
            }
            if (patch.hasEndedAt()) {
                next.setEndedAt(patch.getEndedAt());
            }
            if (patch.hasFailure()) {
                next.setFailure(patch.getFailure());
                if (patch.getFailure().equals(Failure.getDefaultInstance())) {
                    next.clearFailure();
                }
            }
            if (body != null) {
                Message.Builder to = ((Message) next.getField(body)).toBuilder();
                Message from = (Message) patch.getField(body);
                from.getAllFields().forEach((field, value) -> {
                    boolean text = TEXT_NAMES.contains(field.getName());
                    if (!text && !OUTPUT_ONLY.contains(field.getName())) {
                        to.setField(field, value);
                    }
                });
                replace(to, from.getUnknownFields());
                next.setField(body, to.build());
            }
            replace(next, patch.getUnknownFields());
            record = next.build();
            if (begins) {
                given.forEach((field, bytes) -> {
                    boolean had = texts.containsKey(field);
                    Text text = had ? texts.get(field) : begin(field);
                    text.put(0, bytes);
                    changes.add(change(field, 0, bytes));
                });
                texts.forEach((field, text) -> {
                    if (!given.containsKey(field)) {
                        changes.add(change(field, 0, ByteString.EMPTY));
                    }
                });
            } else {
                given.forEach((field, bytes) -> replace(field, bytes, changes));
            }
        }

        /** What this build does not know: the later one counts, number by number. */
        private static void replace(Message.Builder in, UnknownFieldSet by) {
            Map<Integer, UnknownFieldSet.Field> fields =
                    new TreeMap<>(in.getUnknownFields().asMap());
            fields.putAll(by.asMap());
            UnknownFieldSet.Builder all = UnknownFieldSet.newBuilder();
            fields.forEach(all::addField);
            in.setUnknownFields(all.build());
        }

        void replace(TextField field, ByteString bytes, List<TextChange> changes) {
            Text text = texts.get(field);
            if (text == null) {
                text = begin(field);
            } else if (text.bytes.equals(bytes)) {
                return;
            } else {
                text.restart();
            }
            text.put(0, bytes);
            changes.add(change(field, 0, bytes));
        }

        TextChange change(TextField field, long offset, ByteString bytes) {
            Text text = texts.get(field);
            return TextChange.newBuilder()
                    .setEntryId(record.getEntryId())
                    .setField(field)
                    .setGeneration(text == null ? 0 : text.generation)
                    .setOffset(offset)
                    .setTextBytes(bytes)
                    .build();
        }

        void touch(long version, long epoch, Timestamp time) {
            Entry.Builder next = record.toBuilder().setVersion(version).setUpdatedAt(time);
            if (epoch > 0) {
                next.setEpoch(epoch);
            }
            record = next.build();
            record = stored();
        }

        /** With how its texts are. */
        Entry stored() {
            Entry.Builder stored = record.toBuilder().clearTexts();
            texts.forEach((field, text) -> stored.addTexts(TextState.newBuilder()
                    .setField(field)
                    .setGeneration(text.generation)
                    .setLengthBytes(text.bytes.size())
                    .setHash(hash(text.bytes))));
            return stored.build();
        }

        /** As a person sees it. */
        Entry full() {
            Entry.Builder full = record.toBuilder();
            FieldDescriptor body = record.getOneofFieldDescriptor(
                    Entry.getDescriptor().getOneofs().get(0));
            texts.forEach((field, text) -> {
                String name = field.name().substring("TEXT_FIELD_".length()).toLowerCase(java.util.Locale.ROOT);
                Message.Builder to = ((Message) full.getField(body)).toBuilder();
                full.setField(
                        body,
                        to.setField(body.getMessageType().findFieldByName(name), text.bytes.toStringUtf8())
                                .build());
            });
            return full.build();
        }

        Item copy() {
            Item copy = new Item(record);
            texts.forEach((field, text) -> copy.texts.put(field, text.copy()));
            return copy;
        }
    }

    /** A runner's stream. */
    static final class Stream {
        final String name;
        final long epoch;
        long last;
        boolean missing;

        Stream(String name, long epoch) {
            this.name = name;
            this.epoch = epoch;
        }
    }

    /** All streams that are remembered. */
    static final class Streams {
        private static final Comparator<Stream> OLDEST =
                Comparator.<Stream>comparingLong(stream -> stream.epoch).thenComparing(stream -> stream.name);

        final List<Stream> all = new ArrayList<>();
        long givenUp;
        /** Runners have been told that nothing more is taken. */
        boolean closed;

        boolean isEmpty() {
            return all.isEmpty();
        }

        /** Null when 32 others of its attempt are known. */
        @Nullable
        Stream of(String name, long epoch) {
            Stream known = find(name, epoch);
            if (known != null || isFull(epoch)) {
                return known;
            }
            Stream stream = new Stream(name, epoch);
            all.add(stream);
            return stream;
        }

        /** As rules 1 do for one that is not known: the oldest one that waits is forgotten. */
        void makeRoom(String name, long epoch, long adopted) {
            List<Stream> waiting = waiting(adopted);
            if (epoch > adopted && find(name, epoch) == null && !isFull(epoch) && waiting.size() >= 32) {
                all.remove(waiting.get(0));
            }
        }

        /** As rules 2 do: of more than 32 the oldest attempt is fenced. */
        void giveUp(long adopted) {
            List<Stream> waiting = waiting(adopted);
            if (waiting.size() > 32) {
                givenUp = waiting.get(0).epoch;
                all.removeIf(stream -> stream.epoch == givenUp);
            }
        }

        private List<Stream> waiting(long adopted) {
            return all.stream()
                    .filter(stream -> stream.epoch > adopted)
                    .sorted(OLDEST)
                    .toList();
        }

        private boolean isFull(long epoch) {
            return all.stream().filter(stream -> stream.epoch == epoch).count() >= 32;
        }

        private @Nullable Stream find(String name, long epoch) {
            return all.stream()
                    .filter(stream -> stream.name.equals(name) && stream.epoch == epoch)
                    .findFirst()
                    .orElse(null);
        }
    }

    long version;
    int rules;
    Phase said = Phase.PHASE_PENDING;

    @Nullable
    Phase end;

    boolean paused;
    boolean cancelRequested;
    boolean stalled;
    String reason = "";
    long epoch;
    long minimumEpoch;
    int attempts;
    long omitted;

    @Nullable
    Timestamp createdAt;

    @Nullable
    Timestamp startedAt;

    @Nullable
    Timestamp endedAt;

    @Nullable
    Timestamp updatedAt;

    @Nullable
    Timestamp lastControl;

    ExecutionSpec spec = ExecutionSpec.getDefaultInstance();
    ExecutionAttributes attributes = ExecutionAttributes.getDefaultInstance();
    Failure failure = Failure.getDefaultInstance();
    LateOutcome late = LateOutcome.getDefaultInstance();
    Attempt attempt = Attempt.getDefaultInstance();
    List<Item> items = new ArrayList<>();
    Map<String, List<String>> plans = new HashMap<>();
    List<String> requests = new ArrayList<>();
    /** Shared by all copies: a place in a sequence is not given back by a refusal. */
    Streams streams = new Streams();

    Phase phase() {
        if (end != null) {
            return end;
        }
        if (paused) {
            return Phase.PHASE_PAUSED;
        }
        boolean waits = items.stream().anyMatch(item -> item.record.hasApproval() && !item.finished());
        return waits ? Phase.PHASE_WAITING_FOR_APPROVAL : said;
    }

    long open() {
        return items.stream().filter(item -> !item.finished()).count();
    }

    @Nullable
    Item find(String id) {
        return items.stream()
                .filter(item -> item.record.getEntryId().equals(id))
                .findFirst()
                .orElse(null);
    }

    Item appear(String id, Timestamp time) {
        Item item = new Item(Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_PENDING)
                .setOrdinal(items.size() + 1)
                .setCreatedAt(time)
                .build());
        items.add(item);
        return item;
    }

    void forgetFenced() {
        streams.all.removeIf(stream -> stream.epoch < epoch || stream.epoch < minimumEpoch);
        if (streams.givenUp < Math.max(epoch, minimumEpoch)) {
            streams.givenUp = 0;
        }
    }

    OracleState copy() {
        OracleState copy = new OracleState();
        copy.version = version;
        copy.rules = rules;
        copy.said = said;
        copy.end = end;
        copy.paused = paused;
        copy.cancelRequested = cancelRequested;
        copy.stalled = stalled;
        copy.reason = reason;
        copy.epoch = epoch;
        copy.minimumEpoch = minimumEpoch;
        copy.attempts = attempts;
        copy.omitted = omitted;
        copy.createdAt = createdAt;
        copy.startedAt = startedAt;
        copy.endedAt = endedAt;
        copy.updatedAt = updatedAt;
        copy.lastControl = lastControl;
        copy.spec = spec;
        copy.attributes = attributes;
        copy.failure = failure;
        copy.late = late;
        copy.attempt = attempt;
        items.forEach(item -> copy.items.add(item.copy()));
        copy.plans = new HashMap<>(plans);
        copy.requests = new ArrayList<>(requests);
        copy.streams = streams;
        return copy;
    }

    /** The execution, all fields complete. */
    Execution execution(String tenant, String id) {
        Execution.Builder execution = Execution.newBuilder()
                .setTenant(tenant)
                .setExecutionId(id)
                .setVersion(version)
                .setPhase(phase())
                .setReason(reason)
                .setEpoch(epoch)
                .setMinimumEpoch(minimumEpoch)
                .setAttempts(attempts)
                .setCancelRequested(cancelRequested)
                .setStalled(stalled)
                .setRules(rules)
                .setTotals(totals());
        set(createdAt, execution::setCreatedAt);
        set(startedAt, execution::setStartedAt);
        set(endedAt, execution::setEndedAt);
        set(updatedAt, execution::setUpdatedAt);
        set(spec, execution::setSpec);
        set(attributes, execution::setAttributes);
        set(failure, execution::setFailure);
        set(late, execution::setLateOutcome);
        set(attempt, execution::setAttempt);
        return execution.build();
    }

    /** The execution as a change carries it; null when a person sees no difference. */
    @Nullable
    Execution shown(String tenant, String id, OracleState before, boolean repeatsSpec) {
        Execution now = execution(tenant, id);
        if (!repeatsSpec && version > 1 && bare(now).equals(bare(before.execution(tenant, id)))) {
            return null;
        }
        Execution.Builder shown = now.toBuilder()
                .clearSpec()
                .clearAttributes()
                .clearFailure()
                .clearLateOutcome()
                .clearAttempt();
        if (repeatsSpec || !spec.equals(before.spec)) {
            shown.setSpec(spec);
        }
        if (!attributes.equals(before.attributes)) {
            shown.setAttributes(attributes);
        }
        if (!failure.equals(before.failure)) {
            shown.setFailure(failure);
        }
        if (!late.equals(before.late)) {
            shown.setLateOutcome(late);
        }
        if (!attempt.equals(before.attempt)) {
            shown.setAttempt(attempt);
        }
        return shown.build();
    }

    /** What runners are told, without the version and time of the level. */
    ExecutionSignals level(String tenant, String id) {
        ExecutionSignals.Builder level = ExecutionSignals.newBuilder()
                .setTenant(tenant)
                .setExecutionId(id)
                .setEpoch(epoch)
                .setMinimumEpoch(minimumEpoch)
                .setPhase(phase())
                .setCancelRequested(cancelRequested)
                .setPaused(paused);
        if (streams.closed) {
            return level.build();
        }
        level.setGivenUpEpoch(streams.givenUp);
        streams.all.stream()
                .filter(stream -> stream.missing)
                .sorted((a, b) -> a.epoch == b.epoch ? a.name.compareTo(b.name) : Long.compare(a.epoch, b.epoch))
                .forEach(stream -> level.addResends(ResendRequest.newBuilder()
                        .setWriter(Writer.newBuilder()
                                .setKind(WriterKind.WRITER_KIND_RUNNER)
                                .setName(stream.name))
                        .setEpoch(stream.epoch)
                        .setExpectedSequence(stream.last + 1)));
        return level.build();
    }

    private Totals totals() {
        Totals.Builder totals = Totals.newBuilder()
                .setEntries(items.size())
                .setOpenEntries(open())
                .setOmittedUpdates(omitted);
        for (Item item : items) {
            totals.setMessages(totals.getMessages() + (item.record.hasMessage() ? 1 : 0));
            totals.setToolCalls(totals.getToolCalls() + (item.record.hasToolCall() ? 1 : 0));
            totals.setPendingApprovals(
                    totals.getPendingApprovals() + (item.record.hasApproval() && !item.finished() ? 1 : 0));
            totals.setInputTokens(
                    totals.getInputTokens() + item.record.getUsage().getInputTokens());
            totals.setOutputTokens(
                    totals.getOutputTokens() + item.record.getUsage().getOutputTokens());
            totals.setCostMicros(totals.getCostMicros() + item.record.getUsage().getCostMicros());
            for (Text text : item.texts.values()) {
                totals.setTextBytes(totals.getTextBytes() + text.bytes.size());
            }
        }
        return totals.build();
    }

    static boolean finished(EntryState state) {
        return state.getNumber() >= EntryState.ENTRY_STATE_COMPLETED_VALUE;
    }

    /** Which paths may be cleared, written out. */
    static void checkClear(List<String> paths, int kind, Function<String, RuntimeException> refused) {
        Map<String, Integer> kinds = Map.of(
                "message", 7, "tool_call", 8, "sub_agent", 9, "todo", 10, "artifact", 11, "approval", 12, "usage", 13);
        List<String> known = List.of(
                ("message.role message.text message.text_reference message.name tool_call.name tool_call.arguments"
                                + " tool_call.result tool_call.arguments_reference tool_call.result_reference"
                                + " sub_agent.name sub_agent.input sub_agent.output sub_agent.output_reference"
                                + " todo.content todo.position artifact.name artifact.media_type artifact.text"
                                + " artifact.reference approval.tool_call_id approval.prompt approval.response_schema"
                                + " approval.expires_at usage.model usage.input_tokens usage.output_tokens"
                                + " usage.cached_input_tokens usage.cost_micros parent_id started_at ended_at failure")
                        .split(" "));
        for (String path : paths) {
            if (!known.contains(path)) {
                throw refused.apply("INVALID");
            }
            String first = path.split("\\.")[0];
            if (path.contains(".") && kinds.getOrDefault(first, 0) != kind) {
                throw refused.apply("ENTRY_KIND");
            }
        }
    }

    private static TextField textField(String name) {
        return TextField.valueOf("TEXT_FIELD_" + name.toUpperCase(java.util.Locale.ROOT));
    }

    private static long hash(ByteString bytes) {
        BigInteger hash = BigInteger.ZERO;
        for (byte b : bytes) {
            hash = hash.multiply(BASE).add(BigInteger.valueOf((b & 0xff) + 1)).mod(PRIME);
        }
        return hash.longValueExact();
    }

    private static Execution bare(Execution execution) {
        Execution.Builder bare = execution.toBuilder().clearVersion().clearUpdatedAt();
        bare.getTotalsBuilder().clearTextBytes();
        return bare.build();
    }

    private static <M extends Message> void set(@Nullable M value, java.util.function.Consumer<M> setter) {
        if (value != null && !value.equals(value.getDefaultInstanceForType())) {
            setter.accept(value);
        }
    }
}
