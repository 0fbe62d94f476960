/**
 * Watching: one shared feed for each watched execution, fed by the bell and repaired from the store, and any number of
 * viewers that take from it at their own pace. What stands here knows neither gRPC nor HTTP.
 */
@NullMarked
package dev.runcast.api.watch;

import org.jspecify.annotations.NullMarked;
