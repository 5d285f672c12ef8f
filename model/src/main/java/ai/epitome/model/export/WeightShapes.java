package ai.epitome.model.export;

import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import java.util.ArrayList;
import java.util.List;

/// Names and shapes of a model's weights in Hugging Face's files, without the model: what
/// [ai.epitome.model.transformer.WeightNames] says of one in memory.
final class WeightShapes {
    /// One of them, in the orientation in which models compute, (out, in).
    ///
    /// @param name what files call it
    /// @param rows of a matrix, or elements of a vector
    /// @param columns of a matrix, 1 of a vector
    /// @param vector whether it has one dimension
    /// @param transposed whether Hugging Face's files hold the transpose, (in, out) (GPT-2's matrices)
    record Shape(String name, int rows, int columns, boolean vector, boolean transposed) {
        /// The dimensions in Hugging Face's files.
        List<Integer> fileShape() {
            return vector ? List.of(rows) : transposed ? List.of(columns, rows) : List.of(rows, columns);
        }

        long values() {
            return (long) rows * columns;
        }
    }

    private final TransformerConfig c;
    private final List<Shape> shapes = new ArrayList<>();

    private WeightShapes(TransformerConfig config) {
        this.c = config;
    }

    /// All weights of a model of this shape, in the order of [ai.epitome.model.transformer.WeightNames].
    static List<Shape> of(TransformerConfig config) {
        WeightShapes shapes = new WeightShapes(config);
        if (Layout.of(config) == Layout.GPT2) {
            shapes.gpt2();
        } else {
            shapes.llama();
        }
        return List.copyOf(shapes.shapes);
    }

    private void gpt2() {
        matrix("transformer.wte.weight", c.vocabulary(), c.width());
        matrix("transformer.wpe.weight", c.context(), c.width());
        for (int i = 0; i < c.layers(); i++) {
            String name = "transformer.h.%d.".formatted(i);
            norm(name + "ln_1");
            convolution(name + "attn.c_attn", c.fusedColumns(), c.width());
            convolution(name + "attn.c_proj", c.width(), c.heads() * c.headDimension());
            norm(name + "ln_2");
            convolution(name + "mlp.c_fc", c.hidden(), c.width());
            convolution(name + "mlp.c_proj", c.width(), c.hidden());
        }
        norm("transformer.ln_f");
        head();
    }

    private void llama() {
        matrix("model.embed_tokens.weight", c.vocabulary(), c.width());
        if (c.position() instanceof Position.Learned) {
            matrix("model.embed_positions.weight", c.context(), c.width());
        }
        boolean projections = c.biases() != Biases.NONE;
        boolean output = projections && c.biases() != Biases.QUERY_KEY_VALUE;
        boolean mlp = c.biases() == Biases.ALL;
        int queries = c.heads() * c.headDimension();
        int keys = c.keyValueHeads() * c.headDimension();
        for (int i = 0; i < c.layers(); i++) {
            String name = "model.layers.%d.".formatted(i);
            norm(name + "input_layernorm");
            linear(name + "self_attn.q_proj", queries, c.width(), projections);
            linear(name + "self_attn.k_proj", keys, c.width(), projections);
            linear(name + "self_attn.v_proj", keys, c.width(), projections);
            if (c.queryKeyNorm()) {
                vector(name + "self_attn.q_norm.weight", c.headDimension());
                vector(name + "self_attn.k_norm.weight", c.headDimension());
            }
            linear(name + "self_attn.o_proj", c.width(), queries, output);
            norm(name + "post_attention_layernorm");
            if (c.activation() == Activation.SWIGLU) {
                linear(name + "mlp.gate_proj", c.hidden(), c.width(), mlp);
            }
            linear(name + "mlp.up_proj", c.hidden(), c.width(), mlp);
            linear(name + "mlp.down_proj", c.width(), c.hidden(), mlp);
        }
        norm("model.norm");
        head();
    }

    private void head() {
        if (!c.tiedHead()) {
            matrix("lm_head.weight", c.vocabulary(), c.width());
        }
    }

    private void matrix(String name, int rows, int columns) {
        shapes.add(new Shape(name, rows, columns, false, false));
    }

    private void vector(String name, int length) {
        shapes.add(new Shape(name, length, 1, true, false));
    }

    private void norm(String name) {
        vector(name + ".weight", c.width());
        if (c.norm() == Norm.LAYER) {
            vector(name + ".bias", c.width());
        }
    }

    private void linear(String name, int rows, int columns, boolean bias) {
        matrix(name + ".weight", rows, columns);
        if (bias) {
            vector(name + ".bias", rows);
        }
    }

    private void convolution(String name, int rows, int columns) {
        shapes.add(new Shape(name + ".weight", rows, columns, false, true));
        vector(name + ".bias", rows);
    }
}
