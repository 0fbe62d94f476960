/**
 * The bell on Redis: one connection to ring, one for everybody who listens. What is lost with a connection is never
 * sent again, so each new one is told to the listeners as a gap.
 */
@NullMarked
package dev.runcast.store.redis;

import org.jspecify.annotations.NullMarked;
