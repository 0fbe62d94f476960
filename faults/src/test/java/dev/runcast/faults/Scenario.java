package dev.runcast.faults;

import java.util.Random;

/**
 * A fault, and the load under which it is done.
 *
 * @param name names it on the command line and in the output
 * @param fault what is done, for a person
 * @param seconds how long agents report
 */
record Scenario(String name, String fault, int seconds, Nemesis nemesis) {
    /** Does the fault to the cluster, at moments that it draws, and takes it back. Called when the load runs. */
    interface Nemesis {
        void strike(Cluster cluster, Random random);
    }
}
