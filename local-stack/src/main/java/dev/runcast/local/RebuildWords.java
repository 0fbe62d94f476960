package dev.runcast.local;

import dev.runcast.sink.Finding;
import dev.runcast.sink.Finding.Verdict;
import dev.runcast.sink.RebuildReport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** The result of a rebuild, for a person and for programs. */
final class RebuildWords {
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
        StringBuilder json = new StringBuilder(String.format(
                Locale.ROOT,
                "{\"records\":%d,\"updates\":%d,\"executions\":%d,\"equal\":%d,\"replaced\":%d,\"seconds\":%.3f,"
                        + "\"fold_seconds\":%.3f,\"updates_per_second\":%d,\"all_equal\":%b,\"findings\":[",
                report.records(),
                report.updates(),
                report.executions(),
                report.equal(),
                report.replaced(),
                seconds(report.total()),
                seconds(report.fold()),
                report.updatesPerSecond(),
                report.allEqual()));
        String comma = "";
        for (Finding finding : report.findings()) {
            json.append(comma)
                    .append(String.format(
                            Locale.ROOT,
                            "{\"execution\":\"%s\",\"verdict\":\"%s\",\"log_version\":%d,\"stored_version\":%d,\"difference\":%s}",
                            finding.key(),
                            finding.verdict(),
                            finding.logVersion(),
                            finding.storedVersion(),
                            quoted(finding.difference())));
            comma = ",";
        }
        return json.append("]}").toString();
    }

    private static double seconds(java.time.Duration time) {
        return time.toNanos() / 1e9;
    }

    /** RFC 8259, section 7. */
    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
