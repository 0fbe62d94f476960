package dev.runcast.topics;

/** Writes one flat JSON object (RFC 8259), columns in the order given. Not thread-safe. */
final class JsonObject {
    private final StringBuilder json = new StringBuilder(512).append('{');

    JsonObject text(String column, String value) {
        name(column);
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

    private void name(String column) {
        if (json.length() > 1) {
            json.append(',');
        }
        quote(column);
        json.append(':');
    }

    private void quote(String value) {
        json.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                default -> {
                    if (c < 0x20 || c == 0x7f) {
                        json.append(String.format("\\u%04x", (int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
