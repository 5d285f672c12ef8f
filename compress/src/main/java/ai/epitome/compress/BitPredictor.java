package ai.epitome.compress;

/// Predicts the bits of bytes, most significant first, and learns from each as it becomes known.
///
/// Encoder and decoder run the same predictor over the same bits, so everything that it does must be the same on
/// every machine: integers, or the `exact` profile.
public interface BitPredictor {
    /// Probabilities are fractions of this.
    int ONE = 1 << 16;

    /// Probability that the next bit is a 1, in `1 .. ONE - 1`.
    int probability();

    /// Tells the bit that came.
    void update(int bit);
}
