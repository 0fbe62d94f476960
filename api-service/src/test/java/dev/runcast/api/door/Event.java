package dev.runcast.api.door;

import java.util.ArrayList;
import java.util.List;

/** A server-sent event, parsed as the HTML standard has it for what this door writes. */
record Event(String id, String name, String data) {
    static List<Event> parse(String stream) {
        List<Event> events = new ArrayList<>();
        for (String block : stream.split("\n\n")) {
            Event event = one(block);
            if (event != null) {
                events.add(event);
            }
        }
        return events;
    }

    /** Null when the block has no event, such as a comment or a retry time. */
    static @org.jspecify.annotations.Nullable Event one(String block) {
        String id = "";
        String name = "message";
        String data = "";
        for (String line : block.split("\n")) {
            if (line.startsWith("id: ")) {
                id = line.substring(4);
            } else if (line.startsWith("event: ")) {
                name = line.substring(7);
            } else if (line.startsWith("data: ")) {
                data = line.substring(6);
            }
        }
        return data.isEmpty() ? null : new Event(id, name, data);
    }
}
