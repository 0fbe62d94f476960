package dev.runcast.merge;

/** The form of every id: {@code [A-Za-z0-9][A-Za-z0-9_-]{0,63}}. */
final class Ids {
    static final String EXPECTED = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}";
    private static final int MAX_LENGTH = 64;
    private static final int SHOWN = 80;

    private Ids() {}

    static boolean isId(String text) {
        int length = text.length();
        if (length == 0 || length > MAX_LENGTH || !isAlphanumeric(text.charAt(0))) {
            return false;
        }
        for (int i = 1; i < length; i++) {
            char c = text.charAt(i);
            if (!isAlphanumeric(c) && c != '_' && c != '-') {
                return false;
            }
        }
        return true;
    }

    static boolean isIdOrEmpty(String text) {
        return text.isEmpty() || isId(text);
    }

    /** A value as it may stand in a message: in quotes, control characters escaped, never longer than a line. */
    static String shown(String value) {
        StringBuilder shown = new StringBuilder(Math.min(value.length(), SHOWN) + 8).append('"');
        int end = Math.min(value.length(), SHOWN);
        for (int i = 0; i < end; i++) {
            char c = value.charAt(i);
            if (c < ' ' || c == 0x7f || Character.isSurrogate(c)) {
                shown.append("\\u%04x".formatted((int) c));
            } else {
                shown.append(c);
            }
        }
        return shown.append(value.length() > SHOWN ? "…\"" : "\"").toString();
    }

    private static boolean isAlphanumeric(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }
}
