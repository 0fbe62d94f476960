/**
 * The Kafka Streams application around the merge: it reads updates, lets merge-core decide, and writes what came of
 * it. Rules live in merge-core; here is wiring, and the watchdog that notices runners that have gone silent.
 */
@NullMarked
package dev.runcast.mergestream;

import org.jspecify.annotations.NullMarked;
