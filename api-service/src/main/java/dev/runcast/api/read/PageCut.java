package dev.runcast.api.read;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;

/** Fills a page: at most so many items and 1 MiB, and at least one item however large it is. Not thread-safe. */
final class PageCut<T extends Message> {
    private static final int MAX_BYTES = 1024 * 1024;

    private final int limit;
    private final List<T> items = new ArrayList<>();
    private long bytes;
    private boolean more;

    PageCut(int limit) {
        this.limit = limit;
    }

    /** Takes the item if it fits; if not, the page is full and there is more. */
    boolean offer(T item) {
        bytes += item.getSerializedSize();
        if (items.size() == limit || bytes > MAX_BYTES && !items.isEmpty()) {
            more = true;
            return false;
        }
        items.add(item);
        return true;
    }

    List<T> items() {
        return items;
    }

    T last() {
        return items.get(items.size() - 1);
    }

    /** Whether something did not fit. */
    boolean more() {
        return more;
    }
}
