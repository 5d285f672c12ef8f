package ai.epitome.model;

import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.SplitMix64;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;

/// Small models with drawn weights for tests that need no file.
public final class Models {
    public static final int VOCABULARY = 257;

    private Models() {}

    /// Grouped-query attention, QK-norm, rotary positions, an untied head; weights large enough that predictions
    /// differ.
    public static Transformer modern(int context) {
        TransformerConfig config = TransformerConfig.ofDepth(2, VOCABULARY, context)
                .with(c -> {
                    c.width = 32;
                    c.headDimension = 8;
                    c.heads = 4;
                    c.keyValueHeads = 2;
                    c.hidden = 48;
                    c.tiedHead = false;
                });
        return drawn(config);
    }

    /// Learned positions, layer norms, biases everywhere.
    public static Transformer classic(int context) {
        return drawn(TransformerConfig.ofDepth(2, VOCABULARY, context).with(c -> {
            c.width = 32;
            c.headDimension = 8;
            c.heads = 4;
            c.keyValueHeads = 4;
            c.hidden = 64;
            c.norm = Norm.LAYER;
            c.position = new Position.Learned();
            c.activation = Activation.GELU;
            c.biases = Biases.ALL;
            c.queryKeyNorm = false;
        }));
    }

    public static Transformer drawn(TransformerConfig config) {
        return new Transformer(
                config,
                new Initialization(
                        5, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.5f, 0.5f));
    }

    /// Pseudo-random token ids.
    public static int[] tokens(int count, long seed) {
        SplitMix64 random = new SplitMix64(seed);
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = (int) (random.nextDouble() * 256);
        }
        return ids;
    }
}
