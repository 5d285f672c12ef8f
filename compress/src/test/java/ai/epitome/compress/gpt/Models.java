package ai.epitome.compress.gpt;

import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.autograd.Parameter;
import java.util.List;
import java.util.Random;

/// Small models with drawn weights, one of each kind.
final class Models {
    static final int CONTEXT = 48;

    private Models() {}

    /// Grouped-query attention, QK-norm, an untied head.
    static TransformerConfig modern() {
        return TransformerConfig.ofDepth(2, 257, CONTEXT).with(c -> {
            c.width = 40;
            c.headDimension = 12;
            c.heads = 4;
            c.keyValueHeads = 2;
            c.hidden = 50;
            c.tiedHead = false;
        });
    }

    static List<TransformerConfig> configs() {
        return List.of(
                modern(),
                modern().with(c -> {
                    c.window = 9;
                    c.queryKeyNorm = false;
                    c.activation = Activation.RELU_SQUARED;
                    c.biases = Biases.QUERY_KEY_VALUE;
                    c.position = new Position.Rotary(500, new RotaryScaling.Llama3(8, 1, 4, 24));
                }),
                modern().with(c -> {
                    c.norm = Norm.LAYER;
                    c.queryKeyNorm = false;
                    c.position = new Position.Learned();
                    c.activation = Activation.GELU;
                    c.biases = Biases.ALL;
                    c.keyValueHeads = 4;
                    c.headDimension = 40;
                    c.tiedHead = true;
                }),
                modern().with(c -> c.biases = Biases.ALL));
    }

    /// Weights that depend on a seed alone, gains and biases too; close with [Transformer#close].
    static Transformer drawn(TransformerConfig config) {
        Transformer model = new Transformer(
                config,
                new Initialization(
                        5, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.5f, 0.5f));
        Random random = new Random(7);
        for (Parameter parameter : model.parameters()) {
            if (parameter.value().shape().length == 1) {
                for (int i = 0; i < parameter.value().size(); i++) {
                    parameter.value().set(i, parameter.value().get(i) + 0.3f * random.nextFloat());
                }
                parameter.changed();
            }
        }
        return model;
    }

    static int[] tokens(int count, long seed) {
        return new Random(seed).ints(count, 0, 256).toArray();
    }
}
