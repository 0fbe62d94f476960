/**
 * The servers Runcast stands on, started inside this process or beside it: a Kafka broker, Redis, a MongoDB wire server
 * and a Temporal server, all on the loopback interface only. The local stack and every integration test start them from
 * here, so what a test has met is what the local stack runs.
 *
 * <p>No server here registers a shutdown hook: whoever started it closes it, in an order that only the owner knows
 * (services first, brokers last). {@link dev.runcast.embedded.NoisyLoggers} lists the loggers worth turning down.
 */
@NullMarked
package dev.runcast.embedded;

import org.jspecify.annotations.NullMarked;
