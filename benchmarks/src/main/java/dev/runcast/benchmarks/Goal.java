package dev.runcast.benchmarks;

import java.util.Locale;

/**
 * What a figure shall be.
 *
 * @param subject what is held against the bound
 * @param atMost whether the bound is an upper one
 * @param bound in the figure's unit, or as a ratio
 */
record Goal(Subject subject, boolean atMost, double bound) {
    /** What is held against the bound: the median of one of the two. */
    enum Subject {
        OURS,
        RATIO
    }

    static Goal atMost(double bound) {
        return new Goal(Subject.OURS, true, bound);
    }

    static Goal atLeast(double bound) {
        return new Goal(Subject.OURS, false, bound);
    }

    static Goal ratioAtLeast(double bound) {
        return new Goal(Subject.RATIO, false, bound);
    }

    boolean isMetBy(Figure figure) {
        Spread measured = subject == Subject.OURS ? figure.ours() : figure.ratio();
        if (measured == null) {
            throw new IllegalStateException(figure.name() + ": no ratio (expected: one, since there is a goal for it)");
        }
        return atMost ? measured.median() <= bound : measured.median() >= bound;
    }

    String text(Unit unit) {
        String value = subject == Subject.RATIO
                ? String.format(Locale.ROOT, "%s×", bound == Math.rint(bound) ? Long.toString((long) bound) : bound)
                : briefly(unit);
        return (atMost ? "≤ " : "≥ ") + value;
    }

    private String briefly(Unit unit) {
        String text = unit.text(bound);
        // 4.00 ms says no more than 4 ms.
        return text.replaceFirst("\\.0+(?=\\D)", "").replaceFirst("(\\.\\d*?)0+(?=\\D)", "$1");
    }
}
