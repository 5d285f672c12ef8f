package ai.epitome.tensor.attention;

import ai.epitome.tensor.VectorMath;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The loops of [CachedAttention] for single queries, over float arrays that hold one block of keys or values.
///
/// A score is four chains of multiply-adds, of the channels 0, 4, 8 ..., 1, 5, 9 ... and so on, then `(c0 + c1) + (c2 +
/// c3)`: four independent chains hide the latency, and the bits depend on nothing else that is computed beside.
final class CachedAttentionKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final int BLOCK = KeyValueMemory.BLOCK;

    private CachedAttentionKernels() {}

    /// The scores of the query `q[at..at + D)` with sixteen keys (D, 16), to `target[to..to + 16)`.
    static void scores(float[] q, int at, float[] keys, int dimension, float[] target, int to) {
        int whole = dimension / 4 * 4;
        for (int t = 0; t < BLOCK; t += LANES) {
            FloatVector c0 = FloatVector.zero(FLOATS);
            FloatVector c1 = c0;
            FloatVector c2 = c0;
            FloatVector c3 = c0;
            for (int d = 0; d < whole; d += 4) {
                int key = d * BLOCK + t;
                c0 = FloatVector.fromArray(FLOATS, keys, key).fma(FloatVector.broadcast(FLOATS, q[at + d]), c0);
                c1 = FloatVector.fromArray(FLOATS, keys, key + BLOCK)
                        .fma(FloatVector.broadcast(FLOATS, q[at + d + 1]), c1);
                c2 = FloatVector.fromArray(FLOATS, keys, key + 2 * BLOCK)
                        .fma(FloatVector.broadcast(FLOATS, q[at + d + 2]), c2);
                c3 = FloatVector.fromArray(FLOATS, keys, key + 3 * BLOCK)
                        .fma(FloatVector.broadcast(FLOATS, q[at + d + 3]), c3);
            }
            for (int d = whole; d < dimension; d++) {
                c0 = FloatVector.fromArray(FLOATS, keys, d * BLOCK + t)
                        .fma(FloatVector.broadcast(FLOATS, q[at + d]), c0);
            }
            c0.add(c1).add(c2.add(c3)).intoArray(target, to + t);
        }
    }

    /// The same for two queries, at `a` and `b`: each key is loaded once.
    static void scores(float[] q, int a, int b, float[] keys, int dimension, float[] target, int toA, int toB) {
        int whole = dimension / 4 * 4;
        for (int t = 0; t < BLOCK; t += LANES) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            for (int d = 0; d < whole; d += 4) {
                int key = d * BLOCK + t;
                FloatVector k0 = FloatVector.fromArray(FLOATS, keys, key);
                FloatVector k1 = FloatVector.fromArray(FLOATS, keys, key + BLOCK);
                FloatVector k2 = FloatVector.fromArray(FLOATS, keys, key + 2 * BLOCK);
                FloatVector k3 = FloatVector.fromArray(FLOATS, keys, key + 3 * BLOCK);
                a0 = k0.fma(FloatVector.broadcast(FLOATS, q[a + d]), a0);
                a1 = k1.fma(FloatVector.broadcast(FLOATS, q[a + d + 1]), a1);
                a2 = k2.fma(FloatVector.broadcast(FLOATS, q[a + d + 2]), a2);
                a3 = k3.fma(FloatVector.broadcast(FLOATS, q[a + d + 3]), a3);
                b0 = k0.fma(FloatVector.broadcast(FLOATS, q[b + d]), b0);
                b1 = k1.fma(FloatVector.broadcast(FLOATS, q[b + d + 1]), b1);
                b2 = k2.fma(FloatVector.broadcast(FLOATS, q[b + d + 2]), b2);
                b3 = k3.fma(FloatVector.broadcast(FLOATS, q[b + d + 3]), b3);
            }
            for (int d = whole; d < dimension; d++) {
                FloatVector k = FloatVector.fromArray(FLOATS, keys, d * BLOCK + t);
                a0 = k.fma(FloatVector.broadcast(FLOATS, q[a + d]), a0);
                b0 = k.fma(FloatVector.broadcast(FLOATS, q[b + d]), b0);
            }
            a0.add(a1).add(a2.add(a3)).intoArray(target, toA + t);
            b0.add(b1).add(b2.add(b3)).intoArray(target, toB + t);
        }
    }

    /// The largest of `x[low..high)`.
    static float maximum(float[] x, int low, int high) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = low; i < high; i++) {
            largest = Math.max(largest, x[i]);
        }
        return largest;
    }

    /// `x = exp(x - shift)` in `[low, high)` and 0 elsewhere in the blocks from `from` to `to`; returns the sum.
    static float exponentials(float[] x, int from, int low, int high, int to, float shift) {
        Arrays.fill(x, from, low, Float.NEGATIVE_INFINITY);
        Arrays.fill(x, high, to, Float.NEGATIVE_INFINITY);
        FloatVector offset = FloatVector.broadcast(FLOATS, shift);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = from; i < to; i += LANES) {
            FloatVector e = VectorMath.exp(FloatVector.fromArray(FLOATS, x, i).sub(offset));
            e.intoArray(x, i);
            sum = sum.add(e);
        }
        return VectorMath.sum(sum);
    }

    /// `out[to..to + D) += sum of weights[at + t] * values[t]` over slots `low` to `high - 1` of a block (16, D),
    /// ascending.
    static void addWeighted(
            float[] weights, int at, int low, int high, float[] values, int dimension, float[] out, int to) {
        int d = 0;
        for (int bound = dimension / (4 * LANES) * (4 * LANES); d < bound; d += 4 * LANES) {
            FloatVector s0 = FloatVector.fromArray(FLOATS, out, to + d);
            FloatVector s1 = FloatVector.fromArray(FLOATS, out, to + d + LANES);
            FloatVector s2 = FloatVector.fromArray(FLOATS, out, to + d + 2 * LANES);
            FloatVector s3 = FloatVector.fromArray(FLOATS, out, to + d + 3 * LANES);
            for (int t = low; t < high; t++) {
                FloatVector weight = FloatVector.broadcast(FLOATS, weights[at + t]);
                int value = t * dimension + d;
                s0 = FloatVector.fromArray(FLOATS, values, value).fma(weight, s0);
                s1 = FloatVector.fromArray(FLOATS, values, value + LANES).fma(weight, s1);
                s2 = FloatVector.fromArray(FLOATS, values, value + 2 * LANES).fma(weight, s2);
                s3 = FloatVector.fromArray(FLOATS, values, value + 3 * LANES).fma(weight, s3);
            }
            s0.intoArray(out, to + d);
            s1.intoArray(out, to + d + LANES);
            s2.intoArray(out, to + d + 2 * LANES);
            s3.intoArray(out, to + d + 3 * LANES);
        }
        addRest(weights, at, low, high, values, dimension, out, to, d);
    }

    private static void addRest(
            float[] weights, int at, int low, int high, float[] values, int dimension, float[] out, int to, int from) {
        int d = from;
        for (int bound = dimension / LANES * LANES; d < bound; d += LANES) {
            FloatVector sum = FloatVector.fromArray(FLOATS, out, to + d);
            for (int t = low; t < high; t++) {
                sum = FloatVector.fromArray(FLOATS, values, t * dimension + d)
                        .fma(FloatVector.broadcast(FLOATS, weights[at + t]), sum);
            }
            sum.intoArray(out, to + d);
        }
        for (; d < dimension; d++) {
            float sum = out[to + d];
            for (int t = low; t < high; t++) {
                sum = Math.fma(values[t * dimension + d], weights[at + t], sum);
            }
            out[to + d] = sum;
        }
    }
}
