/**
 * A runner of agents: scripted ones and recorded conversations, run through the public contract of activities and
 * {@code StatusReporter} as any other runner would.
 */
@NullMarked
package dev.runcast.worker.agent;

import org.jspecify.annotations.NullMarked;
