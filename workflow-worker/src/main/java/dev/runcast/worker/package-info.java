/**
 * The service that supervises executions with Temporal: what it is made of, its settings, its connection. What it does
 * is in the packages below.
 */
@NullMarked
package dev.runcast.worker;

import org.jspecify.annotations.NullMarked;
