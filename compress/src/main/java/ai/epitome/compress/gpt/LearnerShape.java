package ai.epitome.compress.gpt;

import ai.epitome.model.TransformerConfig;
import ai.epitome.model.TransformerConfig.Activation;

/// Size and schedule of a network that learns while it codes.
///
/// @param layers blocks
/// @param width channels; a multiple of 32 times `heads`
/// @param heads attention heads
/// @param window bytes of a training window, a multiple of 32
/// @param segment bytes between two steps of training; divides `window`
/// @param windows in a step: the newest, and older ones drawn at random
/// @param rate learning rate at its peak
record LearnerShape(int layers, int width, int heads, int window, int segment, int windows, float rate) {
    LearnerShape {
        if (width % (32 * heads) != 0 || window % 32 != 0 || window % segment != 0) {
            throw new IllegalArgumentException(
                    "a width of %d with %d heads, windows of %d and segments of %d: heads and windows must be whole multiples of 32, and segments divide windows"
                            .formatted(width, heads, window, segment));
        }
    }

    /// What suits a file of that many bytes: long files have more to teach and less time for each byte.
    static LearnerShape of(long bytes) {
        if (bytes <= 1 << 20) {
            return new LearnerShape(2, 128, 2, 128, 32, 4, 2e-3f);
        }
        return new LearnerShape(2, 128, 2, 128, 64, 2, 2e-3f);
    }

    int hidden() {
        return 4 * width;
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
            c.hidden = hidden();
            c.activation = Activation.RELU_SQUARED;
            c.queryKeyNorm = false;
            c.tiedHead = false;
        });
    }
}
