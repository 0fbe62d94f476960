package dev.runcast.benchmarks;

import java.util.List;

/** What one run of the benchmarks found. */
record Report(Machine machine, Scale scale, double seconds, List<Figure> figures, List<Failure> failures) {
    /**
     * A row that could not be measured.
     *
     * @param reason in words for a person
     */
    record Failure(String row, String reason) {}

    boolean complete() {
        return failures.isEmpty();
    }

    boolean meetsAllGoals() {
        return figures.stream().allMatch(Figure::meetsItsGoals);
    }
}
