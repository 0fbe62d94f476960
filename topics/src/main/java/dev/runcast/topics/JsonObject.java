package dev.runcast.topics;

/** Writes one flat JSON object (RFC 8259), columns in the order given. Not thread-safe. */
final class JsonObject {
    private final StringBuilder json = new StringBuilder(1024).append('{');

    JsonObject text(String column, String value) {
        name(column);
        quote(value);
        return this;
    }

    /** A text under a name that is not ours. */
    JsonObject pair(String name, String value) {
        comma();
        quote(name);
        json.append(':');
        quote(value);
        return this;
    }

    JsonObject number(String column, long value) {
        name(column);
        json.append(value);
        return this;
    }

    JsonObject bool(String column, boolean value) {
        name(column);
        json.append(value);
        return this;
    }

    JsonObject absent(String column) {
        name(column);
        json.append("null");
        return this;
    }

    String end() {
        return json.append('}').toString();
    }

    /** @param column a name of ours, which needs no escapes */
    private void name(String column) {
        comma();
        json.append('"').append(column).append("\":");
    }

    private void comma() {
        if (json.length() > 1) {
            json.append(',');
        }
    }

    private void quote(String value) {
        json.append('"');
        int plain = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
                json.append(value, plain, i);
                escape(c);
                plain = i + 1;
            }
        }
        json.append(value, plain, value.length()).append('"');
    }

    private void escape(char c) {
        switch (c) {
            case '"' -> json.append("\\\"");
            case '\\' -> json.append("\\\\");
            case '\n' -> json.append("\\n");
            case '\r' -> json.append("\\r");
            case '\t' -> json.append("\\t");
            default -> json.append(String.format("\\u%04x", (int) c));
        }
    }
}
