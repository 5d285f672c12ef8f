package ai.epitome.compress.mix;

/// Predicts the byte that followed when the last bytes came before. How much to believe it is learned by the
/// length of the match and how often it failed of late.
final class MatchModel {
    static final int INPUTS = 2;
    private static final int LONGEST = 65535;
    private static final int LIMIT = 1023;
    private static final int LENGTHS = 32;

    private final ByteHistory history;
    private final int least;
    private final int[] positions;
    private final int hashBits;
    /// Probability that the expected bit comes, by [#strength].
    private final AdaptiveMap right = new AdaptiveMap(LENGTHS * 4, LIMIT);
    /// Position of the expected byte, or 0.
    private int pointer;
    private int length;
    /// The last outcomes of this match's bytes, 1 for a failure.
    private int failures;
    private int expected;
    private int strength;

    /// @param least bytes that must agree
    MatchModel(ByteHistory history, int least, int hashBits) {
        this.history = history;
        this.least = least;
        this.hashBits = hashBits;
        this.positions = new int[1 << hashBits];
        for (int i = 0; i < LENGTHS * 4; i++) {
            right.prior(i, i < 4 ? 40000 : 62000 + 100 * (i / 4), 4);
        }
    }

    /// After a byte was appended to the history.
    void advance() {
        int position = history.position();
        if (pointer > 0) {
            boolean held = history.at(pointer) == history.at(position - 1);
            pointer++;
            length = held ? Math.min(length + 1, LONGEST) : 0;
            failures = (failures << 1 | (held ? 0 : 1)) & 0xff;
            if (failures == 0xff || !history.holds(pointer)) {
                pointer = 0;
            }
        }
        if (position >= least) {
            int slot = history.hash(least) * 0x9E3779B1 >>> (32 - hashBits);
            if (length < least) {
                look(positions[slot]);
            }
            positions[slot] = position;
        }
    }

    private void look(int candidate) {
        if (candidate <= 0 || !history.holds(candidate)) {
            return;
        }
        int agreed = history.agreement(candidate, Math.max(least, 32));
        if (agreed >= least) {
            pointer = candidate;
            length = agreed;
            failures = 0;
        }
    }

    /// The byte that is expected, or -1.
    int expectedByte() {
        return pointer > 0 ? history.at(pointer) : -1;
    }

    /// Length of the match in 16 steps; 0: there is none.
    int lengthClass() {
        if (pointer == 0 || length == 0) {
            return 0;
        }
        return length < 8
                ? 1 + length / 2
                : Math.min(15, 5 + (length < 32 ? (length - 8) / 4 : 6 + (length - 32) / 32));
    }

    /// @param partial the bits of the byte so far under a leading one
    void predict(int partial, int bitPosition, int[] inputs, int at) {
        int value = pointer > 0 ? history.at(pointer) | 256 : 0;
        if (value >> (8 - bitPosition) != partial) {
            strength = -1;
            inputs[at] = 0;
            inputs[at + 1] = 0;
            return;
        }
        expected = value >> (7 - bitPosition) & 1;
        int failed = Math.min(Integer.bitCount(failures), 3);
        strength = Math.min(length < 16 ? length : 16 + (length - 16) / 8, LENGTHS - 1) << 2 | failed;
        int probability = right.probability(strength);
        int sign = expected == 1 ? 1 : -1;
        inputs[at] = sign * Logistic.stretch(probability);
        inputs[at + 1] = sign * (probability - (1 << 15)) >> 6;
    }

    /// The expected bit as 1 or 2, 0 where none is expected.
    int expectedBit() {
        return strength < 0 ? 0 : 1 + expected;
    }

    void update(int bit) {
        if (strength >= 0) {
            right.update(strength, bit == expected ? 1 : 0);
        }
    }
}
