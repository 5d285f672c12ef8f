package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.block.BlockMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/// A tensor that training changes: master values and gradient in f32, and a bf16 copy for products in reduced
/// precision. Or a matrix of quantised weights that is only read, see [#placed].
///
/// Its memory lives as long as the arena that it was made in, and is taken when first asked for. After changing
/// `value()`, call [#changed].
public final class Parameter {
    /// Bytes that are handed on at once: a buffer is an array's length at most.
    private static final long PIECE = 1 << 20;

    private final String name;
    private final int[] shape;
    private final Arena arena;
    private BlockMatrix blocks;
    private volatile Tensor value;
    private Tensor gradient;
    private Tensor reduced;
    private boolean reducedIsCurrent;
    private boolean trainable = true;
    private long changes;

    /// A parameter of zeros.
    public Parameter(Arena arena, String name, int... shape) {
        this.arena = arena;
        this.name = name;
        this.shape = shape.clone();
    }

    /// A parameter over existing f32 values, for instance a slice of a fused weight.
    public Parameter(Arena arena, String name, Tensor value) {
        this(arena, name, value.shape());
        if (value.dtype() != DType.F32) {
            throw new IllegalArgumentException("master values of " + name + " must be f32, not " + value.dtype());
        }
        this.value = value;
    }

    /// What checkpoints and messages call it.
    public String name() {
        return name;
    }

    /// A copy of the shape.
    public int[] shape() {
        return shape.clone();
    }

    /// From now on its values are those of `matrix`, which stay where they are. It cannot be trained.
    ///
    /// @throws IllegalArgumentException when the shape is another
    /// @throws IllegalStateException when it has values already
    public void placed(BlockMatrix matrix) {
        if (shape.length != 2 || shape[0] != matrix.rows() || shape[1] != matrix.columns()) {
            throw new IllegalArgumentException(
                    "%s has another shape than (%d, %d)".formatted(name, matrix.rows(), matrix.columns()));
        }
        if (value != null) {
            throw new IllegalStateException(name + " has values already");
        }
        blocks = matrix;
        trainable = false;
    }

    /// The quantised weights that it is, or null.
    public BlockMatrix blocks() {
        return blocks;
    }

    /// Master values, f32. Quantised weights are expanded, at four bytes each, when first asked for in this
    /// way; products and embeddings do not.
    public Tensor value() {
        Tensor present = value;
        return present != null ? present : make();
    }

    private synchronized Tensor make() {
        if (value == null) {
            value = blocks == null ? Tensor.zeros(arena, DType.F32, shape) : blocks.expand(arena);
        }
        return value;
    }

    /// Hands on the values as they are held, piece by piece, to a digest for one: quantised weights are not expanded.
    public void read(Consumer<ByteBuffer> reader) {
        if (blocks != null) {
            blocks.read(reader);
            return;
        }
        MemorySegment data = value().data();
        for (long from = 0; from < data.byteSize(); from += PIECE) {
            reader.accept(
                    data.asSlice(from, Math.min(PIECE, data.byteSize() - from)).asByteBuffer());
        }
    }

    /// A copy of all values, f32.
    public float[] toFloats() {
        if (blocks == null) {
            return value().toFloats();
        }
        try (Arena own = Arena.ofShared()) {
            return blocks.expand(own).toFloats();
        }
    }

    /// The gradient, f32, zero until a backward pass adds to it.
    public Tensor gradient() {
        requireTrainable();
        if (gradient == null) {
            gradient = Tensor.zeros(arena, DType.F32, shape);
        }
        return gradient;
    }

    /// Sets the gradient to zero.
    public void zeroGradient() {
        if (gradient != null) {
            gradient.data().fill((byte) 0);
        }
    }

    /// Whether the backward pass computes a gradient for it. A frozen parameter costs none.
    public boolean trainable() {
        return trainable;
    }

    /// @throws IllegalStateException when quantised weights are to be trained
    public Parameter trainable(boolean value) {
        if (value) {
            requireTrainable();
        }
        trainable = value;
        return this;
    }

    private void requireTrainable() {
        if (blocks != null) {
            throw new IllegalStateException(
                    name
                            + " is quantised, and quantised weights cannot be trained: train an adapter, or start from a model in f32 or bf16");
        }
    }

    /// Says that the master values have changed, so that the reduced copy is made anew.
    public void changed() {
        requireTrainable();
        reducedIsCurrent = false;
        changes++;
    }

    /// How often the values have changed: what was computed with them holds as long as this stays the same.
    public long changes() {
        return changes;
    }

    /// The values in the dtype that products read: the master itself, or its bf16 copy.
    public Tensor in(DType dtype, Workers workers) {
        if (dtype == DType.F32) {
            return value();
        }
        if (reduced == null) {
            reduced = Tensor.zeros(arena, DType.BF16, shape);
        }
        if (!reducedIsCurrent) {
            Elementwise.convert(value(), reduced, workers);
            reducedIsCurrent = true;
        }
        return reduced;
    }
}
