package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;

/// Moves rows between tensors and float arrays. Kernels compute on float arrays that stay in the first-level cache,
/// so each is written once, in fp32, whatever the dtype in memory.
public final class Rows {
    private Rows() {}

    /// Reads `count` elements of `tensor` from element index `from` into `target[0..count)`.
    public static void load(Tensor tensor, long from, float[] target, int count) {
        switch (tensor.dtype()) {
            case F32 -> MemorySegment.copy(tensor.data(), Tensor.FLOAT, from * 4, target, 0, count);
            case BF16 -> Bf16.load(tensor.data(), from, target, count);
            case F16, I32 -> throw new IllegalArgumentException("no kernel computes on " + tensor);
        }
    }

    /// Writes `source[0..count)` to `tensor` at element index `to`, rounding to its dtype.
    public static void store(float[] source, Tensor tensor, long to, int count) {
        switch (tensor.dtype()) {
            case F32 -> MemorySegment.copy(source, 0, tensor.data(), Tensor.FLOAT, to * 4, count);
            case BF16 -> Bf16.store(source, tensor.data(), to, count);
            case F16, I32 -> throw new IllegalArgumentException("no kernel computes on " + tensor);
        }
    }

    /// Writes `source[0..count)` to `tensor` at element index `to`, or adds it to what is there, through `scratch`.
    public static void put(float[] source, Tensor tensor, long to, int count, boolean accumulate, float[] scratch) {
        if (accumulate) {
            add(source, tensor, to, count, scratch);
        } else {
            store(source, tensor, to, count);
        }
    }

    /// Adds `source[0..count)` to `tensor` at element index `to`, through `scratch`.
    public static void add(float[] source, Tensor tensor, long to, int count, float[] scratch) {
        load(tensor, to, scratch, count);
        Elementwise.add(scratch, source, count);
        store(scratch, tensor, to, count);
    }
}
