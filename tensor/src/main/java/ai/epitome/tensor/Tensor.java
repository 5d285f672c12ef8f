package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A dense, row-major array of numbers outside the Java heap, 64-byte aligned at its start.
///
/// Most kernels see a tensor as a matrix: `columns()` is the last dimension and `rows()` the product of all others.
/// The memory belongs to whoever allocated it: a parameter to a long-lived arena, an activation to the [StepArena]
/// of its [ai.epitome.tensor.autograd.Tape]. A tensor is a view; it neither copies nor frees.
///
/// An activation that takes part in differentiation carries its gradient, which exists from the moment that the
/// first consumer of the activation is differentiated (see [ai.epitome.tensor.autograd.Tape]).
public final class Tensor {
    /// Memory alignment of every allocation: a cache line, and the width of the widest vector register.
    public static final int ALIGNMENT = 64;

    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final MemorySegment data;
    private final DType dtype;
    private final int[] shape;
    private final long size;

    private Tensor gradient;
    private boolean requiresGradient;
    private boolean forgotten;

    private Tensor(MemorySegment data, DType dtype, int[] shape) {
        this.size = sizeOf(shape);
        if (data.byteSize() < size * dtype.bytes()) {
            throw new IllegalArgumentException("a tensor of %s %s needs %,d bytes, the memory given has %,d"
                    .formatted(dtype, Arrays.toString(shape), size * dtype.bytes(), data.byteSize()));
        }
        this.data = data.asSlice(0, size * dtype.bytes());
        this.dtype = dtype;
        this.shape = shape;
    }

    /// A view of memory that already holds `shape`'s elements.
    public static Tensor of(MemorySegment data, DType dtype, int... shape) {
        return new Tensor(data, dtype, shape.clone());
    }

    /// Zeros in memory that lives as long as `arena`.
    public static Tensor zeros(Arena arena, DType dtype, int... shape) {
        return new Tensor(arena.allocate(Math.max(1, sizeOf(shape)) * dtype.bytes(), ALIGNMENT), dtype, shape.clone());
    }

    /// An f32 tensor with a copy of `values`, row-major.
    public static Tensor ofFloats(Arena arena, float[] values, int... shape) {
        Tensor tensor = zeros(arena, DType.F32, shape);
        tensor.set(values);
        return tensor;
    }

    /// An i32 tensor with a copy of `values`.
    public static Tensor ofInts(Arena arena, int[] values, int... shape) {
        Tensor tensor = zeros(arena, DType.I32, shape);
        MemorySegment.copy(values, 0, tensor.data, INT, 0, values.length);
        return tensor;
    }

    /// Number of elements of a shape.
    public static long sizeOf(int... shape) {
        long size = 1;
        for (int dimension : shape) {
            if (dimension < 0) {
                throw new IllegalArgumentException("negative dimension in " + Arrays.toString(shape));
            }
            size = Math.multiplyExact(size, (long) dimension);
        }
        return size;
    }

    /// Its elements in row-major order, outside the heap; valid as long as the arena that they come from.
    public MemorySegment data() {
        return data;
    }

    public DType dtype() {
        return dtype;
    }

    /// A copy of the shape; empty for a scalar.
    public int[] shape() {
        return shape.clone();
    }

    /// Length of dimension `axis`; negative axes count from the end.
    public int dimension(int axis) {
        return shape[axis < 0 ? shape.length + axis : axis];
    }

    /// Number of elements.
    public long size() {
        return size;
    }

    /// Length of the last dimension; 1 for a scalar.
    public int columns() {
        return shape.length == 0 ? 1 : shape[shape.length - 1];
    }

    /// Product of all dimensions but the last.
    public int rows() {
        return columns() == 0 ? 0 : Math.toIntExact(size / columns());
    }

    /// The gradient that the last backward pass left here, or null.
    public Tensor gradient() {
        return gradient;
    }

    /// Sets the gradient, of the same shape and dtype, as operations do on the way back; null until then.
    public void gradient(Tensor value) {
        gradient = value;
    }

    /// Whether the tape must propagate a gradient to this tensor.
    public boolean requiresGradient() {
        return requiresGradient;
    }

    /// From now on the tape propagates a gradient to it.
    public void requireGradient() {
        requiresGradient = true;
    }

    /// Whether the tape has given back the memory: values must no longer be read.
    public boolean forgotten() {
        return forgotten;
    }

    /// Says that the memory is given back, or another tensor's now.
    public void forget() {
        forgotten = true;
    }

    /// The same memory under another shape of the same size.
    public Tensor view(int... newShape) {
        if (sizeOf(newShape) != size) {
            throw new IllegalArgumentException(
                    "cannot view %s as %s".formatted(Arrays.toString(shape), Arrays.toString(newShape)));
        }
        return new Tensor(data, dtype, newShape.clone());
    }

    /// Rows `from` (inclusive) to `to` (exclusive) of the first dimension, sharing memory: how a fused weight is seen
    /// as its parts.
    public Tensor slice(int from, int to) {
        if (from < 0 || to < from || to > shape[0]) {
            throw new IndexOutOfBoundsException("rows %d to %d of %s".formatted(from, to, Arrays.toString(shape)));
        }
        long stride = shape[0] == 0 ? 0 : size / shape[0] * dtype.bytes();
        int[] part = shape.clone();
        part[0] = to - from;
        return new Tensor(data.asSlice(from * stride, (to - from) * stride), dtype, part);
    }

    /// This tensor as the matrix (rows, columns), for products.
    public Matrix matrix() {
        return new Matrix(data, dtype, 0, rows(), columns(), columns(), false);
    }

    /// Element `index` in row-major order, whatever the floating dtype. Slow: for tests, scalars and printing.
    public float get(long index) {
        return switch (dtype) {
            case F32 -> data.getAtIndex(FLOAT, index);
            case BF16 -> Float.intBitsToFloat(data.getAtIndex(SHORT, index) << 16);
            case F16 -> Float.float16ToFloat(data.getAtIndex(SHORT, index));
            case I32 -> data.getAtIndex(INT, index);
        };
    }

    /// Sets element `index`, rounding to the dtype. Slow: for tests and scalars.
    public void set(long index, float value) {
        switch (dtype) {
            case F32 -> data.setAtIndex(FLOAT, index, value);
            case BF16 -> data.setAtIndex(SHORT, index, Bf16.fromFloat(value));
            case F16 -> data.setAtIndex(SHORT, index, Float.floatToFloat16(value));
            case I32 -> data.setAtIndex(INT, index, (int) value);
        }
    }

    /// Copies `values` (exactly `size()` of them) in, rounding to the dtype.
    public void set(float[] values) {
        if (values.length != size) {
            throw new IllegalArgumentException("%d values for a tensor of %d".formatted(values.length, size));
        }
        if (dtype == DType.F32) {
            MemorySegment.copy(values, 0, data, FLOAT, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                set(i, values[i]);
            }
        }
    }

    /// A copy of all elements as floats.
    public float[] toFloats() {
        float[] values = new float[Math.toIntExact(size)];
        get(values);
        return values;
    }

    /// Copies all elements to `values`, exactly `size()` of them.
    public void get(float[] values) {
        if (values.length != size) {
            throw new IllegalArgumentException("room for %d values of a tensor of %d".formatted(values.length, size));
        }
        if (dtype == DType.F32) {
            MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = get(i);
            }
        }
    }

    /// A copy of all elements of an i32 tensor.
    public int[] toInts() {
        return data.toArray(INT);
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
