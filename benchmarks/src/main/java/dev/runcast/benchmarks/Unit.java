package dev.runcast.benchmarks;

import java.util.Locale;

/** What a figure is counted in. */
enum Unit {
    PER_SECOND("/s"),
    MILLISECONDS(" ms"),
    MICROSECONDS(" µs"),
    SECONDS(" s"),
    MEGABYTES(" MB"),
    TIMES("×");

    private final String suffix;

    Unit(String suffix) {
        this.suffix = suffix;
    }

    /** The value for a person: as many digits as mean something. */
    String text(double value) {
        if (this == PER_SECOND || this == MEGABYTES) {
            return String.format(Locale.ROOT, "%,.0f%s", value, suffix);
        }
        if (this == TIMES) {
            return String.format(Locale.ROOT, value < 100 ? "%.2f%s" : "%,.0f%s", value, suffix);
        }
        return String.format(Locale.ROOT, value < 10 ? "%.2f%s" : value < 100 ? "%.1f%s" : "%,.0f%s", value, suffix);
    }
}
