package ai.epitome.model.export;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.model.Models;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.WeightNames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WeightShapesTest {
    private static void equalThoseOfTheModel(TransformerConfig config) {
        List<List<Object>> named = new ArrayList<>();
        try (Transformer model = new Transformer(config)) {
            for (WeightNames.Slice slice : WeightNames.slices(model)) {
                named.add(List.of(slice.name(), slice.shape(), slice.transposed()));
            }
        }
        List<List<Object>> shapes = new ArrayList<>();
        for (WeightShapes.Shape shape : WeightShapes.of(config)) {
            shapes.add(List.of(shape.name(), shape.fileShape(), shape.transposed()));
        }
        assertThat(shapes).as("%s", config).isEqualTo(named);
    }

    @Test
    void namesAndShapesAreThoseOfTheModelInMemory() {
        TransformerConfig modern = TransformerConfig.ofDepth(2, 300, 64).with(c -> {
            c.heads = 4;
            c.keyValueHeads = 2;
            c.headDimension = 16;
        });
        for (Biases biases : Biases.values()) {
            for (boolean flag : new boolean[] {true, false}) {
                equalThoseOfTheModel(modern.with(c -> {
                    c.biases = biases;
                    c.queryKeyNorm = flag;
                    c.tiedHead = !flag;
                }));
            }
            equalThoseOfTheModel(modern.with(c -> {
                c.biases = biases;
                c.activation = Activation.RELU_SQUARED;
                c.norm = TransformerConfig.Norm.LAYER;
            }));
        }
        equalThoseOfTheModel(Models.classic(64).config());
        equalThoseOfTheModel(Models.classic(64).config().with(c -> c.tiedHead = false));
        equalThoseOfTheModel(Models.classic(64).config().with(c -> c.biases = Biases.NONE));
    }
}
