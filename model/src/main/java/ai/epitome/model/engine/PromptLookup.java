package ai.epitome.model.engine;

import java.util.Arrays;

/// Guesses how a text goes on by looking for its last tokens further up (prompt lookup, Saxena 2023; after speculative
/// decoding, Leviathan et al. 2022): code, lists and quotations repeat themselves, and several tokens are checked in
/// one pass for little more than the cost of one.
///
/// How far it guesses depends on how well it did: one more after all guesses were right, half as many after a wrong
/// one; and after several useless passes it pauses.
final class PromptLookup {
    /// Tokens that must agree.
    private static final int AGREEING = 3;
    /// Most guesses of a pass.
    private static final int MOST = 8;
    /// Tokens of a pause, at most.
    private static final int LONGEST_PAUSE = 64;

    private static final int[] NONE = {};

    private int[] places = new int[256]; // by hash of AGREEING tokens: the index after them, where they were last seen
    private int seen; // tokens whose places are known
    private int far = 2;
    private int pause;
    private int longestPause = 4;

    /// Guesses at most `most` tokens after the first `length` of `tokens`.
    int[] guess(int[] tokens, int length, int most) {
        int place = place(tokens, length);
        if (pause > 0) {
            pause--;
            return NONE;
        }
        int count = Math.min(Math.min(far, most), length - place);
        return place == 0 || count <= 0 ? NONE : Arrays.copyOfRange(tokens, place, place + count);
    }

    /// Takes note of how many guesses of a pass were right.
    void learn(int guesses, int right) {
        if (right == guesses) {
            far = Math.min(MOST, far + 2);
            longestPause = 4;
        } else {
            far = Math.max(1, Math.max(right, far / 2));
            if (right == 0) {
                pause = longestPause;
                longestPause = Math.min(LONGEST_PAUSE, 2 * longestPause);
            }
        }
    }

    /// The index after the last tokens where they came before, or 0; remembers all up to `length`.
    private int place(int[] tokens, int length) {
        if (length < seen) { // the context was full
            Arrays.fill(places, 0);
            seen = 0;
        }
        if (2 * length > places.length) {
            places = new int[Integer.highestOneBit(length) * 4];
            seen = 0;
        }
        for (int end = Math.max(seen + 1, AGREEING); end < length; end++) {
            places[hash(tokens, end)] = end;
        }
        if (length < AGREEING) {
            return 0;
        }
        int place = places[hash(tokens, length)];
        places[hash(tokens, length)] = length;
        seen = length;
        boolean agrees = place > 0
                && place < length
                && Arrays.equals(tokens, place - AGREEING, place, tokens, length - AGREEING, length);
        return agrees ? place : 0;
    }

    private int hash(int[] tokens, int end) {
        int hash = 0;
        for (int i = end - AGREEING; i < end; i++) {
            hash = (hash + tokens[i]) * 0x9E3779B1;
            hash ^= hash >>> 15;
        }
        return hash & places.length - 1;
    }
}
