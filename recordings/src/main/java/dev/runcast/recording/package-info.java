/**
 * Recorded conversations in OpenAI chat form, and the steps that a runner would report of them. The command line plays
 * them, the reference runner runs them.
 */
@NullMarked
package dev.runcast.recording;

import org.jspecify.annotations.NullMarked;
