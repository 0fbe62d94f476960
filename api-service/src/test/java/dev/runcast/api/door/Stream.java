package dev.runcast.api.door;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An event stream that a test reads as it comes, and cuts. */
final class Stream implements AutoCloseable {
    private final HttpURLConnection connection;
    private final BufferedReader reader;

    private Stream(HttpURLConnection connection, InputStream body) {
        this.connection = connection;
        this.reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
    }

    static Stream open(String address, @Nullable String cookie) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(address).toURL().openConnection();
        connection.setReadTimeout(10_000);
        if (cookie != null) {
            connection.setRequestProperty("Cookie", cookie);
        }
        return new Stream(connection, connection.getInputStream());
    }

    /** The next events. */
    List<Event> take(int count) throws IOException {
        List<Event> events = new ArrayList<>();
        StringBuilder block = new StringBuilder();
        while (events.size() < count) {
            String line = reader.readLine();
            if (line == null) {
                throw new IOException("the stream ended after " + events);
            }
            if (!line.isEmpty()) {
                block.append(line).append('\n');
                continue;
            }
            Event event = Event.one(block.toString());
            block.setLength(0);
            if (event != null) {
                events.add(event);
            }
        }
        return events;
    }

    @Override
    public void close() {
        connection.disconnect();
    }
}
