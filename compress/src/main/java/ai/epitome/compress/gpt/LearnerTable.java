package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.ExactKernels;

/// Rows that are added to the embedding of a byte, one for each of its contexts. Contexts that share a row are not told
/// apart. A row learns by itself when it was read: its step is the gradient divided by the root of the sum of its mean
/// squares so far (Duchi, Hazan and Singer 2011, for whole rows), so that rare contexts take large steps.
///
/// There are two copies: one that is trained, and one to predict by.
final class LearnerTable {
    private static final float LEAST = 1e-30f;

    private final ExactKernels kernels;
    private final int columns;
    private final float[] trained; // (rows, columns)
    private final float[] published;
    private final float[] squares; // (rows)

    LearnerTable(int rows, int columns, ExactKernels kernels) {
        this.kernels = kernels;
        this.columns = columns;
        trained = new float[rows * columns];
        published = new float[rows * columns];
        squares = new float[rows];
    }

    /// Adds the row of the copy that is trained to `x`.
    void addTrained(int row, float[] x, int at) {
        kernels.add(x, at, trained, row * columns, columns);
    }

    /// Adds the row of the copy to predict by.
    void addPublished(int row, float[] x, int at) {
        kernels.add(x, at, published, row * columns, columns);
    }

    void update(int row, float[] gradient, int at, float rate) {
        float square = kernels.dot(gradient, at, gradient, at, columns) / columns;
        squares[row] += square;
        float factor = -rate / (float) Math.sqrt(squares[row] + LEAST);
        int to = row * columns;
        for (int i = 0; i < columns; i++) {
            trained[to + i] = Math.fma(factor, gradient[at + i], trained[to + i]);
        }
    }

    /// Takes over what these rows, from `from` on, have learned.
    void publish(int[] rows, int from) {
        for (int i = from; i < rows.length; i++) {
            System.arraycopy(trained, rows[i] * columns, published, rows[i] * columns, columns);
        }
    }
}
