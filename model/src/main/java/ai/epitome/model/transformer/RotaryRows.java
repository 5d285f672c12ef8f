package ai.epitome.model.transformer;

/// Which channels of a head turn together. [Transformer] pairs channel `i` with `i + D/2`, as Hugging Face's files do;
/// the original Llama's, llama2.c's and GGUF's "llama" pair `2i` with `2i + 1`. Their query and key matrices have the
/// same rows in another order.
public final class RotaryRows {
    private RotaryRows() {}

    /// Whether a weight of Hugging Face's name has rows in either order: queries and keys, matrices and biases.
    public static boolean turns(String name) {
        return name.contains("self_attn.q_proj.") || name.contains("self_attn.k_proj.");
    }

    /// Where a row of a matrix of neighbouring pairs is in ours.
    public static int halves(int row, int headDimension) {
        int channel = row % headDimension;
        return row - channel + channel / 2 + channel % 2 * (headDimension / 2);
    }

    /// Where a row of ours is in a matrix of neighbouring pairs.
    public static int neighbouring(int row, int headDimension) {
        int half = headDimension / 2;
        int channel = row % headDimension;
        return row - channel + 2 * (channel % half) + channel / half;
    }
}
