package ai.epitome.model.export;

import ai.epitome.model.export.WeightShapes.Shape;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.gguf.Gguf;
import ai.epitome.model.gguf.Gguf.Entry;
import ai.epitome.model.gguf.GgufModel;
import ai.epitome.model.gguf.GgufWeights;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.format.BlockFormat;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The weights of a GGUF file by Hugging Face's names, in our order of rows.
final class GgufRows {
    private GgufRows() {}

    static List<StoredWeight> of(Gguf gguf, TransformerConfig config) throws MalformedModelException {
        boolean neighbours = GgufModel.turnsNeighbours(gguf);
        Set<String> unknown = new HashSet<>(gguf.entries().keySet());
        List<StoredWeight> weights = new ArrayList<>();
        for (Shape shape : WeightShapes.of(config)) {
            String name = GgufWeights.name(shape.name());
            weights.add(weight(gguf, name, shape, neighbours ? config.headDimension() : 0));
            unknown.remove(name);
        }
        GgufModel.requireNoMore(gguf, unknown);
        return weights;
    }

    /// @param turnedHead channels of a head whose rows are in the order of neighbouring pairs, or 0
    private static StoredWeight weight(Gguf gguf, String name, Shape shape, int turnedHead)
            throws MalformedModelException {
        Entry entry = gguf.entry(name, shape.vector() ? List.of(shape.rows()) : List.of(shape.rows(), shape.columns()));
        StoredWeight weight = new StoredWeight(shape, entry.format(), rows(entry, shape));
        boolean turned = turnedHead > 0 && RotaryRows.turns(shape.name());
        return turned ? weight.reordered(row -> RotaryRows.neighbouring(row, turnedHead)) : weight;
    }

    private static StoredWeight.Rows rows(Entry entry, Shape shape) {
        BlockFormat format = entry.format();
        if (shape.vector() && format.blockValues() > 1) {
            float[] values = GgufWeights.values(entry);
            return (row, target) -> target[0] = values[row];
        }
        return (row, target) ->
                format.expand(entry.data(), format.bytesOf((long) row * shape.columns()), shape.columns(), target);
    }
}
