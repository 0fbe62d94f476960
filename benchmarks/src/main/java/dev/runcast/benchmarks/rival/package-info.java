/**
 * What the figures stand beside: the least that does a part of the work, and the design that Runcast replaces. Each is
 * written as well as its idea allows, since a weak rival proves nothing.
 */
@NullMarked
package dev.runcast.benchmarks.rival;

import org.jspecify.annotations.NullMarked;
