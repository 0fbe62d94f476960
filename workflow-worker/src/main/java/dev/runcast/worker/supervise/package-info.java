/**
 * The workflow: starts attempts, waits for people, and sees to it that the execution ends. It decides from the
 * execution's news and the attempts' results alone, so that it can be replayed.
 */
@NullMarked
package dev.runcast.worker.supervise;

import org.jspecify.annotations.NullMarked;
