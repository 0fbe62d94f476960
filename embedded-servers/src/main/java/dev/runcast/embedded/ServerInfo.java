package dev.runcast.embedded;

import java.time.Duration;

/**
 * A started server in the words of a status line.
 *
 * @param name what it is, for people: {@code Kafka}
 * @param address where it listens, {@code host:port}
 * @param startup from the call to ready for the first client, of the latest start
 */
public record ServerInfo(String name, String address, Duration startup) {}
