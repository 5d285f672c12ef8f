package ai.epitome.model.transformer;

import java.util.function.Consumer;

/// The shape of a [Transformer]: everything that its weights and its function depend on, and nothing of how it is
/// trained.
///
/// One record covers GPT-2, Llama, Mistral, Qwen2 and Qwen3; [ai.epitome.model.huggingface.ConfigFile] reads and
/// writes it as a Hugging Face `config.json`. New models have the Qwen3 layout ([#ofDepth]) unless told otherwise:
///
/// ```java
/// TransformerConfig config = TransformerConfig.ofDepth(6, 257, 512).with(c -> c.keyValueHeads = 2);
/// ```
///
/// @param layers transformer blocks
/// @param width channels of the residual stream, C
/// @param heads query heads, H
/// @param keyValueHeads key and value heads, K; divides `heads`
/// @param headDimension channels of one head, D; `heads * headDimension` need not be `width`
/// @param hidden channels inside the MLP, F
/// @param vocabulary token ids that it tells apart, V
/// @param context positions that it was made for, T
/// @param norm kind of normalisation
/// @param normEpsilon added to the variance in every normalisation
/// @param position how positions enter
/// @param activation kind of MLP
/// @param biases which matrix products add a bias
/// @param queryKeyNorm whether queries and keys of each head are RMS-normalised before rotation (Qwen3; Henry et al.
/// 2020)
/// @param tiedHead whether the head is the embedding table
/// @param window how many positions back, itself included, a position sees; `Integer.MAX_VALUE` for all
public record TransformerConfig(
        int layers,
        int width,
        int heads,
        int keyValueHeads,
        int headDimension,
        int hidden,
        int vocabulary,
        int context,
        Norm norm,
        float normEpsilon,
        Position position,
        Activation activation,
        Biases biases,
        boolean queryKeyNorm,
        boolean tiedHead,
        int window) {

    /// Positions times channels of the table of rotations, when it has grown to the whole context (a gigabyte).
    private static final int MOST_ROTATIONS = 1 << 28;
    /// Counts of weights and of operations stay exact far below this.
    private static final double MOST_WEIGHTS = 0x1p52;

    /// Kinds of normalisation.
    public enum Norm {
        /// Zhang and Sennrich 2019: a gain.
        RMS,
        /// Ba et al. 2016: a gain and a bias.
        LAYER
    }

    /// Kinds of MLP.
    public enum Activation {
        /// Gated: `down(silu(gate(x)) * up(x))` (Shazeer 2020).
        SWIGLU,
        /// `down(gelu(up(x)))`, the tanh form (Hendrycks and Gimpel 2016).
        GELU,
        /// `down(relu(up(x))^2)` (So et al. 2021).
        RELU_SQUARED
    }

    /// Which matrix products add a bias.
    public enum Biases {
        NONE,
        /// Query, key and value (Qwen2).
        QUERY_KEY_VALUE,
        /// Those and the attention's output.
        ATTENTION,
        /// All but the head (GPT-2).
        ALL
    }

    /// How positions enter.
    public sealed interface Position {
        /// A table of learned vectors, added to the embeddings.
        record Learned() implements Position {}

        /// Rotation of queries and keys (Su et al. 2021) in the half-split layout.
        ///
        /// @param theta base of the frequencies
        /// @param scaling how a model was stretched to longer contexts
        record Rotary(double theta, RotaryScaling scaling) implements Position {
            public Rotary {
                if (!(theta > 0) || Double.isInfinite(theta)) {
                    throw new IllegalArgumentException("rope theta must be positive, not " + theta);
                }
            }

            public Rotary(double theta) {
                this(theta, new RotaryScaling.None());
            }
        }
    }

    public TransformerConfig {
        positive("layers", layers);
        positive("width", width);
        positive("heads", heads);
        positive("key-value heads", keyValueHeads);
        positive("head dimension", headDimension);
        positive("hidden channels", hidden);
        positive("vocabulary", vocabulary);
        positive("context", context);
        positive("window", window);
        if (heads % keyValueHeads != 0) {
            throw new IllegalArgumentException(
                    "%d query heads cannot share %d key-value heads evenly".formatted(heads, keyValueHeads));
        }
        if (!(normEpsilon > 0 && normEpsilon < 1)) {
            throw new IllegalArgumentException("norm epsilon must be between 0 and 1, not " + normEpsilon);
        }
        if (position instanceof Position.Rotary && headDimension % 2 != 0) {
            throw new IllegalArgumentException(
                    "rotary positions turn pairs of channels: the head dimension must be even, not " + headDimension);
        }
        if (queryKeyNorm && !(position instanceof Position.Rotary)) {
            throw new IllegalArgumentException("query-key normalisation needs rotary positions");
        }
        if (position instanceof Position.Rotary && context > MOST_ROTATIONS / headDimension) {
            throw new IllegalArgumentException(
                    "a context of %,d positions with heads of %d channels needs more than %,d rotations; choose a shorter context"
                            .formatted(context, headDimension, MOST_ROTATIONS));
        }
        long fused = (heads + 2L * keyValueHeads) * headDimension;
        for (long rows : new long[] {fused, 2L * hidden, vocabulary}) {
            if (rows > Integer.MAX_VALUE || rows * width > Long.MAX_VALUE / 8) {
                throw new IllegalArgumentException("a weight of %,d rows of %,d is too large".formatted(rows, width));
            }
        }
        double largest = Math.max(fused, Math.max(2.0 * hidden, Math.max(vocabulary, context)));
        if ((4.0 * layers + 3) * largest * width > MOST_WEIGHTS) {
            throw new IllegalArgumentException(
                    "%,d layers of %,d channels with matrices of up to %,.0f rows are too large"
                            .formatted(layers, width, largest));
        }
    }

    private static void positive(String what, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be at least 1, not " + value);
        }
    }

    /// The default model of a depth, one dial: the Qwen3 layout with `64 * depth` channels, heads of 64, and an MLP of
    /// 8/3 the width (as many weights as the classic 4 without a gate), rounded up to a multiple of 64.
    public static TransformerConfig ofDepth(int depth, int vocabulary, int context) {
        positive("depth", depth);
        int width = Math.multiplyExact(64, depth);
        return new TransformerConfig(
                depth,
                width,
                depth,
                depth,
                64,
                (width * 8 / 3 + 63) / 64 * 64,
                vocabulary,
                context,
                Norm.RMS,
                1e-6f,
                new Position.Rotary(10_000),
                Activation.SWIGLU,
                Biases.NONE,
                true,
                true,
                Integer.MAX_VALUE);
    }

    /// A copy with some values changed.
    public TransformerConfig with(Consumer<Changes> change) {
        Changes changes = new Changes(this);
        change.accept(changes);
        return changes.build();
    }

    /// The values of a config, open to change; see [#with].
    public static final class Changes {
        public int layers;
        public int width;
        public int heads;
        public int keyValueHeads;
        public int headDimension;
        public int hidden;
        public int vocabulary;
        public int context;
        public Norm norm;
        public float normEpsilon;
        public Position position;
        public Activation activation;
        public Biases biases;
        public boolean queryKeyNorm;
        public boolean tiedHead;
        public int window;

        private Changes(TransformerConfig c) {
            layers = c.layers;
            width = c.width;
            heads = c.heads;
            keyValueHeads = c.keyValueHeads;
            headDimension = c.headDimension;
            hidden = c.hidden;
            vocabulary = c.vocabulary;
            context = c.context;
            norm = c.norm;
            normEpsilon = c.normEpsilon;
            position = c.position;
            activation = c.activation;
            biases = c.biases;
            queryKeyNorm = c.queryKeyNorm;
            tiedHead = c.tiedHead;
            window = c.window;
        }

        private TransformerConfig build() {
            return new TransformerConfig(
                    layers,
                    width,
                    heads,
                    keyValueHeads,
                    headDimension,
                    hidden,
                    vocabulary,
                    context,
                    norm,
                    normEpsilon,
                    position,
                    activation,
                    biases,
                    queryKeyNorm,
                    tiedHead,
                    window);
        }
    }

    /// Columns of a fused (query, key, value) row.
    public int fusedColumns() {
        return (heads + 2 * keyValueHeads) * headDimension;
    }

    /// Rows of the first matrix of the MLP: gate and up, or up alone.
    public int upRows() {
        return activation == Activation.SWIGLU ? 2 * hidden : hidden;
    }

    /// Weights in the matrices that every token is multiplied with:
    /// `layers * (C * (H + 2K) * D + H * D * C + C * up + F * C) + V * C`, the head included even when tied, the
    /// look-up of embeddings not.
    public long matrixParameters() {
        long attention = (long) width * fusedColumns() + (long) heads * headDimension * width;
        long mlp = (long) width * upRows() + (long) hidden * width;
        return layers * (attention + mlp) + (long) vocabulary * width;
    }

    /// All weights, each counted once.
    public long parameters() {
        long norms = (2L * layers + 1) * width * (norm == Norm.LAYER ? 2 : 1);
        long headNorms = queryKeyNorm ? 2L * layers * headDimension : 0;
        long positions = position instanceof Position.Learned ? (long) context * width : 0;
        long embedding = tiedHead ? 0 : (long) vocabulary * width;
        long bias = switch (biases) {
            case NONE -> 0;
            case QUERY_KEY_VALUE -> fusedColumns();
            case ATTENTION -> fusedColumns() + width;
            case ALL -> fusedColumns() + width + upRows() + width;
        };
        return matrixParameters() + norms + headNorms + positions + embedding + layers * bias;
    }

    /// Floating-point operations of a forward pass per token of sequences of `length`:
    /// `2 * matrixParameters() + 4 * layers * H * D * s`, where `s` is the mean number of positions
    /// that a query sees, `(length + 1) / 2` without a window. (Chowdhery et al. 2022, appendix B,
    /// counts `s = length`, as if the causal half were computed and thrown away.)
    public double forwardFlopsPerToken(int length) {
        double full = Math.min(window, length);
        double seen = (full * (full + 1) / 2 + (length - full) * full) / length;
        return 2.0 * matrixParameters() + 4.0 * layers * heads * headDimension * seen;
    }

    /// Floating-point operations of forward and backward pass per token: three times [#forwardFlopsPerToken], since
    /// each product has two on the way back.
    public double trainingFlopsPerToken(int length) {
        return 3 * forwardFlopsPerToken(length);
    }
}
