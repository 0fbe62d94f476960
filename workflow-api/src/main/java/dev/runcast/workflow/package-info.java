/**
 * The workflow that supervises an execution and the activities that run its agent: their names, and the one JSON object
 * that goes in and comes out of each. Nothing here knows of Runcast, so a foreign runner can compile against it.
 */
@NullMarked
package dev.runcast.workflow;

import org.jspecify.annotations.NullMarked;
