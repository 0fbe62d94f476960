/**
 * Proves the wiring with Kafka's own test driver and with a real broker. The rules of the merge are proved in merge-core;
 * here its golden cases run once more through the topology.
 */
@NullMarked
package dev.runcast.mergestream;

import org.jspecify.annotations.NullMarked;
