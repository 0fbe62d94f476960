package dev.runcast.store;

import java.util.List;

/**
 * A part of a list.
 *
 * @param items the items in order
 * @param nextPageToken for the next page; empty when this was the last. Opaque
 */
public record Page<T>(List<T> items, String nextPageToken) {
    /** Copies the list. */
    public Page {
        items = List.copyOf(items);
    }
}
