package dev.runcast.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What the rounds of one measurement gave. */
record Spread(double median, double least, double most) {
    /** @throws IllegalArgumentException when there is no round, or one of them is not a number */
    static Spread of(List<Double> rounds) {
        if (rounds.isEmpty()) {
            throw new IllegalArgumentException("rounds: none (expected: 1 or more)");
        }
        List<Double> sorted = new ArrayList<>(rounds);
        Collections.sort(sorted);
        for (double round : sorted) {
            if (Double.isNaN(round) || Double.isInfinite(round)) {
                throw new IllegalArgumentException("round: " + round + " (expected: a finite number)");
            }
        }
        int middle = sorted.size() / 2;
        double median = sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
        return new Spread(median, sorted.get(0), sorted.get(sorted.size() - 1));
    }

    static Spread of(double only) {
        return new Spread(only, only, only);
    }
}
