package ai.epitome.train;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.block.BlockMatrix;
import java.util.Arrays;

/// How much memory a run will want, before it takes any. In bytes.
///
/// @param weights f32 masters, and copies in the compute dtype where that is another
/// @param gradients f32
/// @param optimizer its state
/// @param average of weights, where one is kept
/// @param snapshot the copy that a checkpoint is written from
/// @param activations of one batch, with their gradients
public record MemoryNeed(long weights, long gradients, long optimizer, long average, long snapshot, long activations) {
    /// The heap of the JVM and what the kernels keep for themselves.
    private static final long BASE = 256L << 20;
    /// The loss makes its logits in pieces of this size.
    private static final long LOGITS = 32L << 20;

    /// The need of pretraining.
    ///
    /// @param compute the dtype of activations
    public static MemoryNeed of(TransformerConfig model, TrainingConfig config, DType compute) {
        long parameters = model.parameters();
        long matrices = switch (config.optimizer().kind()) {
            case ADAMW -> 0;
            case MUON -> model.matrixParameters() - (long) model.vocabulary() * model.width();
        };
        long weights = 4 * parameters + (compute == DType.F32 ? 0 : compute.bytes() * parameters);
        long optimizer = 8 * (parameters - matrices) + 4 * matrices;
        long average = config.average() > 0 ? 4 * parameters : 0;
        return new MemoryNeed(
                weights,
                4 * parameters,
                optimizer,
                average,
                4 * parameters + optimizer + average,
                activations(model, config, compute.bytes()));
    }

    /// The same with the weights of `model` as they are; what is trained instead is small. Quantised ones lie in their
    /// file and once more in the order of products, and the way back expands one matrix at a time.
    public MemoryNeed ofFrozen(Transformer model, DType compute) {
        long held = 0;
        long expanded = 0;
        for (Parameter parameter : model.parameters()) {
            long size = Arrays.stream(parameter.shape()).asLongStream().reduce(1, Math::multiplyExact);
            BlockMatrix blocks = parameter.blocks();
            held += blocks != null
                    ? 2 * blocks.bytes()
                    : 4 * size + (compute == DType.F32 ? 0 : compute.bytes() * size);
            expanded = blocks == null ? expanded : Math.max(expanded, compute.bytes() * size);
        }
        return new MemoryNeed(held + expanded, 0, 0, 0, 0, activations);
    }

    /// What the forward pass keeps for the way back, and on top of it the gradients that are alive at once, which are
    /// those of one block and of the residual stream.
    private static long activations(TransformerConfig c, TrainingConfig config, long size) {
        long tokens = (long) config.batchRows() * config.length();
        long residual = 4L * c.width();
        long headColumns = (long) c.heads() * c.headDimension();
        // Norm, fused rows, again after the rotation, heads' results; what goes into the stream is not kept.
        long fused = c.fusedColumns() * (c.position() instanceof Position.Rotary ? 2L : 1L);
        long attention = size * (c.width() + fused + headColumns) + residual;
        // Norm, up, activation.
        long mlp = size * ((long) c.width() + c.upRows() + c.hidden()) + residual;
        // Statistics of norms and softmax.
        long small = 4L * (4 + 4L * c.heads());
        long block = attention + mlp + small;
        long gated = c.activation() == Activation.SWIGLU ? size * c.hidden() : 0;
        long ends = 2 * residual + 2 * size * c.width();
        long logits = Math.min(LOGITS, tokens * c.vocabulary() * 4L);
        return tokens * (c.layers() * block + block + gated + ends) + 2 * logits;
    }

    /// All of it.
    public long total() {
        return weights + gradients + optimizer + average + snapshot + activations + BASE;
    }

    /// @throws TrainingException if that is more than `available` bytes; the message says what takes how much
    public void requireFits(long available) {
        if (total() > available) {
            throw new TrainingException(
                    "this run needs about %s of memory, %s are available: weights %s, gradients %s, optimizer %s, checkpoint copy %s, activations %s. Choose fewer batch rows with more accumulation, a shorter context or a smaller depth"
                            .formatted(
                                    gigabytes(total()),
                                    gigabytes(available),
                                    gigabytes(weights + average),
                                    gigabytes(gradients),
                                    gigabytes(optimizer),
                                    gigabytes(snapshot),
                                    gigabytes(activations)));
        }
    }

    private static String gigabytes(long bytes) {
        return "%.2f GB".formatted(bytes / 1e9);
    }
}
