/**
 * Carries the change feed into MongoDB and onto Redis, and rejected updates into MongoDB. Each of the three has its own
 * consumer group and threads, so that neither store's outage is felt by the other.
 */
@NullMarked
package dev.runcast.sink;

import org.jspecify.annotations.NullMarked;
