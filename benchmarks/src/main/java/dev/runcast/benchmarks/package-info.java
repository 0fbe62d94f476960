/**
 * The figures that the README states, each beside its rival in the same run. One {@link dev.runcast.benchmarks.Row}
 * measures one line of the table; rivals are in a package of their own.
 */
@NullMarked
package dev.runcast.benchmarks;

import org.jspecify.annotations.NullMarked;
