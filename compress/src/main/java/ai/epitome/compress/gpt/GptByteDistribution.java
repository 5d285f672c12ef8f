package ai.epitome.compress.gpt;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.OptionalInt;

/// What a byte-level model expects next, for a mixer.
public final class GptByteDistribution implements ByteDistribution {
    private static final int BYTES = 256;

    private final ExactTransformer transformer;
    private final ExactKernels kernels;
    private final ExactSequence sequence;
    private final ExactSequence[] rows;
    private final Frequencies frequencies = new Frequencies(BYTES);

    /// @param transformer a model whose first 256 tokens are the bytes
    /// @param start the token that texts follow, or none
    public GptByteDistribution(ExactTransformer transformer, ExactKernels kernels, OptionalInt start) {
        if (transformer.config().vocabulary() < BYTES) {
            throw new IllegalArgumentException("a model of %d tokens does not know all bytes"
                    .formatted(transformer.config().vocabulary()));
        }
        this.transformer = transformer;
        this.kernels = kernels;
        sequence = transformer.newSequence();
        rows = new ExactSequence[] {sequence};
        start.ifPresent(this::read);
    }

    @Override
    public void frequencies(int[] target) {
        frequencies.scaled(target);
    }

    @Override
    public void append(int value) {
        read(value);
    }

    private void read(int token) {
        transformer.makeRoom(sequence);
        transformer.read(rows, new int[] {token}, 1);
        frequencies.set(kernels, transformer.logits(0, 1), 0);
    }
}
