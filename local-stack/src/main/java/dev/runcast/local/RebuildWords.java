package dev.runcast.local;

import dev.runcast.sink.Finding;
import dev.runcast.sink.Finding.Verdict;
import dev.runcast.sink.RebuildReport;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The result of a rebuild, for a person and for programs. */
final class RebuildWords {
    private static final JsonMapper JSON = new JsonMapper();

    private RebuildWords() {}

    /** @param most how many findings are printed one by one */
    static void print(RebuildReport report, boolean verified, int most, PrintWriter out) {
        List<Finding> findings = report.findings();
        findings.stream().limit(most).forEach(out::println);
        if (findings.size() > most) {
            out.println("and " + (findings.size() - most) + " more");
        }
        out.printf(
                Locale.ROOT,
                "%,d records, %,d updates, %,d executions: %,d equal, %,d different, %,d missing, %,d behind, %,d not in the log%n",
                report.records(),
                report.updates(),
                report.executions(),
                report.equal(),
                report.count(Verdict.DIFFERENT),
                report.count(Verdict.MISSING),
                report.count(Verdict.BEHIND),
                report.count(Verdict.NOT_IN_LOG));
        out.printf(
                Locale.ROOT,
                "%.1f s, of which %.1f s merging the log again: %,d updates/s%n",
                seconds(report.total()),
                seconds(report.fold()),
                report.updatesPerSecond());
        if (!verified) {
            out.printf(Locale.ROOT, "replaced %,d%n", report.replaced());
        } else if (report.allEqual()) {
            out.println("all equal");
        }
    }

    /** One line; numbers as numbers. */
    static String json(RebuildReport report) {
        ObjectNode json = JSON.createObjectNode()
                .put("records", report.records())
                .put("updates", report.updates())
                .put("executions", report.executions())
                .put("equal", report.equal())
                .put("replaced", report.replaced())
                .put("seconds", seconds(report.total()))
                .put("fold_seconds", seconds(report.fold()))
                .put("updates_per_second", report.updatesPerSecond())
                .put("all_equal", report.allEqual());
        ArrayNode findings = json.putArray("findings");
        for (Finding finding : report.findings()) {
            findings.addObject()
                    .put("execution", finding.key().toString())
                    .put("verdict", finding.verdict().name())
                    .put("log_version", finding.logVersion())
                    .put("stored_version", finding.storedVersion())
                    .put("difference", finding.difference());
        }
        return json.toString();
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }
}
