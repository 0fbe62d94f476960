/** Tests of the benchmarks: that they measure and say what they did, never how fast. */
@NullMarked
package dev.runcast.benchmarks;

import org.jspecify.annotations.NullMarked;
