package ai.epitome.compress.mix;

/// What a reader of text knows: the words, where in the line, upper case or lower. A line break in a word's
/// surroundings counts as a space, since text is broken into lines anywhere. Bytes of 128 and more are letters
/// (of UTF-8).
final class Words {
    /// Classes of bytes.
    static final int CLASSES = 8;

    private static final int SPACE = 0;
    private static final int BREAK = 1;
    private static final int LOWER = 2;
    private static final int UPPER = 3;
    private static final int DIGIT = 4;
    private static final int MARK = 5;
    private static final int HIGH = 6;
    private static final int CONTROL = 7;
    private static final byte[] CLASS_OF = classes();
    private static final int WORDS = 4;
    private static final int COLUMNS = 255;

    /// Hash of the word so far, lower case; 0 outside words.
    private int current;
    /// Hash of what stands between the last two words, or after the last one.
    private int gap;
    private final int[] previous = new int[WORDS];
    /// The last eight bytes in lower case, breaks as spaces, the last one lowest.
    private long folded;
    /// Classes of the last bytes, the last one lowest, runs of letters once.
    private int shape;
    private int classes;
    private int column;

    void append(int value) {
        int type = CLASS_OF[value];
        boolean letter = type == LOWER || type == UPPER || type == HIGH;
        int low = type == UPPER ? value + 32 : type == BREAK ? ' ' : value;
        folded = folded << 8 | low;
        classes = classes << 3 | type;
        if (type != (shape & 7) || type != LOWER) {
            shape = (shape << 3 | type) & 0xffffff;
        }
        if (letter) {
            current = Contexts.hash(current, low) | 1;
        } else {
            if (current != 0) {
                System.arraycopy(previous, 0, previous, 1, WORDS - 1);
                previous[0] = current;
                current = 0;
                gap = 0;
            }
            gap = Contexts.hash(gap, low);
        }
        column = value == '\n' ? 0 : Math.min(column + 1, COLUMNS);
    }

    int current() {
        return current;
    }

    int gap() {
        return gap;
    }

    /// Hash of the word that ended `back` words ago, 1 being the last whole one.
    int previous(int back) {
        return previous[back - 1];
    }

    /// Hash of the last bytes in lower case, breaks as spaces.
    int folded(int count) {
        long masked = folded & ((1L << 8 * count) - 1);
        return Contexts.hash((int) (masked >>> 32), (int) masked);
    }

    int shape() {
        return shape;
    }

    /// Bytes since the last line break, 255 at most.
    int column() {
        return column;
    }

    /// Classes of the last `count` bytes.
    int classes(int count) {
        return classes & ((1 << 3 * count) - 1);
    }

    int classOf(int value) {
        return CLASS_OF[value];
    }

    private static byte[] classes() {
        byte[] classes = new byte[256];
        for (int value = 0; value < 256; value++) {
            classes[value] = (byte) classify(value);
        }
        return classes;
    }

    private static int classify(int value) {
        if (value >= 128) {
            return HIGH;
        }
        if (value >= 'a' && value <= 'z') {
            return LOWER;
        }
        if (value >= 'A' && value <= 'Z') {
            return UPPER;
        }
        if (value >= '0' && value <= '9') {
            return DIGIT;
        }
        return switch (value) {
            case ' ', '\t' -> SPACE;
            case '\n', '\r' -> BREAK;
            default -> value > ' ' && value < 127 ? MARK : CONTROL;
        };
    }
}
