/**
 * What every door has in common: who a caller is and what it may do, whether a message keeps the contract, and how a
 * failure is said. The gRPC doors and the HTTP door use the same principals, the same policy and the same table of
 * failures.
 */
@NullMarked
package dev.runcast.doors;

import org.jspecify.annotations.NullMarked;
