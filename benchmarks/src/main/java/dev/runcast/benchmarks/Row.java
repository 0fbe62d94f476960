package dev.runcast.benchmarks;

import java.util.List;

/** Measures one thing, beside its rival. */
interface Row {
    /** As {@code --only} names it: one word. */
    String name();

    /** What it measures, for {@code --help}. */
    String about();

    /**
     * Measures. Is interrupted when it takes too long.
     *
     * @return at least one figure
     * @throws Exception when it could not measure; then the run goes on with the next row and fails at its end
     */
    List<Figure> measure(Workbench bench) throws Exception;
}
