package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.attention.CachedAttention;
import ai.epitome.tensor.attention.CachedRows;
import ai.epitome.tensor.attention.KeyValueMemory;
import ai.epitome.tensor.backend.Backend;
import java.util.ArrayList;
import java.util.List;

/// Reverse-mode differentiation by a tape (Wengert list): operations compute at once and note how to go back.
///
/// A tape belongs to one step. Activations live in its [StepArena]; gradients of [Parameter]s are *added* to what
/// they hold, so several tapes accumulate. A tape that does not record computes the same values and keeps nothing
/// for the way back.
///
/// On the way back, an operation that is the first to give a gradient to its input writes it, later ones add. Once
/// an operation has been differentiated, no one can need its output or that output's gradient any more, and both go
/// back to the arena. Results of [#SMALL] bytes or less (losses, statistics) stay readable until the arena is
/// reset.
///
/// Operations that take two tensors element by element want as many elements and columns of both, and throw an
/// `IllegalArgumentException` that names them otherwise; the result has shape and dtype of the first.
public final class Tape {
    /// Tensors up to this size are never recycled within a step.
    static final long SMALL = 4096;

    private record Entry(Tensor output, Runnable backward) {}

    private final Backend backend;
    private final StepArena arena;
    private final boolean recording;
    private final List<Entry> entries = new ArrayList<>();

    /// @param arena memory of what is computed, valid until its next reset
    /// @param recording whether there is a way back: without, nothing is noted and no gradient takes memory
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
            output.requireGradient();
            entries.add(new Entry(output, backward));
        }
    }

    /// The memory for the gradient of `tensor`; undefined content when it is new. Ask `tensor.gradient() != null`
    /// beforehand to know whether to add to it.
    Tensor gradientOf(Tensor tensor) {
        if (tensor.gradient() == null) {
            tensor.gradient(arena.allocate(tensor.dtype(), tensor.shape()));
        }
        return tensor.gradient();
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
            if (output.gradient() == null) {
                continue; // nothing that the loss depends on used it
            }
            entry.backward.run();
            recycle(output);
        }
        entries.clear();
        return loss.get(0);
    }

    private void recycle(Tensor output) {
        Tensor gradient = output.gradient();
        output.gradient(null);
        if (output.data().byteSize() <= SMALL) {
            return;
        }
        if (gradient != null) { // null when an operation handed it on
            arena.release(gradient);
        }
        if (!output.forgotten()) {
            arena.release(output);
        }
    }

    /// Gives back the values of `activation`, which nothing reads any more: no operation to come, nor the way back of
    /// the operation that made it or of one that has used it. Sums, linear layers, embeddings and dropout do not
    /// read their results; sums and dropout do not read their inputs either.
    public void forget(Tensor activation) {
        if (!activation.forgotten()) {
            activation.forget();
            arena.release(activation);
        }
    }

    // The operations. Rows are tokens (N = B * T), columns are channels.

    /// Rows of `table` (V, C) by token id: (N, C) f32, the residual stream.
    public Tensor embedding(int[] ids, Parameter table) {
        return EmbeddingOperation.apply(this, ids, table);
    }

    /// `x · Wᵀ`, with `weight` (out, in): (N, out) in the compute dtype.
    public Tensor linear(Tensor x, Parameter weight) {
        return linear(x, weight, null);
    }

    /// `x · Wᵀ + b`, with `weight` (out, in) and `bias` (out) or null: (N, out) in the compute dtype.
    public Tensor linear(Tensor x, Parameter weight, Parameter bias) {
        return LinearOperation.apply(this, x, weight, bias, backend.compute());
    }

    /// `y` with a low-rank addition to its columns from `column` on: `y + scale · (x · Aᵀ) · Bᵀ` (Hu et al.
    /// 2021). Takes over the memory of `y`, which must come from [#linear] or from here, and must not be
    /// used any more.
    ///
    /// @param x what the layer reads, (N, in)
    /// @param down A, (rank, in)
    /// @param up B, (columns, rank)
    public Tensor adapt(Tensor y, int column, Tensor x, Parameter down, Parameter up, float scale) {
        return AdapterOperation.apply(this, y, x, new AdapterOperation.LowRank(down, up, column, scale));
    }

    /// `x · Wᵀ` in f32: (N, V), for sampling and for heads whose values are used as numbers.
    public Tensor logits(Tensor x, Parameter head) {
        return LinearOperation.apply(this, x, head, null, DType.F32);
    }

    /// Root-mean-square norm of each row, times `gain` (C) unless it is null: in the compute dtype.
    public Tensor rmsNorm(Tensor x, Parameter gain, float epsilon) {
        return NormOperation.rootMeanSquare(this, x, gain, epsilon);
    }

    /// Layer norm of each row, times `gain` (C), plus `bias` (C); either may be null: in the compute dtype.
    public Tensor layerNorm(Tensor x, Parameter gain, Parameter bias, float epsilon) {
        return NormOperation.layer(this, x, gain, bias, epsilon);
    }

    /// QK-norm (where gains are given) and rotary position embedding (where a table is given) on fused query, key and
    /// value rows.
    ///
    /// @param qkv (N, (H + 2K) D)
    /// @param positions N positions into `table`
    /// @param queryGain (D) or null
    /// @param keyGain (D) or null
    public Tensor rotate(
            Tensor qkv,
            AttentionShape shape,
            RotaryTable table,
            int[] positions,
            Parameter queryGain,
            Parameter keyGain,
            float epsilon) {
        return RotaryOperation.apply(this, qkv, shape, table, positions, queryGain, keyGain, epsilon);
    }

    /// Causal self-attention over fused rows (N, (H + 2K) D) of queries, keys and values: (N, H D).
    ///
    /// @param segmentStarts N positions within the sequence before which a row does not look, or null; at most the
    /// row's own position, and ascending within a sequence
    public Tensor attention(Tensor qkv, AttentionShape shape, int[] segmentStarts) {
        return AttentionOperation.apply(this, qkv, shape, segmentStarts);
    }

    /// Causal attention of new rows over blocks of keys and values, without a way back. The keys and values of `fused`
    /// (N, (H + 2K) D), rotated, are put into `memory` at their places; each query looks at what its sequence has
    /// there up to itself: (N, H D).
    ///
    /// @param sequences whose rows these are: together all of them, in order
    /// @param window how many positions back, itself included, a query sees; `Integer.MAX_VALUE` for all
    public Tensor attention(Tensor fused, KeyValueMemory memory, int layer, int window, List<CachedRows> sequences) {
        return CachedAttention.apply(backend, arena, fused, memory, layer, window, sequences);
    }

    /// `silu(gate) * up` of fused rows (N, 2F), gate first: (N, F).
    public Tensor swiglu(Tensor gateUp) {
        return ActivationOperation.swiglu(this, gateUp);
    }

    /// GELU in its tanh form.
    public Tensor gelu(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.GELU, x);
    }

    /// `x * sigmoid(x)`, element by element, in the shape and dtype of `x`.
    public Tensor silu(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.SILU, x);
    }

    /// `max(x, 0)`.
    public Tensor relu(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.RELU, x);
    }

    /// `max(x, 0)²` (So et al. 2021).
    public Tensor reluSquared(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.RELU_SQUARED, x);
    }

    /// `1 / (1 + exp(-x))`.
    public Tensor sigmoid(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.SIGMOID, x);
    }

    /// The hyperbolic tangent, element by element.
    public Tensor tanh(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.TANH, x);
    }

    /// `e` to the power of each element.
    public Tensor exp(Tensor x) {
        return ActivationOperation.apply(this, ActivationOperation.Function.EXP, x);
    }

    /// `x + y` in the dtype of `x`.
    public Tensor add(Tensor x, Tensor y) {
        return ArithmeticOperation.add(this, x, y);
    }

    /// `a x + b y` in the dtype of `x`.
    public Tensor combine(Tensor x, float a, Tensor y, float b) {
        return ArithmeticOperation.combine(this, x, a, y, b);
    }

    /// `x * y` elementwise, in the dtype of `x`.
    public Tensor multiply(Tensor x, Tensor y) {
        return ArithmeticOperation.multiply(this, x, y);
    }

    /// Elementwise minimum; the gradient goes to the smaller one.
    public Tensor minimum(Tensor x, Tensor y) {
        return ArithmeticOperation.select(this, x, y, true);
    }

    /// Elementwise maximum; the gradient goes to the larger one.
    public Tensor maximum(Tensor x, Tensor y) {
        return ArithmeticOperation.select(this, x, y, false);
    }

    /// `x` limited to `[low, high]`; no gradient passes where it was limited.
    public Tensor clamp(Tensor x, float low, float high) {
        return ArithmeticOperation.clamp(this, x, low, high);
    }

    /// Columns `from` (inclusive) to `to` (exclusive).
    public Tensor columns(Tensor x, int from, int to) {
        return ArithmeticOperation.columns(this, x, from, to);
    }

    /// Tensors of equal rows side by side.
    public Tensor concatenate(Tensor... parts) {
        return ArithmeticOperation.concatenate(this, parts);
    }

    /// A parameter as an activation, f32, for operations that take tensors.
    public Tensor parameter(Parameter parameter) {
        return ArithmeticOperation.parameter(this, parameter);
    }

    /// Drops elements with `probability` and scales the others up; the same `seed` drops the same elements.
    public Tensor dropout(Tensor x, float probability, long seed) {
        return DropoutOperation.apply(this, x, probability, seed);
    }

    /// Negative log-likelihood, in nats, of `targets` (N; -1 for rows that cost nothing) under `softmax(hidden ·
    /// headᵀ)`: (N) f32.
    public Tensor tokenLosses(Tensor hidden, Parameter head, int[] targets) {
        return LossOperation.tokenLosses(this, hidden, head, targets);
    }

    /// The same, for a loss that is known to be [#weightedSum] of them with these `weights`, as in training: gradients
    /// of `hidden` and `head` are added at once, which with a large vocabulary saves a product in four and most
    /// of the traffic of logits. [#backward] then has to follow, and throws `IllegalStateException` if the weights
    /// were others.
    public Tensor tokenLosses(Tensor hidden, Parameter head, int[] targets, float[] weights) {
        return LossOperation.weighedLosses(this, hidden, head, targets, weights);
    }

    /// `sum of weights[i] * x[i]`: an f32 scalar.
    public Tensor weightedSum(Tensor x, float[] weights) {
        return ArithmeticOperation.weightedSum(this, x, weights);
    }

    /// The mean of all elements: an f32 scalar.
    public Tensor mean(Tensor x) {
        float[] weights = new float[Math.toIntExact(x.size())];
        java.util.Arrays.fill(weights, 1f / weights.length);
        return weightedSum(x, weights);
    }
}
