package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.block.BlockMatrix;

/// Rows of a table, picked by token id, as the f32 residual stream. Backward adds each row's gradient to its table
/// row.
final class EmbeddingOperation {
    /// Channels that one task of the backward pass owns. Tasks split the channels and not the tokens, since a token
    /// may occur twice; four cache lines of a row keep two threads apart.
    private static final int CHANNELS = 64;

    private EmbeddingOperation() {}

    static Tensor apply(Tape tape, int[] ids, Parameter table) {
        BlockMatrix blocks = table.blocks();
        Tensor rows = blocks == null ? table.value() : null;
        int columns = table.shape()[1];
        check(ids, table.shape()[0], table.name());
        Tensor y = tape.allocate(DType.F32, ids.length, columns);
        tape.backend().workers().rows(ids.length, 64, (from, to, scratch) -> {
            float[] row = scratch.floats(0, columns);
            for (int n = from; n < to; n++) {
                if (blocks == null) {
                    Rows.load(rows, (long) ids[n] * columns, row, columns);
                } else {
                    blocks.expand(ids[n], row);
                }
                Rows.store(row, y, (long) n * columns, columns);
            }
        });
        tape.record(y, table.trainable(), () -> scatter(tape, ids, y.gradient(), table.gradient()));
        return y;
    }

    private static void scatter(Tape tape, int[] ids, Tensor dy, Tensor target) {
        int columns = dy.columns();
        int tasks = (columns + CHANNELS - 1) / CHANNELS;
        tape.backend().workers().run(tasks, (task, scratch) -> {
            int start = task * CHANNELS;
            int count = Math.min(CHANNELS, columns - start);
            float[] gradient = scratch.floats(0, count);
            float[] sum = scratch.floats(1, count);
            for (int n = 0; n < ids.length; n++) {
                Rows.load(dy, (long) n * columns + start, gradient, count);
                Rows.add(gradient, target, (long) ids[n] * columns + start, count, sum);
            }
        });
    }

    private static void check(int[] ids, int vocabulary, String name) {
        for (int n = 0; n < ids.length; n++) {
            if (ids[n] < 0 || ids[n] >= vocabulary) {
                throw new IllegalArgumentException(
                        "token id %d at position %d: %s has ids 0 to %d".formatted(ids[n], n, name, vocabulary - 1));
            }
        }
    }
}
