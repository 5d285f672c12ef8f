package ai.epitome.text;

import ai.epitome.text.split.PieceSink;
import java.util.Arrays;

/// Counts how often each piece of text occurs: open addressing on the bytes themselves, so that counting a
/// piece that is known allocates nothing. Not thread-safe; several of them can be added up.
final class WordCounts implements PieceSink {
    private static final int SEED = 0x9E3779B9;

    private byte[][] words = new byte[1 << 16][];
    private long[] counts = new long[1 << 16];
    private int size;
    private long bytes;

    @Override
    public void piece(byte[] text, int from, int to) {
        add(text, from, to, 1);
    }

    /// Counts `text[from, to)` `times` more.
    void add(byte[] text, int from, int to, long times) {
        int slot = find(text, from, to);
        if (words[slot] == null) {
            if (2 * size >= words.length) {
                grow();
                slot = find(text, from, to);
            }
            words[slot] = Arrays.copyOfRange(text, from, to);
            size++;
            bytes += to - from;
        }
        counts[slot] += times;
    }

    void addAll(WordCounts other) {
        other.forEach((word, count) -> add(word, 0, word.length, count));
    }

    /// A word and how often it occurred.
    @FunctionalInterface
    interface Visitor {
        void visit(byte[] word, long count);
    }

    void forEach(Visitor visitor) {
        for (int i = 0; i < words.length; i++) {
            if (words[i] != null) {
                visitor.visit(words[i], counts[i]);
            }
        }
    }

    int size() {
        return size;
    }

    /// Bytes of all words, each counted once.
    long bytes() {
        return bytes;
    }

    private int find(byte[] text, int from, int to) {
        int hash = SEED;
        for (int i = from; i < to; i++) {
            hash = hash * 31 + text[i];
        }
        hash = (hash ^ (hash >>> 15)) * 0x85EBCA6B;
        int mask = words.length - 1;
        int slot = (hash ^ (hash >>> 13)) & mask;
        while (words[slot] != null && !Arrays.equals(words[slot], 0, words[slot].length, text, from, to)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        byte[][] oldWords = words;
        long[] oldCounts = counts;
        words = new byte[oldWords.length * 2][];
        counts = new long[words.length];
        for (int i = 0; i < oldWords.length; i++) {
            if (oldWords[i] != null) {
                int slot = find(oldWords[i], 0, oldWords[i].length);
                words[slot] = oldWords[i];
                counts[slot] = oldCounts[i];
            }
        }
    }
}
