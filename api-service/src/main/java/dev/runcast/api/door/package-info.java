/**
 * The people's door: the contract's ExecutionService over gRPC, and the same over HTTP as JSON, server-sent events and
 * a page. Who may come in is decided before anything here is reached.
 */
@NullMarked
package dev.runcast.api.door;

import org.jspecify.annotations.NullMarked;
