package ai.epitome.compress.gpt;

import ai.epitome.compress.gpt.ExactAttention.Rows;
import ai.epitome.compress.gpt.ExactWeights.Block;
import ai.epitome.compress.gpt.ExactWeights.Linear;
import ai.epitome.compress.gpt.ExactWeights.Norm;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;
import ai.epitome.tensor.exact.PackedRows;
import java.util.Arrays;

/// The forward pass of a model in the `exact` profile: a row's logits are the same bits whatever else is in the batch,
/// whether its sequence is read token by token or in chunks, with any number of threads, on any machine.
///
/// A pass reads rows. Each is the next token of its sequence; rows of one sequence stand side by side, in order. All
/// rows share one reading of the weights, so many sequences at a time are what makes it fast.
///
/// ```java
/// transformer.read(sequences, tokens, count);      // count rows
/// float[] logits = transformer.logits(0, count);   // row i at i * transformer.logitStride()
/// ```
///
/// When a sequence is full, [#makeRoom] forgets its older half and reads the newer half again from position 0.
///
/// Belongs to one thread at a time.
public final class ExactTransformer {
    /// Rows in a pass: enough for products to run at full speed, few enough for activations to stay in cache.
    public static final int MOST_ROWS = 96;

    /// Multiply-adds of a part of a product that is worth a thread's attention.
    private static final int LEAST_WORK = 1 << 17;

    private static final Inputs NOTHING = (_, _, _) -> {};

    private final TransformerConfig config;
    private final ExactWeights weights;
    private final int context;
    private final Workers workers;
    private final ExactKernels kernels;
    private final ExactAttention attention;

    private final PackedRows packed = new PackedRows();
    private final int width; // of a row of the residual stream, padded
    private final int fused;
    private final int hidden;
    private final float[] x; // (N, C)
    private final float[] normed; // (N, C)
    private final float[] qkv; // (N, (H + 2K) D)
    private final float[] heads; // (N, H D)
    private final float[] gate; // (N, F)
    private final float[] up; // (N, F)
    private final float[] branch; // (N, C)
    private float[] logits = new float[0]; // (N, V)

    /// @param context tokens that a sequence holds, at most the model's context
    public ExactTransformer(Transformer model, int context, Workers workers, ExactKernels kernels) {
        this(model.config(), context, ExactWeights.of(model, context), workers, kernels);
    }

    ExactTransformer(
            TransformerConfig config, int context, ExactWeights weights, Workers workers, ExactKernels kernels) {
        this.config = config;
        this.weights = weights;
        if (context < 2 || context > config.context()) {
            throw new IllegalArgumentException(
                    "sequences of %d tokens, but the model's context is %d".formatted(context, config.context()));
        }
        this.context = context;
        this.workers = workers;
        this.kernels = kernels;
        attention = new ExactAttention(config, weights, kernels);
        int rows = PackedRows.padded(MOST_ROWS);
        width = PackedMatrix.padded(config.width());
        fused = PackedMatrix.padded(config.fusedColumns());
        hidden = PackedMatrix.padded(config.hidden());
        x = new float[rows * width];
        normed = new float[rows * width];
        branch = new float[rows * width];
        qkv = new float[rows * fused];
        heads = new float[rows * config.heads() * config.headDimension()];
        up = new float[rows * hidden];
        gate = weights.blocks().getFirst().gate() == null ? null : new float[rows * hidden];
    }

    public TransformerConfig config() {
        return config;
    }

    /// Tokens that a sequence holds.
    public int context() {
        return context;
    }

    /// An empty sequence.
    public ExactSequence newSequence() {
        return new ExactSequence(config, context);
    }

    /// Bytes that a sequence takes.
    public long sequenceBytes() {
        return ExactSequence.bytes(config, context);
    }

    /// Reads `count` rows, [#MOST_ROWS] at most: row i appends `tokens[i]` to `sequences[i]`, which has room for it.
    public void read(ExactSequence[] sequences, int[] tokens, int count) {
        read(sequences, tokens, count, NOTHING, true);
    }

    /// What is added to the embeddings of rows.
    @FunctionalInterface
    interface Inputs {
        /// Adds to row `row`, which begins at `at` of `x`.
        void add(int row, float[] x, int at);
    }

    /// The same with more inputs.
    void read(ExactSequence[] sequences, int[] tokens, int count, Inputs inputs) {
        read(sequences, tokens, count, inputs, true);
    }

    /// @param predicting whether anyone will ask for logits; otherwise keys and values are all that is wanted
    private void read(ExactSequence[] sequences, int[] tokens, int count, Inputs inputs, boolean predicting) {
        int[] positions = new int[count];
        int[] chunks = new int[count + 1]; // where runs of rows of one sequence begin, ROWS at most
        int chunkCount = 0;
        for (int row = 0; row < count; row++) {
            boolean another = row == 0 || sequences[row] != sequences[row - 1];
            if (another || row - chunks[chunkCount - 1] == ExactKernels.ROWS) {
                chunks[chunkCount++] = row;
            }
            positions[row] = sequences[row].length();
            embed(row, tokens[row], positions[row]);
            inputs.add(row, x, row * width);
            sequences[row].append(tokens[row]);
        }
        chunks[chunkCount] = count;
        int last = weights.blocks().size() - 1;
        for (int layer = 0; layer <= last; layer++) {
            Block block = weights.blocks().get(layer);
            norm(block.attentionNorm(), count);
            packed.pack(normed, 0, width, count, config.width());
            product(block.queryKeyValue(), qkv, fused, (_, _) -> {});
            prepare(layer, sequences, positions, count);
            if (layer == last && !predicting) {
                return;
            }
            attend(layer, sequences, positions, chunks, chunkCount);
            packed.pack(heads, 0, headColumns(), count, headColumns());
            product(block.output(), branch, width, (from, to) -> addToResidual(count, from, to));

            norm(block.mlpNorm(), count);
            packed.pack(normed, 0, width, count, config.width());
            expand(block, count);
            packed.pack(gate == null ? up : gate, 0, hidden, count, config.hidden());
            product(block.down(), branch, width, (from, to) -> addToResidual(count, from, to));
        }
        norm(weights.finalNorm(), count);
    }

    /// The logits after rows `from` to `to - 1` of the last pass, each [#logitStride] apart, valid until the next call.
    public float[] logits(int from, int to) {
        int size = PackedRows.padded(to - from) * logitStride();
        if (logits.length < size) {
            logits = new float[size];
        }
        packed.pack(normed, from * width, width, to - from, config.width());
        product(weights.head(), logits, logitStride(), (_, _) -> {});
        return logits;
    }

    /// Elements from one row of logits to the next.
    public int logitStride() {
        return PackedMatrix.padded(config.vocabulary());
    }

    /// Forgets the older half of those sequences that are full, and reads the rest again.
    public void makeRoom(ExactSequence... sequences) {
        for (ExactSequence sequence : sequences) {
            if (sequence.isFull()) {
                rewrite(sequence);
            }
        }
    }

    private void rewrite(ExactSequence full) {
        int[] tokens = full.newest(context / 2);
        full.clear();
        ExactSequence[] rows = new ExactSequence[MOST_ROWS];
        Arrays.fill(rows, full);
        for (int from = 0; from < tokens.length; from += MOST_ROWS) {
            int count = Math.min(MOST_ROWS, tokens.length - from);
            read(rows, Arrays.copyOfRange(tokens, from, from + count), count, NOTHING, false);
        }
    }

    private void embed(int row, int token, int position) {
        int channels = config.width();
        System.arraycopy(weights.embedding(), token * channels, x, row * width, channels);
        if (weights.positions() != null) {
            kernels.add(x, row * width, weights.positions(), position * channels, channels);
        }
    }

    /// `normed = norm(x)`.
    private void norm(Norm norm, int count) {
        int channels = config.width();
        workers.rows(count, 16, (from, to, _) -> {
            for (int row = from; row < to; row++) {
                int at = row * width;
                float[] source = x;
                if (config.norm() == TransformerConfig.Norm.LAYER) {
                    System.arraycopy(x, at, normed, at, channels);
                    kernels.subtract(normed, at, kernels.sum(x, at, channels) / channels, channels);
                    source = normed;
                }
                float factor = kernels.inverseRootMeanSquare(source, at, channels, config.normEpsilon());
                kernels.scale(source, at, factor, norm.gain(), normed, at, channels);
                if (norm.bias() != null) {
                    kernels.add(normed, at, norm.bias(), 0, channels);
                }
            }
        });
    }

    /// What else is done with columns `from` to `to - 1` of a product.
    @FunctionalInterface
    private interface Columns {
        void done(int from, int to);
    }

    /// `target = packed Wᵀ + bias`, then `after`, on ranges of columns.
    private void product(Linear linear, float[] target, int stride, Columns after) {
        workers.rows(linear.matrix().panels(), leastPanels(linear), (from, to, _) -> {
            multiply(linear, from, to, target, stride);
            int columns = Math.min(to * ExactKernels.COLUMNS, linear.matrix().columns());
            after.done(from * ExactKernels.COLUMNS, columns);
        });
    }

    private int leastPanels(Linear linear) {
        int panel = packed.count() * linear.matrix().depth() * ExactKernels.COLUMNS;
        return Math.max(1, LEAST_WORK / panel);
    }

    private void multiply(Linear linear, int fromPanel, int toPanel, float[] target, int stride) {
        linear.matrix().multiply(kernels, packed, fromPanel, toPanel, target, stride);
        if (linear.bias() != null) {
            int from = fromPanel * ExactKernels.COLUMNS;
            int columns =
                    Math.min(toPanel * ExactKernels.COLUMNS, linear.matrix().columns()) - from;
            for (int row = 0; row < packed.count(); row++) {
                kernels.add(target, row * stride + from, linear.bias(), from, columns);
            }
        }
    }

    private void addToResidual(int count, int from, int to) {
        for (int row = 0; row < count; row++) {
            kernels.add(x, row * width + from, branch, row * width + from, to - from);
        }
    }

    /// The MLP's first matrices and its activation, into `gate` where it is gated, else into `up`.
    private void expand(Block block, int count) {
        Linear first = block.up();
        workers.rows(first.matrix().panels(), leastPanels(first), (fromPanel, toPanel, _) -> {
            multiply(first, fromPanel, toPanel, up, hidden);
            if (block.gate() != null) {
                multiply(block.gate(), fromPanel, toPanel, gate, hidden);
            }
            int from = fromPanel * ExactKernels.COLUMNS;
            int columns = Math.min(toPanel * ExactKernels.COLUMNS, config.hidden()) - from;
            for (int row = 0; row < count; row++) {
                activate(row * hidden + from, columns);
            }
        });
    }

    private void activate(int at, int columns) {
        switch (config.activation()) {
            case SWIGLU -> kernels.gate(gate, at, up, at, columns);
            case GELU -> kernels.gelu(up, at, columns);
            case RELU_SQUARED -> kernels.reluSquared(up, at, columns);
        }
    }

    private int headColumns() {
        return config.heads() * config.headDimension();
    }

    /// All keys and values first, since rows of one sequence see each other. Then a task takes one group of heads of
    /// some rows of one sequence.
    private void attend(int layer, ExactSequence[] sequences, int[] positions, int[] chunks, int chunkCount) {
        int groups = config.keyValueHeads();
        workers.run(chunkCount * groups, (task, scratch) -> {
            int row = chunks[task / groups];
            int count = chunks[task / groups + 1] - row;
            Rows queries = new Rows(qkv, row * fused, fused);
            Rows seen = new Rows(heads, row * headColumns(), headColumns());
            attention.look(sequences[row], layer, task % groups, positions[row], count, queries, seen, scratch);
        });
    }

    private void prepare(int layer, ExactSequence[] sequences, int[] positions, int count) {
        workers.rows(count, 4, (from, to, _) -> {
            for (int row = from; row < to; row++) {
                attention.prepare(sequences[row], layer, positions[row], qkv, row * fused);
            }
        });
    }
}
