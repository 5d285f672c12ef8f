package ai.epitome.compress;

/// A model that gives whole distributions over the next byte: a GPT, for the mixer.
public interface ByteDistribution {
    /// Frequencies sum up to this.
    int TOTAL = 1 << 30;

    /// Writes the frequencies of the 256 bytes that may come next, each at least 1, [#TOTAL] in sum.
    void frequencies(int[] target);

    /// Tells the byte that came, 0 to 255.
    void append(int value);
}
