package dev.runcast.cli;

import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.DecideApprovalResponse;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Entry;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Decides an approval; with one that waits, its id may be left out. */
abstract class DecideCommand extends RequestCommand {
    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "APPROVAL",
            description = "The approval; may be left out when only one waits.")
    private @Nullable String approval;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, as the run will hear it.")
    private String reason = "";

    /** What is decided, without the approval and the reason. */
    abstract ApprovalDecided.Builder decision();

    @Override
    Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId) {
        ApprovalDecided.Builder decided = decision().setComment(reason);
        String name = approval == null ? theOneMeant(server, execution) : approval;
        DecideApprovalResponse response = server.decideApproval(DecideApprovalRequest.newBuilder()
                .setExecutionId(execution)
                .setRequestId(requestId)
                .setDecided(decided.setEntryId(name))
                .build());
        String word = word(response.getDecision());
        return response.getWon()
                ? new Answer(response, "%s of %s is %s.".formatted(name, execution, word), 0)
                : new Answer(
                        response,
                        "%s of %s was already %s by %s, and that holds."
                                .formatted(name, execution, word, Words.harmless(response.getDecidedBy())),
                        Runcast.REFUSED);
    }

    /** The one that waits; when none does, the one decided last, so that the same command again gets the same answer. */
    private static String theOneMeant(ExecutionServiceBlockingStub server, String execution) {
        List<Entry> waiting = new ArrayList<>();
        Entry decided = null;
        String page = "";
        do {
            ListEntriesResponse response = server.listEntries(ListEntriesRequest.newBuilder()
                    .setExecutionId(execution)
                    .setPageSize(1000)
                    .setPageToken(page)
                    .build());
            for (Entry entry : response.getEntriesList()) {
                if (entry.hasApproval() && !Words.finished(entry.getState())) {
                    waiting.add(entry);
                } else if (entry.getApproval().getDecision() != Decision.DECISION_UNSPECIFIED
                        && (decided == null || isLater(entry, decided))) {
                    decided = entry;
                }
            }
            page = response.getNextPageToken();
        } while (!page.isEmpty());
        if (waiting.isEmpty() && decided != null) {
            return decided.getEntryId();
        }
        if (waiting.isEmpty()) {
            throw new CommandFailure(execution + " waits for nobody's approval", Runcast.REFUSED);
        }
        if (waiting.size() > 1) {
            throw new CommandFailure(
                    "%s waits for %d approvals (expected: which one):%n%s"
                            .formatted(
                                    execution,
                                    waiting.size(),
                                    waiting.stream()
                                            .map(entry -> "  %s  %s"
                                                    .formatted(
                                                            entry.getEntryId(),
                                                            Words.shortened(
                                                                    entry.getApproval()
                                                                            .getPrompt(),
                                                                    100)))
                                            .collect(Collectors.joining(System.lineSeparator()))),
                    picocli.CommandLine.ExitCode.USAGE);
        }
        return waiting.get(0).getEntryId();
    }

    private static boolean isLater(Entry entry, Entry other) {
        return Timestamps.compare(
                        entry.getApproval().getDecidedAt(), other.getApproval().getDecidedAt())
                > 0;
    }

    private static String word(Decision decision) {
        return switch (decision) {
            case DECISION_APPROVE -> "approved";
            case DECISION_EDIT -> "approved with changed arguments";
            case DECISION_REJECT -> "rejected";
            case DECISION_SKIP -> "skipped";
            case DECISION_UNSPECIFIED, UNRECOGNIZED -> "decided";
        };
    }

    /** approve. */
    @Command(
            name = "approve",
            description = "Approve what an execution waits for, as it is or with changed arguments.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Approve extends DecideCommand {
        @Option(
                names = "--edit",
                paramLabel = "JSON|@FILE|-",
                description = "Approve with these arguments in place of the asked ones.")
        private @Nullable String edit;

        private static final JsonMapper JSON = JsonMapper.builder()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();

        @Override
        ApprovalDecided.Builder decision() {
            return edit == null
                    ? ApprovalDecided.newBuilder().setDecision(Decision.DECISION_APPROVE)
                    : ApprovalDecided.newBuilder()
                            .setDecision(Decision.DECISION_EDIT)
                            .setArguments(json(TextArgument.read(edit)));
        }

        private static String json(String arguments) {
            try {
                JSON.readTree(arguments);
                return arguments;
            } catch (JacksonException e) {
                throw new CommandFailure(
                        "--edit: %s is not JSON: %s (expected: such as {\"price\": 90})"
                                .formatted(Words.shortened(arguments, 60), e.getOriginalMessage()),
                        picocli.CommandLine.ExitCode.USAGE);
            }
        }
    }

    /** reject. */
    @Command(
            name = "reject",
            description = "Reject what an execution waits for.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Reject extends DecideCommand {
        @Override
        ApprovalDecided.Builder decision() {
            return ApprovalDecided.newBuilder().setDecision(Decision.DECISION_REJECT);
        }
    }

    /** skip. */
    @Command(
            name = "skip",
            description = "Let an execution go on without what it waits for.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Skip extends DecideCommand {
        @Override
        ApprovalDecided.Builder decision() {
            return ApprovalDecided.newBuilder().setDecision(Decision.DECISION_SKIP);
        }
    }
}
