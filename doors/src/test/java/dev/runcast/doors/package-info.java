/**
 * Tests of the doors. Calls go through real stubs and servers in this process; nothing is mocked.
 */
@NullMarked
package dev.runcast.doors;

import org.jspecify.annotations.NullMarked;
