package ai.epitome.model.export;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.format.BlockFormat;

/// Which format each tensor of a GGUF file gets. Vectors and learned positions stay f32.
///
/// Not all matrices bear the same loss of bits, so the usual mixture is llama.cpp's (`Q4_K_M` and its like):
///
/// | tensor | asked for | gets |
/// |---|---|---|
/// | the head, or the embedding where it is the head | anything below Q8_0 | Q6_K |
/// | values, and the MLP's way down, in some layers: the first and last eighth, each third between | Q4_K | Q6_K |
/// | queries, keys and values in one (GPT-2) | Q4_K | Q5_K |
///
/// Rows that are no whole blocks of a format get a larger one that they fill: Q5_0 for Q4_K, Q8_0 for Q5_K
/// and Q6_K, F16 for the others.
///
/// @param format of matrices
/// @param pure whether all matrices get it, as far as their rows allow
public record Quantization(BlockFormat format, boolean pure) {
    /// All matrices in one format.
    public static Quantization pure(BlockFormat format) {
        return new Quantization(format, true);
    }

    /// The usual mixture.
    public static Quantization mixed(BlockFormat format) {
        return new Quantization(format, false);
    }

    /// @param name of the tensor in GGUF
    BlockFormat of(String name, WeightShapes.Shape shape, TransformerConfig config) {
        if (shape.vector() || name.startsWith("position_embd")) {
            return BlockFormat.F32;
        }
        return fitting(wanted(name, config), shape.columns());
    }

    private BlockFormat wanted(String name, TransformerConfig config) {
        if (pure || format.blockValues() == 1 || format == BlockFormat.Q8_0) {
            return format;
        }
        if (name.equals(config.tiedHead() ? "token_embd.weight" : "output.weight")) {
            return BlockFormat.Q6_K;
        }
        if (format != BlockFormat.Q4_K) {
            return format;
        }
        if (name.endsWith(".attn_qkv.weight")) {
            return BlockFormat.Q5_K;
        }
        boolean tender = name.endsWith(".attn_v.weight") || name.endsWith(".ffn_down.weight");
        return tender && keepsMore(layer(name), config.layers()) ? BlockFormat.Q6_K : format;
    }

    /// `blk.12.attn_v.weight` is of layer 12.
    private static int layer(String name) {
        return Integer.parseInt(name.split("\\.")[1]);
    }

    private static boolean keepsMore(int layer, int layers) {
        int eighth = layers / 8;
        return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
    }

    /// The format, or the next larger one whose blocks fill rows of so many columns.
    private static BlockFormat fitting(BlockFormat format, int columns) {
        if (columns % format.blockValues() == 0) {
            return format;
        }
        return switch (format) {
            case Q4_K -> fitting(BlockFormat.Q5_0, columns);
            case Q5_K, Q6_K -> fitting(BlockFormat.Q8_0, columns);
            default -> BlockFormat.F16;
        };
    }

    /// `general.file_type`, which llama.cpp shows.
    int fileType() {
        return switch (format) {
            case F32 -> 0;
            case F16 -> 1;
            case Q4_0 -> 2;
            case Q4_1 -> 3;
            case Q8_0 -> 7;
            case Q5_0 -> 8;
            case Q4_K -> pure ? 14 : 15;
            case Q5_K -> pure ? 16 : 17;
            case Q6_K -> 18;
            case BF16 -> 32;
        };
    }
}
