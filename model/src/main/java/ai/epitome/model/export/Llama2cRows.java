package ai.epitome.model.export;

import ai.epitome.model.export.WeightShapes.Shape;
import ai.epitome.model.llama2c.Llama2cCheckpoint;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The weights of a checkpoint of llama2.c by Hugging Face's names, in our order of rows.
final class Llama2cRows {
    private Llama2cRows() {}

    static List<StoredWeight> of(Llama2cCheckpoint checkpoint) {
        int headDimension = checkpoint.config().headDimension();
        List<StoredWeight> weights = new ArrayList<>();
        for (Shape shape : WeightShapes.of(checkpoint.config())) {
            MemorySegment data = checkpoint.data(shape.name(), shape.values());
            StoredWeight weight = new StoredWeight(
                    shape,
                    BlockFormat.F32,
                    (row, target) -> BlockFormat.F32.expand(data, 4L * row * shape.columns(), shape.columns(), target));
            boolean turned = RotaryRows.turns(shape.name());
            weights.add(turned ? weight.reordered(row -> RotaryRows.neighbouring(row, headDimension)) : weight);
        }
        return weights;
    }
}
