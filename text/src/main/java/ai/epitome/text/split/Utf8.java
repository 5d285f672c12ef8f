package ai.epitome.text.split;

/// Which bytes form valid UTF-8 (Unicode 16, table 3-7): no overlong forms, no surrogates, nothing past U+10FFFF.
public final class Utf8 {
    private Utf8() {}

    /// The length of the valid sequence that starts at `text[at]` and ends before `to`: 1 to 4, or 0 if there is none.
    public static int sequenceLength(byte[] text, int at, int to) {
        int first = text[at] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        if (first < 0xC2 || first > 0xF4 || at + 1 >= to) {
            return 0;
        }
        int second = text[at + 1] & 0xFF;
        if (first < 0xE0) {
            return second >> 6 == 2 ? 2 : 0;
        }
        int lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        int length = first < 0xF0 ? 3 : 4;
        if (second < lowest || second > highest || at + length > to) {
            return 0;
        }
        for (int i = 2; i < length; i++) {
            if ((text[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    /// The code point of the valid sequence of this length at `text[at]`.
    static int codePoint(byte[] text, int at, int length) {
        return switch (length) {
            case 1 -> text[at];
            case 2 -> (text[at] & 0x1F) << 6 | text[at + 1] & 0x3F;
            case 3 -> (text[at] & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F;
            default ->
                (text[at] & 0x07) << 18
                        | (text[at + 1] & 0x3F) << 12
                        | (text[at + 2] & 0x3F) << 6
                        | text[at + 3] & 0x3F;
        };
    }

    /// The end of the longest run of ASCII bytes from `at` on.
    public static int endOfAscii(byte[] text, int at, int to) {
        int end = at;
        while (end < to && text[end] >= 0) {
            end++;
        }
        return end;
    }
}
