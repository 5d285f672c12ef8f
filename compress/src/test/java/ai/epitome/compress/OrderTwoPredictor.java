package ai.epitome.compress;

import java.util.Arrays;

/// A simple predictor for tests of what stands upon one: the last two bytes, hashed, and the bits so far.
public final class OrderTwoPredictor implements BitPredictor {
    private final short[] ones = new short[1 << 16];
    private int bytes;
    private int bits = 1;

    public OrderTwoPredictor() {
        Arrays.fill(ones, (short) (ONE / 4));
    }

    private int slot() {
        return (bytes * 40503 + bits * 29989 ^ bytes >>> 3) & 0xffff;
    }

    @Override
    public int probability() {
        return Math.clamp(2 * ones[slot()], 1, ONE - 1);
    }

    @Override
    public void update(int bit) {
        int slot = slot();
        int target = bit == 1 ? ONE / 2 - 1 : 0;
        ones[slot] += (short) ((target - ones[slot]) >> 4);
        bits = bits << 1 | bit;
        if (bits >= 256) {
            bytes = (bytes << 8 | bits & 0xff) & 0xffff;
            bits = 1;
        }
    }
}
