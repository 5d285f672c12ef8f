package ai.epitome.tensor;

import java.lang.foreign.Arena;

/// A tensor that training changes: master values and gradient in f32, and a bf16 copy for products in reduced
/// precision.
///
/// Its memory lives as long as the arena that it was made in. After changing `value()`, call [#changed].
public final class Parameter {
    private final String name;
    private final Tensor value;
    private final Arena arena;
    private Tensor gradient;
    private Tensor reduced;
    private boolean reducedIsCurrent;
    private boolean trainable = true;

    /// A parameter of zeros. Gradient and reduced copy are allocated when first asked for.
    public Parameter(Arena arena, String name, int... shape) {
        this(arena, name, Tensor.zeros(arena, DType.F32, shape));
    }

    /// A parameter over existing f32 values, for instance a slice of a fused weight.
    public Parameter(Arena arena, String name, Tensor value) {
        if (value.dtype() != DType.F32) {
            throw new IllegalArgumentException("master values of " + name + " must be f32, not " + value.dtype());
        }
        this.arena = arena;
        this.name = name;
        this.value = value;
    }

    public String name() {
        return name;
    }

    /// Master values, f32.
    public Tensor value() {
        return value;
    }

    /// The gradient, f32, zero until a backward pass adds to it.
    public Tensor gradient() {
        if (gradient == null) {
            gradient = Tensor.zeros(arena, DType.F32, value.shape());
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

    public Parameter trainable(boolean value) {
        trainable = value;
        return this;
    }

    /// Says that the master values have changed, so that the reduced copy is made anew.
    public void changed() {
        reducedIsCurrent = false;
    }

    /// The values in the dtype that products read: the master itself, or its bf16 copy.
    public Tensor in(DType dtype, Workers workers) {
        if (dtype == DType.F32) {
            return value;
        }
        if (reduced == null) {
            reduced = Tensor.zeros(arena, DType.BF16, value.shape());
        }
        if (!reducedIsCurrent) {
            Elementwise.convert(value, reduced, workers);
            reducedIsCurrent = true;
        }
        return reduced;
    }
}
