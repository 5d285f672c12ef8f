package ai.epitome.model.transformer;

import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.tensor.autograd.Parameter;

/// The weights of one transformer block. Matrices are (out, in); what a config does not have is null.
///
/// @param attentionNorm normalisation before attention
/// @param queryKeyValue fused projections, ((H + 2K) D, C)
/// @param queryGain gain of the queries' norm, (D), or null
/// @param keyGain gain of the keys' norm, (D), or null
/// @param output projection of the heads' results, (C, H D)
/// @param mlpNorm normalisation before the MLP
/// @param up gate and up projection fused, (2F, C), or up alone, (F, C)
/// @param down projection back, (C, F)
record Block(
        Norm attentionNorm,
        Linear queryKeyValue,
        Parameter queryGain,
        Parameter keyGain,
        Linear output,
        Norm mlpNorm,
        Linear up,
        Linear down) {

    /// A matrix and its bias, which may be null.
    record Linear(Parameter weight, Parameter bias) {}

    /// A gain, and a bias or null.
    record Norm(Parameter gain, Parameter bias) {}

    static Block create(ParameterList list, TransformerConfig c, int layer) {
        String name = "layers.%d.".formatted(layer);
        Biases b = c.biases();
        return new Block(
                norm(list, c, name + "attention_norm"),
                linear(
                        list,
                        name + "attention.query_key_value",
                        Role.MATRIX,
                        c.fusedColumns(),
                        c.width(),
                        b != Biases.NONE),
                c.queryKeyNorm() ? list.add(name + "attention.query_norm.gain", Role.GAIN, c.headDimension()) : null,
                c.queryKeyNorm() ? list.add(name + "attention.key_norm.gain", Role.GAIN, c.headDimension()) : null,
                linear(
                        list,
                        name + "attention.output",
                        Role.OUTPUT_MATRIX,
                        c.width(),
                        c.heads() * c.headDimension(),
                        b == Biases.ATTENTION || b == Biases.ALL),
                norm(list, c, name + "mlp_norm"),
                linear(list, name + upName(c), Role.MATRIX, c.upRows(), c.width(), b == Biases.ALL),
                linear(list, name + "mlp.down", Role.OUTPUT_MATRIX, c.width(), c.hidden(), b == Biases.ALL));
    }

    private static String upName(TransformerConfig c) {
        return c.activation() == Activation.SWIGLU ? "mlp.gate_up" : "mlp.up";
    }

    static Norm norm(ParameterList list, TransformerConfig c, String name) {
        return new Norm(
                list.add(name + ".gain", Role.GAIN, c.width()),
                c.norm() == TransformerConfig.Norm.LAYER ? list.add(name + ".bias", Role.BIAS, c.width()) : null);
    }

    private static Linear linear(ParameterList list, String name, Role role, int out, int in, boolean bias) {
        return new Linear(
                list.add(name + ".weight", role, out, in), bias ? list.add(name + ".bias", Role.BIAS, out) : null);
    }
}
