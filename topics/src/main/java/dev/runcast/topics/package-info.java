/**
 * The table of topics with their keys and values, and the one set of client settings that every
 * service uses. Whoever reads or writes Kafka in Runcast goes through here, so that two services
 * cannot disagree about a topic.
 */
@NullMarked
package dev.runcast.topics;

import org.jspecify.annotations.NullMarked;
