package ai.epitome.model.transformer;

import ai.epitome.model.transformer.Block.Linear;
import ai.epitome.model.transformer.Block.Norm;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.util.ArrayList;
import java.util.List;

/// What Hugging Face's files call the weights of a [Transformer], and where each lies in the fused parameters.
public final class WeightNames {
    private final List<Slice> slices = new ArrayList<>();

    private WeightNames() {}

    /// A tensor of a file: rows of a parameter.
    ///
    /// @param name what files call it
    /// @param parameter where its numbers are
    /// @param from first row
    /// @param to row after the last
    /// @param transposed whether files hold the transpose, (in, out) (GPT-2's matrices)
    public record Slice(String name, Parameter parameter, int from, int to, boolean transposed) {
        /// The rows within `tensor`, which is the parameter's value or its gradient.
        public Tensor of(Tensor tensor) {
            return tensor.slice(from, to);
        }

        /// The shape that files give it.
        public List<Integer> shape() {
            List<Integer> shape = new ArrayList<>();
            for (int dimension : parameter.shape()) {
                shape.add(dimension);
            }
            shape.set(0, to - from);
            return transposed ? shape.reversed() : shape;
        }
    }

    /// All tensors of a model's file.
    public static List<Slice> slices(Transformer model) {
        WeightNames names = new WeightNames();
        if (Layout.of(model.config()) == Layout.GPT2) {
            names.gpt2(model);
        } else {
            names.llama(model);
        }
        return List.copyOf(names.slices);
    }

    private void gpt2(Transformer model) {
        whole("transformer.wte.weight", model.embedding());
        whole("transformer.wpe.weight", model.positionEmbedding());
        for (int i = 0; i < model.blocks().size(); i++) {
            Block block = model.blocks().get(i);
            String name = "transformer.h.%d.".formatted(i);
            norm(name + "ln_1", block.attentionNorm());
            convolution(name + "attn.c_attn", block.queryKeyValue());
            convolution(name + "attn.c_proj", block.output());
            norm(name + "ln_2", block.mlpNorm());
            convolution(name + "mlp.c_fc", block.up());
            convolution(name + "mlp.c_proj", block.down());
        }
        norm("transformer.ln_f", model.finalNorm());
        if (!model.config().tiedHead()) {
            whole("lm_head.weight", model.head());
        }
    }

    private void llama(Transformer model) {
        TransformerConfig c = model.config();
        whole("model.embed_tokens.weight", model.embedding());
        whole("model.embed_positions.weight", model.positionEmbedding());
        int queries = c.heads() * c.headDimension();
        int keys = c.keyValueHeads() * c.headDimension();
        for (int i = 0; i < model.blocks().size(); i++) {
            Block block = model.blocks().get(i);
            String name = "model.layers.%d.".formatted(i);
            norm(name + "input_layernorm", block.attentionNorm());
            rows(name + "self_attn.q_proj", block.queryKeyValue(), 0, queries);
            rows(name + "self_attn.k_proj", block.queryKeyValue(), queries, queries + keys);
            rows(name + "self_attn.v_proj", block.queryKeyValue(), queries + keys, queries + 2 * keys);
            whole(name + "self_attn.q_norm.weight", block.queryGain());
            whole(name + "self_attn.k_norm.weight", block.keyGain());
            rows(name + "self_attn.o_proj", block.output(), 0, c.width());
            norm(name + "post_attention_layernorm", block.mlpNorm());
            if (c.activation() == Activation.SWIGLU) {
                rows(name + "mlp.gate_proj", block.up(), 0, c.hidden());
                rows(name + "mlp.up_proj", block.up(), c.hidden(), 2 * c.hidden());
            } else {
                rows(name + "mlp.up_proj", block.up(), 0, c.hidden());
            }
            rows(name + "mlp.down_proj", block.down(), 0, c.width());
        }
        norm("model.norm", model.finalNorm());
        if (!c.tiedHead()) {
            whole("lm_head.weight", model.head());
        }
    }

    private void whole(String name, Parameter parameter) {
        if (parameter != null) {
            slices.add(new Slice(name, parameter, 0, parameter.shape()[0], false));
        }
    }

    private void norm(String name, Norm norm) {
        whole(name + ".weight", norm.gain());
        whole(name + ".bias", norm.bias());
    }

    private void rows(String name, Linear linear, int from, int to) {
        slices.add(new Slice(name + ".weight", linear.weight(), from, to, false));
        if (linear.bias() != null) {
            slices.add(new Slice(name + ".bias", linear.bias(), from, to, false));
        }
    }

    /// GPT-2 calls a matrix product a convolution of width one and stores it (in, out).
    private void convolution(String name, Linear linear) {
        slices.add(
                new Slice(name + ".weight", linear.weight(), 0, linear.weight().shape()[0], true));
        whole(name + ".bias", linear.bias());
    }
}
