package ai.epitome.tensor;

import java.util.ArrayList;
import java.util.List;

/// Reverse-mode differentiation by a tape (Wengert list): operations compute at once and note how to go back.
///
/// A tape belongs to one step. Activations live in its [StepArena]; gradients of [Parameter]s are *added* to what they
/// hold, so
/// several tapes accumulate. A tape that does not record computes the same values and keeps nothing for the way back.
///
/// On the way back, an operation that is the first to give a gradient to its input writes it, later ones add. Once an
/// operation has been differentiated, no one can need its output or that output's gradient any more, and both go back
/// to the
/// arena. Results of [#SMALL] bytes or less (losses, statistics) stay readable until the arena is reset.
public final class Tape {
    /// Tensors up to this size are never recycled within a step.
    static final long SMALL = 4096;

    private record Entry(Tensor output, Runnable backward) {}

    private final Backend backend;
    private final StepArena arena;
    private final boolean recording;
    private final List<Entry> entries = new ArrayList<>();

    public Tape(Backend backend, StepArena arena, boolean recording) {
        this.backend = backend;
        this.arena = arena;
        this.recording = recording;
    }

    public Backend backend() {
        return backend;
    }

    public StepArena arena() {
        return arena;
    }

    public boolean recording() {
        return recording;
    }

    /// The tensor of activations that an operation is about to fill.
    Tensor allocate(DType dtype, int... shape) {
        return arena.allocate(dtype, shape);
    }

    /// Notes how to differentiate the operation that made `output`. Nothing is noted unless some input needs a
    /// gradient.
    void record(Tensor output, boolean needed, Runnable backward) {
        if (recording && needed) {
            output.requiresGradient = true;
            entries.add(new Entry(output, backward));
        }
    }

    /// The memory for the gradient of `tensor`; undefined content when it is new. Ask `tensor.gradient != null`
    /// beforehand to know
    /// whether to add to it.
    Tensor gradientOf(Tensor tensor) {
        if (tensor.gradient == null) {
            tensor.gradient = arena.allocate(tensor.dtype(), tensor.shape());
        }
        return tensor.gradient;
    }

    /// Differentiates `loss`, a scalar, with respect to every parameter that it came from. Returns the loss.
    ///
    /// @throws IllegalArgumentException when `loss` is no scalar or does not depend on a trainable parameter
    public float backward(Tensor loss) {
        if (loss.size() != 1 || !loss.requiresGradient()) {
            throw new IllegalArgumentException("backward needs a recorded scalar, not " + loss);
        }
        gradientOf(loss).set(0, 1f);
        for (Entry entry : entries.reversed()) {
            Tensor output = entry.output;
            if (output.gradient == null) {
                continue; // nothing that the loss depends on used it
            }
            entry.backward.run();
            recycle(output);
        }
        entries.clear();
        return loss.get(0);
    }

    private void recycle(Tensor output) {
        Tensor gradient = output.gradient;
        output.gradient = null;
        if (gradient.data().byteSize() > SMALL) {
            arena.release(gradient);
            arena.release(output);
        }
    }
}
