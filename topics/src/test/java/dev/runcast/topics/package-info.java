/** Tests of the topics: what is written and read, and what a real broker makes of the table. */
@NullMarked
package dev.runcast.topics;

import org.jspecify.annotations.NullMarked;
