/**
 * The memory and the bell: what the sink writes and the people's door reads, and how news of a change is rung. Each
 * interface has a real implementation and an in-memory twin that passes the same tests.
 */
@NullMarked
package dev.runcast.store;

import org.jspecify.annotations.NullMarked;
