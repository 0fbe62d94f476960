package dev.runcast.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A report as a table of 100 columns, and below it what was measured and on what. */
final class ReportTable {
    private static final String LINE = "%-41s %11s %11s %-19s %s%n";
    private static final int WIDTH = 100;

    private ReportTable() {}

    static String of(Report report) {
        StringBuilder out = new StringBuilder();
        out.append(LINE.formatted("", "runcast", "rival", "ratio (least–most)", "goal"));
        for (Figure figure : report.figures()) {
            out.append(LINE.formatted(
                    figure.name(),
                    figure.unit().text(figure.ours().median()),
                    text(figure.unit(), figure.rival()),
                    ratio(figure),
                    goals(figure)));
        }
        for (Report.Failure failure : report.failures()) {
            out.append("%-41s not measured: %s%n".formatted(failure.row(), failure.reason()));
        }
        out.append('\n');
        String last = "";
        for (Figure figure : report.figures()) {
            if (!figure.measured().equals(last)) {
                wrap(out, figure.row() + ": " + figure.measured());
            }
            last = figure.measured();
        }
        Machine machine = report.machine();
        out.append(String.format(
                Locale.ROOT,
                "%n%s, %d cores, %,d MB; %s; %s%ncommit %s, %s; %s: %d rounds, medians, %.0f s%n",
                machine.processor(),
                machine.cores(),
                machine.memoryMegabytes(),
                machine.jdk(),
                machine.os(),
                machine.commit(),
                machine.date(),
                report.scale().name(),
                report.scale().rounds(),
                report.seconds()));
        return out.toString();
    }

    private static String text(Unit unit, @Nullable Spread spread) {
        return spread == null ? "" : unit.text(spread.median());
    }

    /** Of what stands beside each other; where nothing does, how far the rounds lie apart. */
    private static String ratio(Figure figure) {
        Spread ratio = figure.ratio();
        if (ratio != null) {
            return String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", ratio.median(), ratio.least(), ratio.most());
        }
        Spread ours = figure.ours();
        if (ours.least() == ours.most()) {
            return "";
        }
        return String.format(Locale.ROOT, "(%.2f–%.2f)", ours.least(), ours.most());
    }

    private static String goals(Figure figure) {
        if (figure.goals().isEmpty()) {
            return "";
        }
        List<String> goals = new ArrayList<>();
        figure.goals().forEach(goal -> goals.add(goal.text(figure.unit())));
        return String.join(", ", goals) + (figure.meetsItsGoals() ? " meets" : " misses");
    }

    private static void wrap(StringBuilder out, String text) {
        int column = 0;
        for (String word : text.split(" ")) {
            if (column > 0 && column + 1 + word.length() > WIDTH) {
                out.append("\n  ");
                column = 2;
            } else if (column > 0) {
                out.append(' ');
                column++;
            }
            out.append(word);
            column += word.length();
        }
        out.append('\n');
    }
}
