/**
 * The people's door as an application: its settings and how its parts are put together. The parts themselves lie in
 * {@code read}, {@code watch} and {@code door}.
 */
@NullMarked
package dev.runcast.api;

import org.jspecify.annotations.NullMarked;
