package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The activations of an MLP on bf16 memory, from memory to memory: loads of the next elements overlap with the
/// arithmetic, which blocks that are first copied to the cache do not allow. [ActivationOperation] holds the same
/// functions for any dtype and length.
///
/// Offsets and counts are in elements; counts are whole registers.
final class Bf16Activation {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    // Registers, not numbers: see VectorMath.
    private static final FloatVector ONE = FloatVector.broadcast(FLOATS, 1f);
    private static final FloatVector CUBIC = FloatVector.broadcast(FLOATS, 0.044715f);
    private static final FloatVector THRICE_CUBIC = FloatVector.broadcast(FLOATS, 3 * 0.044715f);
    private static final FloatVector TWICE_SQRT_2_OVER_PI =
            FloatVector.broadcast(FLOATS, 2 * (float) Math.sqrt(2 / Math.PI));

    private Bf16Activation() {}

    /// Whether rows of `count` elements of these tensors can be done here.
    static boolean fits(int count, Tensor x, Tensor y) {
        return count % LANES == 0 && x.dtype() == DType.BF16 && y.dtype() == DType.BF16;
    }

    /// `y = gelu(x)`.
    static void geluForward(MemorySegment x, MemorySegment y, long from, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector v = Bf16.vector(x, from + i);
            FloatVector z = v.mul(v).fma(CUBIC, ONE).mul(v).mul(TWICE_SQRT_2_OVER_PI);
            Bf16.into(v.mul(VectorMath.sigmoid(z)), y, from + i);
        }
    }

    /// `dx = dy gelu'(x)`.
    static void geluBackward(MemorySegment x, MemorySegment dy, MemorySegment dx, long from, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector v = Bf16.vector(x, from + i);
            FloatVector square = v.mul(v);
            FloatVector s = VectorMath.sigmoid(square.fma(CUBIC, ONE).mul(v).mul(TWICE_SQRT_2_OVER_PI));
            FloatVector dz = square.fma(THRICE_CUBIC, ONE).mul(TWICE_SQRT_2_OVER_PI);
            FloatVector slope = ONE.sub(s).mul(v).fma(dz, ONE).mul(s);
            Bf16.into(Bf16.vector(dy, from + i).mul(slope), dx, from + i);
        }
    }

    /// `y = silu(gate) * up` for one row: gate at `from`, up at `from + hidden`, y at `to`.
    static void gateForward(MemorySegment gateUp, long from, int hidden, MemorySegment y, long to) {
        for (int i = 0; i < hidden; i += LANES) {
            FloatVector gate = Bf16.vector(gateUp, from + i);
            FloatVector up = Bf16.vector(gateUp, from + hidden + i);
            Bf16.into(gate.mul(VectorMath.sigmoid(gate)).mul(up), y, to + i);
        }
    }

    /// The gradients of gate and up of one row, at the places of gate and up in `dx`.
    static void gateBackward(MemorySegment gateUp, long from, int hidden, MemorySegment dy, long at, MemorySegment dx) {
        for (int i = 0; i < hidden; i += LANES) {
            FloatVector gate = Bf16.vector(gateUp, from + i);
            FloatVector up = Bf16.vector(gateUp, from + hidden + i);
            FloatVector gradient = Bf16.vector(dy, at + i);
            FloatVector s = VectorMath.sigmoid(gate);
            FloatVector silu = gate.mul(s);
            FloatVector slope = s.add(silu).sub(silu.mul(s));
            Bf16.into(gradient.mul(up).mul(slope), dx, from + i);
            Bf16.into(gradient.mul(silu), dx, from + hidden + i);
        }
    }
}
