package ai.epitome.text;

import java.util.Arrays;

/// The tokens and merges of a byte-level BPE, checked, and the tables made from them.
///
/// A merge is a pair of ids that becomes a third; its rank is its place in the list, and lower ranks merge first.
public final class BytePairVocabulary {
    /// Rank files and `tokenizer.json` of today stay below 300,000 ids and 600,000 merges.
    public static final int MOST_TOKENS = 1 << 22;

    public static final int MOST_MERGES = 1 << 24;
    public static final int LONGEST_TOKEN = 1 << 16;

    private final byte[][] tokens;
    private final int[] left;
    private final int[] right;
    private final int[] merged;
    private final boolean wholePieces;
    private final int[] idOfByte = new int[256];
    private final MergeTable merges;
    private final TokenTable pieces;
    private final ShortTokens shortPieces;

    /// @param tokens bytes by id, null where the id is no text token (a hole or a control token)
    /// @param left left ids of the merges
    /// @param right right ids of the merges
    /// @param merged resulting ids of the merges
    /// @param rank ranks of the merges, lower first; equal ranks merge from left to right
    /// @param wholePieces whether a piece that is a token becomes that token even if merges do not lead there
    /// @throws IllegalArgumentException if a byte has no token or a merge names a missing token
    BytePairVocabulary(byte[][] tokens, int[] left, int[] right, int[] merged, int[] rank, boolean wholePieces) {
        this.tokens = tokens;
        this.left = left;
        this.right = right;
        this.merged = merged;
        this.wholePieces = wholePieces;
        fillBytes();
        this.merges = new MergeTable(left.length);
        for (int i = 0; i < left.length; i++) {
            checkMerge(i);
            merges.put(left[i], right[i], rank[i], merged[i]);
        }
        merges.setBytes(idOfByte);
        byte[][] whole = wholePieces ? tokens : reachable();
        this.pieces = new TokenTable(whole);
        this.shortPieces = new ShortTokens(whole);
    }

    /// Merges in the order of their ranks.
    public static BytePairVocabulary ofMerges(
            byte[][] tokens, int[] left, int[] right, int[] merged, boolean wholePieces) {
        int[] rank = new int[left.length];
        Arrays.setAll(rank, i -> i);
        return new BytePairVocabulary(tokens, left, right, merged, rank, wholePieces);
    }

    /// The vocabulary of a tiktoken file, where the id of a token is its rank: any two tokens that joined make a
    /// third may merge, and the lowest id comes first.
    public static BytePairVocabulary ofRanks(byte[][] tokens) {
        var table = new TokenTable(tokens);
        var pairs = new IntList();
        for (int id = 0; id < tokens.length; id++) {
            byte[] token = tokens[id];
            for (int cut = 1; token != null && cut < token.length; cut++) {
                int first = table.find(token, 0, cut);
                int second = first == TokenTable.ABSENT ? first : table.find(token, cut, token.length);
                if (second != TokenTable.ABSENT) {
                    pairs.add(first);
                    pairs.add(second);
                    pairs.add(id);
                }
            }
        }
        int count = pairs.size() / 3;
        int[] left = new int[count];
        int[] right = new int[count];
        int[] merged = new int[count];
        for (int i = 0; i < count; i++) {
            left[i] = pairs.get(3 * i);
            right[i] = pairs.get(3 * i + 1);
            merged[i] = pairs.get(3 * i + 2);
        }
        return new BytePairVocabulary(tokens, left, right, merged, merged, true);
    }

    private void fillBytes() {
        Arrays.fill(idOfByte, -1);
        for (int id = tokens.length - 1; id >= 0; id--) {
            if (tokens[id] != null && tokens[id].length == 1) {
                idOfByte[tokens[id][0] & 0xFF] = id;
            }
        }
        for (int b = 0; b < idOfByte.length; b++) {
            if (idOfByte[b] < 0 && isInUtf8(b)) {
                throw new IllegalArgumentException(
                        "no token for byte 0x%02X: a byte-level vocabulary needs one for each that UTF-8 uses"
                                .formatted(b));
            }
        }
    }

    /// Whether UTF-8 text can hold the byte; DeepSeek's vocabulary has no tokens for the others.
    private static boolean isInUtf8(int value) {
        return value != 0xC0 && value != 0xC1 && value < 0xF5;
    }

    private void checkMerge(int i) {
        byte[] first = token(left[i]);
        byte[] second = token(right[i]);
        byte[] whole = token(merged[i]);
        if (first == null || second == null || whole == null) {
            throw new IllegalArgumentException("merge %d (%d + %d -> %d) names an id that is no text token"
                    .formatted(i, left[i], right[i], merged[i]));
        }
        int cut = first.length;
        if (whole.length != cut + second.length
                || !Arrays.equals(whole, 0, cut, first, 0, cut)
                || !Arrays.equals(whole, cut, whole.length, second, 0, second.length)) {
            throw new IllegalArgumentException("merge %d (%d + %d -> %d): the result's bytes are not the parts' joined"
                    .formatted(i, left[i], right[i], merged[i]));
        }
    }

    /// The tokens that merging their own bytes yields: a piece equal to one of them need not be merged at all.
    private byte[][] reachable() {
        var merger = new PieceMerger(this);
        byte[][] reached = new byte[tokens.length][];
        for (int id = 0; id < tokens.length; id++) {
            byte[] token = tokens[id];
            if (token != null) {
                merger.clear();
                merger.merge(token, 0, token.length);
                reached[id] = merger.size() == 1 && merger.id(0) == id ? token : null;
            }
        }
        return reached;
    }

    /// The number of ids, holes included.
    public int size() {
        return tokens.length;
    }

    /// The token's bytes, not copied; null if the id is no text token.
    public byte[] token(int id) {
        return id >= 0 && id < tokens.length ? tokens[id] : null;
    }

    /// @throws IllegalArgumentException if the vocabulary has no token for this byte, which is then none of UTF-8's
    public int idOfByte(byte value) {
        int id = idOfByte[value & 0xFF];
        if (id < 0) {
            throw new IllegalArgumentException(
                    "the text holds the byte 0x%02X, which is not UTF-8 and for which this vocabulary has no token"
                            .formatted(value & 0xFF));
        }
        return id;
    }

    MergeTable merges() {
        return merges;
    }

    /// The tokens that a whole piece may become at once.
    TokenTable pieces() {
        return pieces;
    }

    /// Those of them that are short.
    ShortTokens shortPieces() {
        return shortPieces;
    }

    /// Whether a piece that is a token becomes that token at once, whatever merging would make of it.
    public boolean wholePieces() {
        return wholePieces;
    }

    /// Whether some piece is a token only because it may become one whole: merging its bytes yields others.
    public boolean needsWholePieces() {
        return wholePieces && !Arrays.equals(tokens, reachable());
    }

    /// The number of merges, whose places are 0 to that number less one.
    public int mergeCount() {
        return left.length;
    }

    /// Id of the left token of a merge.
    ///
    /// @param merge its place among the merges, from 0
    public int left(int merge) {
        return left[merge];
    }

    /// Id of the right one.
    public int right(int merge) {
        return right[merge];
    }
}
