package dev.runcast.merge;

import org.jspecify.annotations.Nullable;

/**
 * One record to be put into the store, or taken out of it.
 *
 * @param key where it goes
 * @param value what is put there; null deletes
 */
public record StateWrite(byte[] key, byte @Nullable [] value) {}
