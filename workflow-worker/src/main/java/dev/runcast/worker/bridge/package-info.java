/**
 * Between the log and Temporal: starts and tells workflows from the change feed, and ends executions whose workflow is
 * gone. It decides nothing about an execution; the log and the workflow do.
 */
@NullMarked
package dev.runcast.worker.bridge;

import org.jspecify.annotations.NullMarked;
