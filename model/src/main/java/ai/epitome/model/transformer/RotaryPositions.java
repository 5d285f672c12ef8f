package ai.epitome.model.transformer;

import ai.epitome.tensor.autograd.RotaryTable;

/// The rotary table of a model, as long as the positions that were asked for: over a context of a million positions it
/// would take half a gigabyte, and few texts come near its end. For any number of threads.
final class RotaryPositions {
    /// Positions of the first table: all that most runs and requests need.
    static final int FEW = 4096;

    private final float[] inverseFrequencies;
    private final float scale;
    private final int context;
    private volatile RotaryTable table;

    /// @param inverseFrequencies radians per position of each pair of channels
    /// @param scale what rotated channels are multiplied by
    /// @param context positions that the model has
    RotaryPositions(float[] inverseFrequencies, float scale, int context) {
        this.inverseFrequencies = inverseFrequencies;
        this.scale = scale;
        this.context = context;
        this.table = new RotaryTable(inverseFrequencies, scale, Math.min(context, FEW));
    }

    /// A table that covers these positions, as far as they are within the context. It is at least doubled when it
    /// grows, so that a long text makes it anew a few times only.
    RotaryTable covering(int[] positions) {
        int last = 0;
        for (int position : positions) {
            last = Math.max(last, position);
        }
        RotaryTable current = table;
        if (last >= current.length() && current.length() < context) {
            long length = Math.max(last + 1L, 2L * current.length());
            current = new RotaryTable(inverseFrequencies, scale, (int) Math.min(context, length));
            table = current;
        }
        return current;
    }
}
