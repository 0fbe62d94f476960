/**
 * All of Runcast in one JVM: every service and page, over servers that are embedded unless given. It is what {@code
 * ./runcast up} and {@code ./runcast demo} run.
 */
@NullMarked
package dev.runcast.local;

import org.jspecify.annotations.NullMarked;
