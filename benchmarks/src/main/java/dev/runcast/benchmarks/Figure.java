package dev.runcast.benchmarks;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of the table.
 *
 * @param row the row that measured it, as {@code --only} names it
 * @param name what it is, in at most 38 characters
 * @param rival what it stands beside, measured in the same run; null when there is nothing to stand beside
 * @param ratio ours divided by the rival's, round by round; null when the two are not divided
 * @param goals none means that it is only told
 * @param measured what was measured against what, and with which settings
 */
record Figure(
        String row,
        String name,
        Unit unit,
        Spread ours,
        @Nullable Spread rival,
        @Nullable Spread ratio,
        List<Goal> goals,
        String measured) {
    boolean meetsItsGoals() {
        return goals.stream().allMatch(goal -> goal.isMetBy(this));
    }
}
