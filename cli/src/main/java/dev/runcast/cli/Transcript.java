package dev.runcast.cli;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Role;
import dev.runcast.v1.Usage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Entries as lines: each under the one it belongs to, in order of first appearance. */
final class Transcript {
    private static final int PREVIEW_COLUMNS = 160;

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, List<Entry>> children = new HashMap<>();

    Transcript(List<Entry> inOrdinalOrder) {
        inOrdinalOrder.forEach(entry -> entries.put(entry.getEntryId(), entry));
        for (Entry entry : inOrdinalOrder) {
            children.computeIfAbsent(parent(entry), unused -> new ArrayList<>()).add(entry);
        }
    }

    // A parent that has not appeared, or a ring of parents, must not hide an entry.
    private String parent(Entry entry) {
        String parent = entry.getParentId();
        int steps = 0;
        for (String above = parent; !above.isEmpty(); steps++) {
            Entry next = entries.get(above);
            if (next == null || steps > entries.size()) {
                return "";
            }
            above = next.getParentId();
        }
        return parent;
    }

    /** Depth first. */
    List<Entry> inOrder() {
        List<Entry> ordered = new ArrayList<>(entries.size());
        walk("", ordered);
        return ordered;
    }

    private void walk(String parent, List<Entry> ordered) {
        for (Entry entry : children.getOrDefault(parent, List.of())) {
            ordered.add(entry);
            walk(entry.getEntryId(), ordered);
        }
    }

    /** How far an entry is indented: one step for each entry it lies under. */
    String indentation(Entry entry) {
        StringBuilder indentation = new StringBuilder();
        for (String above = parent(entry); !above.isEmpty(); above = above(above)) {
            indentation.append("  ");
        }
        return indentation.toString();
    }

    private String above(String entryId) {
        Entry entry = entries.get(entryId);
        return entry == null ? "" : entry.getParentId();
    }

    /** The entry as it reads now, harmless to a terminal; at least one line unless it has nothing to show. */
    List<String> lines(Entry entry, Timestamp now) {
        String indentation = indentation(entry);
        List<String> lines = new ArrayList<>();
        for (String line : body(entry, now)) {
            lines.add(indentation + Words.harmless(line));
        }
        if (entry.hasFailure() && !entry.getFailure().getCode().isEmpty()) {
            lines.add(indentation + "    " + Words.failure(entry.getFailure()));
        }
        return lines;
    }

    private static List<String> body(Entry entry, Timestamp now) {
        return switch (entry.getBodyCase()) {
            case MESSAGE -> message(entry);
            case TOOL_CALL -> toolCall(entry, now);
            case SUB_AGENT -> subAgent(entry, now);
            case TODO -> todo(entry);
            case ARTIFACT ->
                List.of("+ " + entry.getArtifact().getName() + " "
                        + entry.getArtifact().getMediaType());
            case APPROVAL -> approval(entry);
            case USAGE -> usage(entry.getUsage());
            case BODY_NOT_SET -> List.of();
        };
    }

    /** Who speaks, as a line begins. */
    static String speaker(Role role) {
        return switch (role) {
            case ROLE_HUMAN -> "human";
            case ROLE_AI -> "ai";
            case ROLE_TOOL -> "tool";
            case ROLE_SYSTEM -> "system";
            case ROLE_THINKING -> "thinking";
            default -> "message";
        };
    }

    private static List<String> message(Entry entry) {
        List<String> lines = new ArrayList<>();
        String lead = speaker(entry.getMessage().getRole()) + ": ";
        for (String line : entry.getMessage().getText().split("\n", -1)) {
            lines.add(lead + line);
            lead = "    ";
        }
        return lines;
    }

    private static List<String> toolCall(Entry entry, Timestamp now) {
        List<String> lines = new ArrayList<>();
        lines.add(head(entry, now)
                + entry.getToolCall().getName()
                + " "
                + Words.shortened(entry.getToolCall().getArguments(), PREVIEW_COLUMNS));
        addPreview(lines, entry.getToolCall().getResult());
        return lines;
    }

    private static List<String> subAgent(Entry entry, Timestamp now) {
        List<String> lines = new ArrayList<>();
        lines.add(head(entry, now)
                + "sub-agent "
                + entry.getSubAgent().getName()
                + ": "
                + Words.shortened(entry.getSubAgent().getInput(), PREVIEW_COLUMNS));
        addPreview(lines, entry.getSubAgent().getOutput());
        return lines;
    }

    private static String head(Entry entry, Timestamp now) {
        String duration = Words.duration(entry, now);
        return Words.mark(entry.getState()) + " " + (duration.isEmpty() ? "" : "(" + duration + ") ");
    }

    private static void addPreview(List<String> lines, String text) {
        if (!text.isEmpty()) {
            String size = text.length() > PREVIEW_COLUMNS ? " (" + text.length() + " characters)" : "";
            lines.add("    = " + Words.shortened(text, PREVIEW_COLUMNS) + size);
        }
    }

    private static List<String> todo(Entry entry) {
        return entry.getTodo().getPosition() == 0
                ? List.of()
                : List.of("["
                        + Words.mark(entry.getState())
                        + "] "
                        + entry.getTodo().getContent());
    }

    private static List<String> approval(Entry entry) {
        Approval approval = entry.getApproval();
        String line = Words.mark(entry.getState()) + " approval: " + approval.getPrompt();
        return approval.getDecidedBy().isEmpty()
                ? List.of(line)
                : List.of(
                        line,
                        "    = "
                                + approval.getDecision().name().substring("DECISION_".length())
                                + " by "
                                + approval.getDecidedBy());
    }

    private static List<String> usage(Usage usage) {
        return List.of("# "
                + usage.getModel()
                + ": "
                + usage.getInputTokens()
                + " tokens in, "
                + usage.getOutputTokens()
                + " out");
    }
}
