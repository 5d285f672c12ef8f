package ai.epitome.compress.gpt;

/// The newest bytes that a learner was told, and the contexts that they are in. What lies further back is forgotten, so
/// that memory is bounded.
final class LearnerHistory {
    /// Contexts of a byte: the last 2, 3, 4 and 6 bytes, the word so far, and that with the word before.
    static final int CONTEXTS = 6;

    /// Bytes that are kept.
    static final int KEPT = 1 << 12;
    private static final int LONGEST_WORD = 16;
    private static final int LONGEST_GAP = 4;

    private final byte[] bytes = new byte[KEPT];
    private final int rowBits;
    private long length;

    /// @param rowBits contexts become numbers of so many bits
    LearnerHistory(int rowBits) {
        this.rowBits = rowBits;
    }

    void append(int value) {
        bytes[(int) length & KEPT - 1] = (byte) value;
        length++;
    }

    /// Bytes told, those forgotten among them.
    long length() {
        return length;
    }

    /// The byte at a position; 0 before the beginning.
    int at(long position) {
        return position < 0 ? 0 : bytes[(int) position & KEPT - 1] & 0xff;
    }

    /// Numbers of the contexts that end with the byte at `position`, from `from` on.
    void contexts(long position, int[] target, int from) {
        int hash = 0;
        int next = from;
        for (int order = 1; order <= 6; order++) {
            hash = mix(hash, at(position - order + 1));
            if (order > 1 && order != 5) {
                target[next] = row(hash, next - from);
                next++;
            }
        }
        long place = position;
        int word = 0;
        for (int i = 0; i < LONGEST_WORD && isWord(at(place)); i++) {
            word = mix(word, at(place--) | 0x20);
        }
        target[next] = row(mix(word, at(position)), next - from);
        next++;
        for (int i = 0; i < LONGEST_GAP && !isWord(at(place)); i++) {
            place--;
        }
        int both = word;
        for (int i = 0; i < LONGEST_WORD && isWord(at(place)); i++) {
            both = mix(both, at(place--) | 0x20);
        }
        target[next] = row(mix(both, 0x100 + at(position)), next - from);
    }

    private static boolean isWord(int value) {
        int lower = value | 0x20;
        return lower >= 'a' && lower <= 'z' || value >= 0x80;
    }

    private static int mix(int hash, int value) {
        int mixed = (hash + value + 1) * 0x2F0B4C47;
        return mixed ^ mixed >>> 15;
    }

    private int row(int hash, int context) {
        return mix(hash, context) * 0x6C8E9CF5 >>> 32 - rowBits;
    }
}
