package ai.epitome.model;

/// Which channels of a head turn together. [Transformer] pairs channel `i` with `i + D/2`, as Hugging Face's files do;
/// the original Llama's, llama2.c's and GGUF's "llama" pair `2i` with `2i + 1`. Their query and key matrices have the
/// same rows in another order.
final class RotaryRows {
    private RotaryRows() {}

    /// Where a row of ours is in a matrix of neighbouring pairs.
    static int neighbouring(int row, int headDimension) {
        int half = headDimension / 2;
        int channel = row % headDimension;
        return row - channel + 2 * (channel % half) + channel / half;
    }
}
