/** Tests of the runners' door: its rules by themselves, and the whole of it against a real broker. */
@NullMarked
package dev.runcast.ingest;

import org.jspecify.annotations.NullMarked;
