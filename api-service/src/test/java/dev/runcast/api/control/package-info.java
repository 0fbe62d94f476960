/**
 * Tests of this package, on the store's and the bell's in-memory twins unless a name ends in IT.
 */
@NullMarked
package dev.runcast.api.control;

import org.jspecify.annotations.NullMarked;
