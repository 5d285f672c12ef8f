package ai.epitome.compress.gpt;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.exact.PackedMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The weights of a model as the exact forward pass reads them. What a config does not have is null.
///
/// @param embedding (V, C), row-major
/// @param positions (context, C), row-major
/// @param blocks in order
/// @param finalNorm before the head
/// @param head to the logits
/// @param cosines (capacity, D/2) of the rotary angles
/// @param sines (capacity, D/2)
record ExactWeights(
        float[] embedding,
        float[] positions,
        List<Block> blocks,
        Norm finalNorm,
        Linear head,
        float[] cosines,
        float[] sines) {

    /// A gain, and a bias or null.
    record Norm(float[] gain, float[] bias) {}

    /// A matrix and its bias or null.
    record Linear(PackedMatrix matrix, float[] bias) {}

    /// One block.
    record Block(
            Norm attentionNorm,
            Linear queryKeyValue,
            float[] queryGain,
            float[] keyGain,
            Linear output,
            Norm mlpNorm,
            Linear gate,
            Linear up,
            Linear down) {}

    /// Copies a model's weights.
    ///
    /// @param capacity positions to make rotations for
    static ExactWeights of(Transformer model, int capacity) {
        Map<String, Parameter> parameters = new HashMap<>();
        model.parameters().forEach(parameter -> parameters.put(parameter.name(), parameter));
        return new Source(model.config(), parameters).read(capacity);
    }

    private record Source(TransformerConfig config, Map<String, Parameter> parameters) {
        private ExactWeights read(int capacity) {
            List<Block> blocks = new ArrayList<>();
            for (int layer = 0; layer < config.layers(); layer++) {
                blocks.add(block("layers.%d.".formatted(layer)));
            }
            String head = config.tiedHead() ? "embedding" : "head";
            float[][] rotations = rotations(config, capacity);
            return new ExactWeights(
                    values("embedding"),
                    values("position_embedding"),
                    List.copyOf(blocks),
                    norm("final_norm"),
                    new Linear(pack(values(head), 0, config.vocabulary(), config.width()), null),
                    rotations[0],
                    rotations[1]);
        }

        private Block block(String name) {
            boolean gated = config.activation() == Activation.SWIGLU;
            String up = name + (gated ? "mlp.gate_up" : "mlp.up");
            int hidden = config.hidden();
            return new Block(
                    norm(name + "attention_norm"),
                    linear(name + "attention.query_key_value", 0, config.fusedColumns(), config.width()),
                    values(name + "attention.query_norm.gain"),
                    values(name + "attention.key_norm.gain"),
                    linear(name + "attention.output", 0, config.width(), config.heads() * config.headDimension()),
                    norm(name + "mlp_norm"),
                    gated ? linear(up, 0, hidden, config.width()) : null,
                    linear(up, gated ? hidden : 0, hidden, config.width()),
                    linear(name + "mlp.down", 0, config.width(), hidden));
        }

        private Norm norm(String name) {
            return new Norm(values(name + ".gain"), values(name + ".bias"));
        }

        /// Rows `from` to `from + rows - 1` of a layer.
        private Linear linear(String name, int from, int rows, int depth) {
            float[] bias = values(name + ".bias");
            return new Linear(
                    pack(values(name + ".weight"), from, rows, depth),
                    bias == null ? null : Arrays.copyOfRange(bias, from, from + rows));
        }

        private static PackedMatrix pack(float[] weights, int from, int rows, int depth) {
            PackedMatrix matrix = new PackedMatrix(depth, rows);
            matrix.packTransposed(weights, from * depth);
            return matrix;
        }

        private float[] values(String name) {
            Parameter parameter = parameters.get(name);
            return parameter == null ? null : parameter.toFloats();
        }
    }

    /// Cosines and sines for `capacity` positions, by functions that are bit-exact by specification; nulls without
    /// rotary positions.
    static float[][] rotations(TransformerConfig config, int capacity) {
        if (!(config.position() instanceof Position.Rotary rotary)) {
            return new float[2][];
        }
        float[] frequencies = rotary.scaling().inverseFrequencies(rotary.theta(), config.headDimension());
        float scale = rotary.scaling().scale();
        float[][] tables = new float[2][capacity * frequencies.length];
        for (int position = 0; position < capacity; position++) {
            for (int i = 0; i < frequencies.length; i++) {
                float angle = position * frequencies[i];
                tables[0][position * frequencies.length + i] = (float) StrictMath.cos(angle) * scale;
                tables[1][position * frequencies.length + i] = (float) StrictMath.sin(angle) * scale;
            }
        }
        return tables;
    }
}
