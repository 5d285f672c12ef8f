package ai.epitome.tensor.autograd;

/// Cosines and sines of rotary position embedding (Su et al. 2021) for positions `0 .. length - 1`.
///
/// Channel pair i (channels i and i + D/2 of a head, the layout of Llama's files) turns by `position * frequency(i)`.
public final class RotaryTable {
    private final int pairs;
    private final int length;
    private final float[] cosines; // (length, D/2)
    private final float[] sines; // (length, D/2)

    /// @param inverseFrequencies radians per position of each of the D/2 channel pairs
    /// @param length positions that the table covers
    public RotaryTable(float[] inverseFrequencies, int length) {
        this(inverseFrequencies, 1, length);
    }

    /// The same with rotated channels multiplied by `scale`.
    public RotaryTable(float[] inverseFrequencies, float scale, int length) {
        this.pairs = inverseFrequencies.length;
        this.length = length;
        this.cosines = new float[Math.multiplyExact(length, pairs)];
        this.sines = new float[length * pairs];
        for (int position = 0; position < length; position++) {
            for (int i = 0; i < pairs; i++) {
                float angle = position * inverseFrequencies[i];
                cosines[position * pairs + i] = (float) Math.cos(angle) * scale;
                sines[position * pairs + i] = (float) Math.sin(angle) * scale;
            }
        }
    }

    /// The table of the paper: frequencies `theta^(-2i/D)`.
    public static RotaryTable of(double theta, int headDimension, int length) {
        return new RotaryTable(frequencies(theta, headDimension), length);
    }

    /// `theta^(-2i/D)` for `i = 0 .. D/2 - 1`.
    public static float[] frequencies(double theta, int headDimension) {
        float[] frequencies = new float[headDimension / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) (1 / Math.pow(theta, 2.0 * i / headDimension));
        }
        return frequencies;
    }

    /// Number of positions covered.
    public int length() {
        return length;
    }

    int pairs() {
        return pairs;
    }

    float[] cosines() {
        return cosines;
    }

    float[] sines() {
        return sines;
    }
}
