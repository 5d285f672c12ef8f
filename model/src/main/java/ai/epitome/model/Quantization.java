package ai.epitome.model;

import ai.epitome.tensor.BlockFormat;

/// Which format each tensor of a GGUF file gets.
///
/// Vectors and learned positions stay f32. The head, or the embedding where it is the head, decides between tokens and
/// keeps more bits, as llama.cpp has it: Q6_K, or Q8_0 where its rows are no whole blocks of that. Rows that are no
/// whole blocks of a format get the next larger one that they fill.
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
        boolean plain = format.blockValues() == 1;
        boolean head = name.equals(config.tiedHead() ? "token_embd.weight" : "output.weight");
        return !plain && !pure && head ? BlockFormat.Q8_0 : format;
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
