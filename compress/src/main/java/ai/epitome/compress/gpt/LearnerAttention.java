package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;
import ai.epitome.tensor.exact.PackedRows;
import java.util.Arrays;

/// Causal attention of one head over one training window, and its way back. Rows are T positions, D channels a head.
///
/// `S = Q Kᵀ`, `P = softmax(scale S)` where a position sees itself and those before it, `O = P V`. Back:
/// `dV = Pᵀ dO`, `dP = dO Vᵀ`, `dS = scale P (dP - rowsum(P dP))`, `dQ = dS K`, `dK = dSᵀ Q`.
final class LearnerAttention {
    private final ExactKernels kernels;
    private final int length; // T
    private final int dimension; // D
    private final float scale;
    private final PackedRows left = new PackedRows();
    private final PackedMatrix across; // (D, T)
    private final PackedMatrix along; // (T, D)
    private final float[] probabilities; // (T, T)
    private final float[] scoreGradients; // (T, T)
    private final float[] result; // (T, D)

    LearnerAttention(ExactKernels kernels, int length, int dimension) {
        this.kernels = kernels;
        this.length = length;
        this.dimension = dimension;
        scale = 1f / (float) Math.sqrt(dimension);
        across = new PackedMatrix(dimension, length);
        along = new PackedMatrix(length, dimension);
        int rows = PackedRows.padded(length);
        probabilities = new float[rows * length];
        scoreGradients = new float[rows * length];
        result = new float[rows * dimension];
    }

    /// Where the head's queries, keys and values begin in fused rows, and how far rows are apart.
    record Place(int query, int key, int value, int stride) {}

    /// Writes the head's results to `heads` from `to` on.
    void forward(float[] qkv, Place at, float[] heads, int to, int stride) {
        left.pack(qkv, at.query, at.stride, length, dimension);
        across.packTransposed(qkv, at.key, at.stride);
        across.multiply(kernels, left, 0, across.panels(), probabilities, length);
        for (int i = 0; i < length; i++) {
            int row = i * length;
            float maximum = kernels.maximum(probabilities, row, i + 1);
            kernels.exponentials(probabilities, row, i + 1, scale, maximum * scale);
            float sum = kernels.sum(probabilities, row, i + 1);
            kernels.scale(probabilities, row, 1f / sum, probabilities, row, i + 1);
            Arrays.fill(probabilities, row + i + 1, row + length, 0f);
        }
        along.pack(qkv, at.value, at.stride);
        left.pack(probabilities, 0, length, length, length);
        along.multiply(kernels, left, 0, along.panels(), result, dimension);
        copy(heads, to, stride);
    }

    /// After [#forward] on the same window: gradients of queries, keys and values to the same places of
    /// `gradients`.
    void backward(float[] qkv, Place at, float[] headGradients, int from, int stride, float[] gradients) {
        left.packTransposed(probabilities, 0, length, length, length);
        along.pack(headGradients, from, stride);
        along.multiply(kernels, left, 0, along.panels(), result, dimension);
        copy(gradients, at.value, at.stride);

        left.pack(headGradients, from, stride, length, dimension);
        across.packTransposed(qkv, at.value, at.stride);
        across.multiply(kernels, left, 0, across.panels(), scoreGradients, length);
        for (int i = 0; i < length; i++) {
            int row = i * length;
            float mean = kernels.dot(probabilities, row, scoreGradients, row, i + 1);
            for (int j = row; j < row + length; j++) { // beyond the diagonal the probability is 0
                scoreGradients[j] = probabilities[j] * (scoreGradients[j] - mean) * scale;
            }
        }
        left.pack(scoreGradients, 0, length, length, length);
        along.pack(qkv, at.key, at.stride);
        along.multiply(kernels, left, 0, along.panels(), result, dimension);
        copy(gradients, at.query, at.stride);

        left.packTransposed(scoreGradients, 0, length, length, length);
        along.pack(qkv, at.query, at.stride);
        along.multiply(kernels, left, 0, along.panels(), result, dimension);
        copy(gradients, at.key, at.stride);
    }

    private void copy(float[] target, int to, int stride) {
        for (int i = 0; i < length; i++) {
            System.arraycopy(result, i * dimension, target, to + i * stride, dimension);
        }
    }
}
