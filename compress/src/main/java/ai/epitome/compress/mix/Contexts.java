package ai.epitome.compress.mix;

/// The contexts of the next byte, as hashes: what the [ContextModel] looks up.
final class Contexts {
    static final int COUNT = 24;
    /// The first contexts are of orders 1 to this.
    static final int ORDERS = 6;

    private final ByteHistory history;
    private final Words words = new Words();
    private final Records records;
    private final int[] hashes = new int[COUNT];
    /// By last byte and by the last two: the bytes that followed before, latest lowest.
    private final int[] afterOne = new int[1 << 8];
    private final int[] afterTwo = new int[1 << 16];
    private int count;

    Contexts(ByteHistory history) {
        this.history = history;
        this.records = new Records(history);
    }

    int[] hashes() {
        return hashes;
    }

    Words words() {
        return words;
    }

    /// After a byte was appended to the history.
    /// @param expected the byte that the longest match expects, and the length's class
    void advance(int expected, int lengthClass) {
        int c1 = history.last(1);
        int c2 = history.last(2);
        int c3 = history.last(3);
        int c4 = history.last(4);
        words.append(c1);
        records.append();
        afterOne[c2] = afterOne[c2] << 8 | c1;
        afterTwo[c3 << 8 | c2] = afterTwo[c3 << 8 | c2] << 8 | c1;

        count = 0;
        int order = 0;
        for (int i = 1; i <= ORDERS; i++) {
            order = hash(order, history.last(i));
            add(order);
        }
        add(hash(hash(order, history.last(7)), history.last(8)));
        addWords(c1, c2);
        addSparse(c1, c2, c3, c4);
        add(hash(afterOne[c1] & 0xffff, c1));
        add(hash(afterTwo[c2 << 8 | c1] & 0xffff, c1));
        add(hash(expected, lengthClass));
        addColumns(c1);
    }

    private void addWords(int c1, int c2) {
        int word = words.current();
        int gap = words.gap();
        add(hash(word, gap));
        add(hash(hash(word, gap), words.previous(1)));
        add(hash(hash(word, words.previous(1)), words.previous(2)));
        add(hash(word, words.previous(2)));
        add(words.folded(3));
        add(words.folded(5));
        add(words.folded(7));
        add(hash(words.shape(), c1));
    }

    private void addSparse(int c1, int c2, int c3, int c4) {
        add(hash(c2, c3));
        add(hash(hash(c2, c3), c4));
        add(hash(c1, c3));
    }

    private void addColumns(int c1) {
        add(hash(words.column(), words.classOf(c1)));
        add(hash(records.above(1), records.column()));
        add(hash(hash(records.above(1), c1), records.above(2)));
    }

    private void add(int hash) {
        hashes[count] = hash(hash, count);
        count++;
    }

    static int hash(int a, int b) {
        int hash = a * 0x2F0B4C47 + (b + 1) * 0x6C8E9CF5;
        return (hash ^ hash >>> 14) * 0x1B873593;
    }
}
