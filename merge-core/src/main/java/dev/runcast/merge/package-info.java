/**
 * The merge and the view that its changes build: what an update does to an execution, as pure functions.
 * Nothing here reads a clock, draws a random number, does I/O or logs; time is what the door stamped.
 */
@NullMarked
package dev.runcast.merge;

import org.jspecify.annotations.NullMarked;
