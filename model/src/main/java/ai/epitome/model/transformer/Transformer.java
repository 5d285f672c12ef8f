package ai.epitome.model.transformer;

import ai.epitome.model.file.MappedFile;
import ai.epitome.model.transformer.Block.Linear;
import ai.epitome.model.transformer.Block.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.AttentionShape;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.RotaryTable;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.block.PackedMemory;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A decoder-only transformer (Vaswani et al. 2017; pre-norm as in Radford et al. 2019): GPT-2, Llama, Mistral, Qwen2
/// and Qwen3 are this function with different [TransformerConfig]s.
///
/// Shapes: B sequences of T tokens make N = B * T rows; C channels, H query heads and K key-value heads of D channels,
/// F channels in the MLP, V token ids. The residual stream is f32; operands of products have the backend's dtype.
///
/// A model holds weights and no state: any number of sequences and training steps may use it, one pass at a time per
/// thread pool.
public final class Transformer implements AutoCloseable {
    /// How a layer's fused rows (N, (H + 2K) D) become the heads' results (N, H D): over the batch itself, or over a
    /// cache.
    @FunctionalInterface
    public interface Attention {
        Tensor attend(int layer, Tensor queryKeyValue);
    }

    private final TransformerConfig config;
    private final Arena arena;
    private MappedFile mapping; // of weights that stay in their file, or null
    private PackedMemory packed; // of the same weights in the order of products, or null
    private final ParameterList parameters;
    private final Parameter embedding; // (V, C)
    private final Parameter positionEmbedding; // (context, C), or null
    private final List<Block> blocks;
    private final Norm finalNorm;
    private final Parameter head; // (V, C); the embedding itself when tied
    private final RotaryPositions rotary; // or null
    private final Adapter adapter; // or null

    /// A model of zeros; fill it by [Initialization#apply] or
    /// [ai.epitome.model.huggingface.ModelFolder#loadTransformer].
    public Transformer(TransformerConfig config) {
        this.config = config;
        adapter = null;
        arena = Arena.ofShared();
        parameters = new ParameterList(arena);
        blocks = new ArrayList<>();
        embedding = parameters.add("embedding", Role.EMBEDDING, config.vocabulary(), config.width());
        positionEmbedding = config.position() instanceof Position.Learned
                ? parameters.add("position_embedding", Role.EMBEDDING, config.context(), config.width())
                : null;
        for (int layer = 0; layer < config.layers(); layer++) {
            blocks.add(Block.create(parameters, config, layer));
        }
        finalNorm = Block.norm(parameters, config, "final_norm");
        head = config.tiedHead() ? embedding : parameters.add("head", Role.HEAD, config.vocabulary(), config.width());
        rotary = config.position() instanceof Position.Rotary(double theta, RotaryScaling scaling)
                ? new RotaryPositions(
                        scaling.inverseFrequencies(theta, config.headDimension()), scaling.scale(), config.context())
                : null;
    }

    /// A new model with drawn weights.
    public Transformer(TransformerConfig config, Initialization initialization) {
        this(config);
        initialization.apply(this);
    }

    /// The same weights with an adapter.
    private Transformer(Transformer base, Adapter adapter) {
        this.adapter = adapter;
        config = base.config;
        arena = base.arena;
        mapping = base.mapping;
        packed = base.packed;
        parameters = base.parameters;
        embedding = base.embedding;
        positionEmbedding = base.positionEmbedding;
        blocks = base.blocks;
        finalNorm = base.finalNorm;
        head = base.head;
        rotary = base.rotary;
    }

    /// This model as an adapter that was made for it changes it. The weights are shared: close one of the two.
    public Transformer with(Adapter adapter) {
        return new Transformer(this, adapter);
    }

    /// The last hidden states, normalised: what the head multiplies. (N, C) in the compute dtype.
    public Tensor hidden(Tape tape, Sequences tokens, Dropout dropout) {
        if (tokens.length() > config.context()) {
            throw new IllegalArgumentException("sequences of %d tokens, but the model's context is %d"
                    .formatted(tokens.length(), config.context()));
        }
        AttentionShape shape = new AttentionShape(
                tokens.batch(),
                tokens.length(),
                tokens.length(),
                tokens.length(),
                config.heads(),
                config.keyValueHeads(),
                config.headDimension(),
                config.window());
        Attention causal = (_, qkv) -> tape.attention(qkv, shape, tokens.segmentStarts());
        return hidden(tape, tokens.ids(), tokens.positions(), shape, causal, new Changes(List.of(), dropout));
    }

    /// Rows of a pass that an adapter changes, besides the model's own.
    public record AdaptedRows(Adapter adapter, int from, int to) {}

    /// The same of rows of any sequences, (N, C), some of them with an adapter: what a row looks at is up to
    /// `attention`. Each weight is read once for all of them.
    public Tensor hidden(Tape tape, int[] ids, int[] positions, List<AdaptedRows> adapted, Attention attention) {
        AttentionShape shape = new AttentionShape(
                ids.length, 1, 1, 1, config.heads(), config.keyValueHeads(), config.headDimension(), config.window());
        return hidden(tape, ids, positions, shape, attention, new Changes(adapted, Dropout.NONE));
    }

    /// What changes the results of layers.
    private record Changes(List<AdaptedRows> adapted, Dropout dropout) {}

    private Tensor hidden(
            Tape tape, int[] ids, int[] positions, AttentionShape shape, Attention attention, Changes changes) {
        return ofWholeFile(() -> function(tape, ids, positions, shape, attention, changes));
    }

    /// The function itself.
    private Tensor function(
            Tape tape, int[] ids, int[] positions, AttentionShape shape, Attention attention, Changes changes) {
        Dropout dropout = changes.dropout;
        Tensor x = tape.embedding(ids, embedding); // (N, C)
        if (positionEmbedding != null) {
            Tensor tokens = x;
            Tensor places = tape.embedding(positions, positionEmbedding);
            x = tape.add(tokens, places);
            tape.forget(tokens);
            tape.forget(places);
        }
        x = tape.dropout(x, dropout.probability(), dropout.seedAt(0));
        RotaryTable turns = rotary == null ? null : rotary.covering(positions);
        for (int layer = 0; layer < blocks.size(); layer++) {
            Block block = blocks.get(layer);
            Tensor normed = norm(tape, x, block.attentionNorm());
            Tensor qkv = linear(tape, normed, block.queryKeyValue(), changes); // (N, (H + 2K) D)
            if (turns != null) {
                Parameter queryGain = block.queryGain();
                Parameter keyGain = block.keyGain();
                float epsilon = config.normEpsilon();
                qkv = used(tape, qkv, tape.rotate(qkv, shape, turns, positions, queryGain, keyGain, epsilon));
            }
            Tensor heads = used(tape, qkv, attention.attend(layer, qkv)); // (N, H D)
            x = add(tape, x, linear(tape, heads, block.output(), changes), dropout, 2 * layer + 1);

            normed = norm(tape, x, block.mlpNorm());
            Tensor up = linear(tape, normed, block.up(), changes); // (N, 2F) or (N, F)
            Tensor activated = used(tape, up, activate(tape, up)); // (N, F)
            x = add(tape, x, linear(tape, activated, block.down(), changes), dropout, 2 * layer + 2);
        }
        return used(tape, x, norm(tape, x, finalNorm));
    }

    private Tensor norm(Tape tape, Tensor x, Norm norm) {
        return switch (config.norm()) {
            case RMS -> tape.rmsNorm(x, norm.gain(), config.normEpsilon());
            case LAYER -> tape.layerNorm(x, norm.gain(), norm.bias(), config.normEpsilon());
        };
    }

    private Tensor activate(Tape tape, Tensor up) {
        return switch (config.activation()) {
            case SWIGLU -> tape.swiglu(up); // (N, 2F) -> (N, F)
            case GELU -> tape.gelu(up);
            case RELU_SQUARED -> tape.reluSquared(up);
        };
    }

    private Tensor linear(Tape tape, Tensor x, Linear linear, Changes changes) {
        Tensor y = tape.linear(x, linear.weight(), linear.bias());
        if (adapter != null) {
            y = adapter.add(tape, y, x, linear.weight(), changes.dropout);
        }
        for (AdaptedRows rows : changes.adapted) {
            Tensor part = y.slice(rows.from, rows.to);
            rows.adapter.add(tape, part, x.slice(rows.from, rows.to), linear.weight(), changes.dropout);
        }
        return used(tape, x, y);
    }

    private static Tensor add(Tape tape, Tensor x, Tensor branch, Dropout dropout, int place) {
        Tensor kept = tape.dropout(branch, dropout.probability(), dropout.seedAt(place));
        Tensor sum = tape.add(x, kept);
        tape.forget(branch);
        tape.forget(kept);
        return used(tape, x, sum);
    }

    /// Gives back the memory of an activation after its last use, `result`, where no way back needs it: inference
    /// then takes the memory of one block, however many there are.
    private static Tensor used(Tape tape, Tensor activation, Tensor result) {
        if (!tape.recording()) {
            tape.forget(activation);
        }
        return result;
    }

    /// Negative log-likelihood of each target in nats, (N) f32; 0 where the target is -1.
    ///
    /// @param weights what the losses will be weighed with: [Tape#weightedSum] and [Tape#backward] have to follow
    public Tensor tokenLosses(Tape tape, Sequences tokens, int[] targets, float[] weights, Dropout dropout) {
        return tape.tokenLosses(hidden(tape, tokens, dropout), head, targets, weights);
    }

    /// The logits of hidden states, (N, V) f32.
    public Tensor logits(Tape tape, Tensor hidden) {
        return ofWholeFile(() -> tape.logits(hidden, head));
    }

    /// What a pass computes. Where the file in which weights stay has been cut, that is said, not what came of it.
    private Tensor ofWholeFile(Supplier<Tensor> pass) {
        requireWhole();
        try {
            return pass.get();
        } catch (InternalError | IllegalStateException e) { // a page of the file is gone, perhaps
            requireWhole();
            throw e;
        }
    }

    /// Whether a few rows of a sequence get the same bits whatever rows they are computed with: products with quantised
    /// weights are defined to the bit, others are where the backend says so.
    public boolean batchInvariant(Backend backend) {
        return backend.product().batchInvariant() || (adapter == null && multipliesQuantised());
    }

    private boolean multipliesQuantised() {
        return head.blocks() != null
                && blocks.stream()
                        .flatMap(block -> Stream.of(block.queryKeyValue(), block.output(), block.up(), block.down()))
                        .allMatch(linear -> linear.weight().blocks() != null);
    }

    /// Whether an adapter changes it.
    public boolean adapted() {
        return adapter != null;
    }

    public TransformerConfig config() {
        return config;
    }

    /// All parameters, each once, in a fixed order. Projections that read the same input are fused:
    /// `query_key_value` and `gate_up`; [WeightNames#slices] tells their parts.
    public List<Parameter> parameters() {
        return parameters.all();
    }

    /// How often weights have changed: keys and values computed before are of another model.
    public long changes() {
        long changes = 0;
        for (Parameter parameter : parameters.all()) {
            changes += parameter.changes();
        }
        if (adapter != null) {
            for (Parameter parameter : adapter.parameters()) {
                changes += parameter.changes();
            }
        }
        return changes;
    }

    /// Takes in what tells this model from others: its shape and weights, and its adapter's.
    public void digest(MessageDigest digest) {
        digest.update(config.toString().getBytes(StandardCharsets.UTF_8));
        digest(parameters.all(), digest);
        if (adapter != null) {
            digest.update(Double.toString(adapter.settings().scale()).getBytes(StandardCharsets.UTF_8));
            digest(adapter.parameters(), digest);
        }
    }

    private static void digest(List<Parameter> all, MessageDigest digest) {
        for (Parameter parameter : all) {
            digest.update(parameter.name().getBytes(StandardCharsets.UTF_8));
            parameter.read(digest::update);
        }
    }

    /// What `parameter` is to this model.
    public Role role(Parameter parameter) {
        return parameters.role(parameter);
    }

    /// (V, C): token embeddings.
    public Parameter embedding() {
        return embedding;
    }

    /// (V, C): the matrix from hidden states to logits; the embedding itself when tied.
    public Parameter head() {
        return head;
    }

    /// Learned positions, (context, C), or null.
    Parameter positionEmbedding() {
        return positionEmbedding;
    }

    List<Block> blocks() {
        return blocks;
    }

    Norm finalNorm() {
        return finalNorm;
    }

    /// @throws UncheckedIOException when the file in which weights stay has been cut
    private void requireWhole() {
        if (mapping != null) {
            mapping.requireWhole();
        }
    }

    /// Makes the mapping of a file, in which weights stay, this model's to close, and the memory where products keep
    /// them in another order.
    public void keep(MappedFile mapping, PackedMemory packed) {
        this.mapping = mapping;
        this.packed = packed;
    }

    /// Frees all weights. Tensors taken from the model must no longer be used.
    @Override
    public void close() {
        arena.close();
        if (mapping != null) {
            mapping.close();
            packed.close();
        }
    }
}
