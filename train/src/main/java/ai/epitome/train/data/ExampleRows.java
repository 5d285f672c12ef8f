package ai.epitome.train.data;

import java.util.Arrays;
import java.util.List;

/// Rows that hold [Example]s side by side; see [Packing]. Rows are the same in each epoch.
///
/// ```
/// row      | example 7            | example 2  |filler|
/// starts   | 0 0 0 0 0 0 0 0 0 0 0| 11 11 11 11|15 16 |
/// targets  | - - - - a b c - - d e| -  -  f  g | -  - |   - is NO_TARGET
/// ```
final class ExampleRows implements BatchStream.Rows {
    private final List<Example> examples;
    private final Packing packing;
    private final int filler;
    private final int length;

    private ExampleRows(List<Example> examples, Packing packing, int filler, int length) {
        this.examples = examples;
        this.packing = packing;
        this.filler = filler;
        this.length = length;
    }

    static ExampleRows of(List<Example> examples, int filler, int length) throws CorpusException {
        if (examples.isEmpty()) {
            throw new CorpusException("there is no example to learn from");
        }
        int[] lengths = new int[examples.size()];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = examples.get(i).tokens().length - 1;
            if (lengths[i] > length) {
                throw new IllegalArgumentException(
                        "an example of %d tokens in rows of %d".formatted(lengths[i] + 1, length));
            }
        }
        return new ExampleRows(examples, Packing.bestFit(lengths, length), filler, length);
    }

    @Override
    public long count() {
        return packing.rows();
    }

    @Override
    public boolean hasSegments() {
        return true;
    }

    @Override
    public void fill(long epoch, long row, int[] inputs, int[] targets, int[] starts, int offset) {
        int at = 0;
        for (int i = packing.rowStart()[(int) row]; i < packing.rowStart()[(int) row + 1]; i++) {
            Example example = examples.get(packing.segments()[i]);
            int size = example.tokens().length - 1;
            System.arraycopy(example.tokens(), 0, inputs, offset + at, size);
            Arrays.fill(starts, offset + at, offset + at + size, at);
            for (int t = 0; t < size; t++) {
                targets[offset + at + t] = example.learned()[t + 1] ? example.tokens()[t + 1] : Batch.NO_TARGET;
            }
            at += size;
        }
        for (; at < length; at++) {
            inputs[offset + at] = filler;
            targets[offset + at] = Batch.NO_TARGET;
            starts[offset + at] = at; // sees itself alone: attention over nothing would divide by zero
        }
    }
}
