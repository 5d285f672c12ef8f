package ai.epitome.train;

import ai.epitome.model.Transformer;
import ai.epitome.tensor.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/// Stands for the weights that a run begins with.
public final class WeightSum {
    /// Bytes of a weight that are summed at a time: a buffer holds less than 2 GB.
    private static final long PIECE = 1 << 30;

    private WeightSum() {}

    /// CRC-32C of all weights, in hexadecimal.
    public static String of(Transformer model) {
        CRC32C sum = new CRC32C();
        for (Parameter parameter : model.parameters()) {
            MemorySegment data = parameter.value().data();
            for (long from = 0; from < data.byteSize(); from += PIECE) {
                sum.update(data.asSlice(from, Math.min(PIECE, data.byteSize() - from))
                        .asByteBuffer());
            }
        }
        return "%08x".formatted(sum.getValue());
    }
}
