package ai.epitome.train;

import ai.epitome.model.transformer.Transformer;
import java.util.zip.CRC32C;

/// Stands for the weights that a run begins with.
public final class WeightSum {
    private WeightSum() {}

    /// CRC-32C of all weights as they are held, in hexadecimal.
    public static String of(Transformer model) {
        CRC32C sum = new CRC32C();
        model.parameters().forEach(parameter -> parameter.read(sum::update));
        return "%08x".formatted(sum.getValue());
    }
}
