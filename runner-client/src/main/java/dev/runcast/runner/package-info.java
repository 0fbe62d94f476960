/**
 * What a runner embeds to report its executions: {@link dev.runcast.runner.StatusReporter} and what it hands out. Calls
 * return at once and never throw; one background thread sends, sends again and keeps count.
 */
@NullMarked
package dev.runcast.runner;

import org.jspecify.annotations.NullMarked;
