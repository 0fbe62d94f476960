package dev.runcast.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Two that take turns, so that what the machine does meanwhile meets both: one round of each that is thrown away, then
 * rival, ours, rival, ours. What is compared is the ratio within a round.
 */
final class Duel {
    private final List<Double> ours = new ArrayList<>();
    private final List<Double> rivals = new ArrayList<>();
    private final List<Double> ratios = new ArrayList<>();

    /** One measurement. */
    interface Side {
        double measure() throws Exception;
    }

    /** Fights it out. */
    static Duel fight(Workbench bench, String what, Unit unit, Side rival, Side our) throws Exception {
        return fight(bench, what, unit, rival, our, our);
    }

    /** The same, with another side for the round that is thrown away. */
    static Duel fight(Workbench bench, String what, Unit unit, Side rival, Side our, @Nullable Side warmUp)
            throws Exception {
        if (warmUp != null) {
            rival.measure();
            warmUp.measure();
            bench.say("%s: warmed up", what);
        }
        Duel duel = new Duel();
        for (int round = 1; round <= bench.scale().rounds(); round++) {
            double theirs = rival.measure();
            duel.add(our.measure(), theirs);
            bench.say(
                    "%s: round %d of %d: %s, rival %s",
                    what, round, bench.scale().rounds(), unit.text(duel.last(duel.ours)), unit.text(theirs));
        }
        return duel;
    }

    void add(double our, double rival) {
        ours.add(our);
        rivals.add(rival);
        ratios.add(our / rival);
    }

    Spread ours() {
        return Spread.of(ours);
    }

    Spread rival() {
        return Spread.of(rivals);
    }

    Spread ratio() {
        return Spread.of(ratios);
    }

    private double last(List<Double> values) {
        return values.get(values.size() - 1);
    }
}
