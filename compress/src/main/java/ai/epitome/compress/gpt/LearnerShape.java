package ai.epitome.compress.gpt;

import ai.epitome.compress.MalformedCodeException;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import java.util.List;

/// Size and schedule of a network that learns while it codes.
///
/// @param layers blocks
/// @param width channels; a multiple of 32 times `heads`
/// @param heads attention heads
/// @param hidden channels of the MLP, a multiple of 32
/// @param window bytes of a training window, a multiple of 32
/// @param segment bytes between two steps of training; divides `window`
/// @param rate learning rate of matrices at its peak
/// @param rowBits the table of contexts has two to the power of this rows
/// @param rowRate learning rate of its rows
record LearnerShape(
        int layers, int width, int heads, int hidden, int window, int segment, float rate, int rowBits, float rowRate) {
    LearnerShape {
        if (width % (32 * heads) != 0 || hidden % 32 != 0 || window % 32 != 0 || window % segment != 0) {
            throw new IllegalArgumentException(
                    "a width of %d with %d heads, %d hidden channels, windows of %d and segments of %d: heads, hidden channels and windows must be whole multiples of 32, and segments divide windows"
                            .formatted(width, heads, hidden, window, segment));
        }
    }

    /// Learns within some bytes, for a probe.
    static final LearnerShape PROBE = new LearnerShape(2, 64, 2, 64, 32, 16, 2e-3f, 10, 0.5f);

    /// By number: for files up to 256 KiB, up to 1 MiB, and longer ones, which have more contexts and less
    /// time for each byte.
    private static final List<LearnerShape> NUMBERED = List.of(
            new LearnerShape(2, 128, 2, 256, 64, 16, 5e-4f, 17, 1f),
            new LearnerShape(2, 128, 2, 256, 64, 16, 5e-4f, 18, 1f),
            new LearnerShape(2, 128, 2, 256, 64, 32, 5e-4f, 19, 1f));

    /// Number of the shape that suits so many bytes.
    static int number(long bytes) {
        return bytes <= 1 << 18 ? 0 : bytes <= 1 << 20 ? 1 : 2;
    }

    /// The shape that archives know by this number.
    ///
    /// @throws MalformedCodeException when there is none
    static LearnerShape numbered(int number) {
        if (number < 0 || number >= NUMBERED.size()) {
            throw new MalformedCodeException(
                    "a learning network number %d, expected 0 to %d".formatted(number, NUMBERED.size() - 1));
        }
        return NUMBERED.get(number);
    }

    /// Bytes of the heap that a learner takes, about.
    long memory() {
        long rows = 2L << rowBits;
        long parameters = (long) layers * (4 * width + 2 * hidden) * width + 512L * width;
        long activations = (long) window * layers * (10 * width + 4 * hidden);
        return 4 * (rows * width + 8 * parameters + activations) + LearnerHistory.KEPT;
    }

    int headDimension() {
        return width / heads;
    }

    /// The network as a config: rotary positions, RMS norm, squared ReLU, no biases, a head of its own.
    TransformerConfig config() {
        return TransformerConfig.ofDepth(layers, 256, window + segment).with(c -> {
            c.width = width;
            c.heads = heads;
            c.keyValueHeads = heads;
            c.headDimension = headDimension();
            c.hidden = hidden;
            c.activation = Activation.RELU_SQUARED;
            c.queryKeyNorm = false;
            c.tiedHead = false;
        });
    }
}
