/**
 * Reading: one execution, lists and pages, now and at past versions. What stands here knows neither gRPC nor HTTP, only
 * requests and responses of the contract.
 */
@NullMarked
package dev.runcast.api.read;

import org.jspecify.annotations.NullMarked;
