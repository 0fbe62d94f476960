/**
 * The fault suite: the services as processes of their own under load, a fault done to them, and a checker that judges by
 * what the client was told, the topics and the store. {@link dev.runcast.faults.FaultSuite} is where to begin.
 */
@NullMarked
package dev.runcast.faults;

import org.jspecify.annotations.NullMarked;
