/**
 * Proof of the merge: a second, naive implementation to hold it against, and cases as files for others to run.
 * Published as a test jar.
 */
@NullMarked
package dev.runcast.merge;

import org.jspecify.annotations.NullMarked;
