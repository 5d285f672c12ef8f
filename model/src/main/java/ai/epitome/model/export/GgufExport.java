package ai.epitome.model.export;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.export.WeightShapes.Shape;
import ai.epitome.model.gguf.GgufModel;
import ai.epitome.model.gguf.GgufWeights;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.file.GgufMetadataWriter;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.function.DoubleConsumer;

/// A model as a GGUF file that llama.cpp runs: what [GgufModel] reads.
///
/// | layout | architecture | what is turned |
/// |---|---|---|
/// | GPT-2 | `gpt2` | matrices are (out, in), as everywhere else |
/// | Llama, Mistral | `llama` | rows of queries and keys in the order of neighbouring pairs, see [RotaryRows] |
/// | Qwen2, Qwen3 | `qwen2`, `qwen3` | nothing |
///
/// What an architecture cannot say is refused: other layouts, and Llama 3's scaling outside `llama`.
public final class GgufExport {
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";
    private static final String BEGIN = "tokenizer.ggml.bos_token_id";

    private final StoredModel model;
    private final TransformerConfig config;
    private final Quantization quantization;
    private final String architecture;
    private final GgufMetadataWriter metadata = new GgufMetadataWriter();
    private final List<GgufWriter.Item> items = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private GgufExport(StoredModel model, Quantization quantization) {
        this.model = model;
        this.config = model.config();
        this.quantization = quantization;
        this.architecture = architecture(config);
    }

    /// Writes `file`, whole or not at all.
    ///
    /// @param progress hears which part has been written; what it throws ends the work
    /// @throws IllegalArgumentException if GGUF or a format cannot hold the model
    public static Exported write(StoredModel model, Quantization quantization, Path file, DoubleConsumer progress)
            throws IOException {
        GgufExport export = new GgufExport(model, quantization);
        export.describe();
        export.tokenizer();
        export.tensors();
        GgufWriter.write(file, export.metadata, export.items, progress);
        List<BlockFormat> formats =
                export.items.stream().map(GgufWriter.Item::format).toList();
        return new Exported(export.notes, Exported.count(formats));
    }

    private static String architecture(TransformerConfig config) {
        Layout layout = Layout.of(config.with(c -> c.window = Integer.MAX_VALUE));
        if (layout == Layout.EPITOME) {
            throw new IllegalArgumentException(
                    "llama.cpp runs the layouts of GPT-2, Llama, Mistral, Qwen2 and Qwen3; this model has another mix of"
                            + " norm, positions, activation and biases");
        }
        if (layout == Layout.QWEN3 && config.biases() != Biases.NONE) {
            throw new IllegalArgumentException("llama.cpp's qwen3 has no biases, which this model has");
        }
        return layout == Layout.MISTRAL ? GgufModel.LLAMA : layout.modelType();
    }

    private void describe() {
        metadata.text("general.architecture", architecture);
        metadata.text("general.type", "model");
        metadata.text("general.name", LoadedModel.nameOf(model.source()));
        metadata.integer("general.file_type", quantization.fileType());
        if (quantization.format().blockValues() > 1) {
            metadata.integer("general.quantization_version", 2);
        }
        integer("vocab_size", config.vocabulary());
        integer("context_length", context());
        integer("embedding_length", config.width());
        integer("block_count", config.layers());
        integer("feed_forward_length", config.hidden());
        integer("attention.head_count", config.heads());
        integer("attention.head_count_kv", config.keyValueHeads());
        if (config.position() instanceof Position.Rotary rotary) {
            integer("attention.key_length", config.headDimension());
            integer("attention.value_length", config.headDimension());
            metadata.number(architecture + ".attention.layer_norm_rms_epsilon", config.normEpsilon());
            rotary(rotary);
        } else {
            metadata.number(architecture + ".attention.layer_norm_epsilon", config.normEpsilon());
        }
        model.chatTemplates()
                .forEach((name, template) -> metadata.text(
                        CHAT_TEMPLATE + (name.equals(ChatTemplates.DEFAULT) ? "" : "." + name), template));
    }

    private void integer(String key, int value) {
        metadata.integer(architecture + "." + key, value);
    }

    /// None of the architectures has a window; as far as it reaches, there is no difference.
    private int context() {
        if (config.window() >= config.context()) {
            return config.context();
        }
        notes.add(
                "positions of this model see %,d back, which llama.cpp does not know of its kind: its context is written as %,d instead of %,d"
                        .formatted(config.window(), config.window(), config.context()));
        return config.window();
    }

    private void rotary(Position.Rotary rotary) {
        integer("rope.dimension_count", config.headDimension());
        metadata.number(architecture + ".rope.freq_base", (float) rotary.theta());
        switch (rotary.scaling()) {
            case RotaryScaling.None() -> {}
            case RotaryScaling.Linear(double factor) -> {
                metadata.text(architecture + ".rope.scaling.type", "linear");
                metadata.number(architecture + ".rope.scaling.factor", (float) factor);
            }
            case RotaryScaling.Yarn scaling -> yarn(scaling);
            case RotaryScaling.Llama3 scaling -> {
                if (!architecture.equals(GgufModel.LLAMA)) {
                    throw new IllegalArgumentException(
                            "llama.cpp knows Llama 3's rope scaling in llama alone, not in " + architecture);
                }
                integer("rope.scaling.original_context_length", scaling.originalContext());
                items.add(divisors(rotary));
            }
        }
    }

    private void yarn(RotaryScaling.Yarn scaling) {
        String prefix = architecture + ".rope.scaling.";
        metadata.text(prefix + "type", "yarn");
        metadata.number(prefix + "factor", (float) scaling.factor());
        integer("rope.scaling.original_context_length", scaling.originalContext());
        metadata.number(prefix + "yarn_beta_fast", (float) scaling.fast());
        metadata.number(prefix + "yarn_beta_slow", (float) scaling.slow());
        double usual = RotaryScaling.Yarn.magnitude(scaling.factor());
        if (scaling.magnitude() != usual) {
            metadata.number(prefix + "attn_factor", (float) (scaling.magnitude() / usual));
        }
    }

    private GgufWriter.Item divisors(Position.Rotary rotary) {
        float[] plain = new RotaryScaling.None().inverseFrequencies(rotary.theta(), config.headDimension());
        float[] scaled = rotary.scaling().inverseFrequencies(rotary.theta(), config.headDimension());
        StoredWeight weight = new StoredWeight(
                new Shape(GgufModel.ROTARY_DIVISORS, plain.length, 1, true, false),
                BlockFormat.F32,
                (row, target) -> target[0] = plain[row] / scaled[row]);
        return new GgufWriter.Item(GgufModel.ROTARY_DIVISORS, BlockFormat.F32, weight);
    }

    private void tokenizer() {
        Optional<Tokenizer> tokenizer = model.tokenizer();
        if (tokenizer.isEmpty()) {
            metadata.text("tokenizer.ggml.model", GgufModel.NO_TOKENIZER);
            notes.add("the model has no tokenizer, so llama.cpp can only be given token ids");
            return;
        }
        notes.addAll(Tokenizers.toGguf(tokenizer.get(), config.vocabulary(), metadata));
        OptionalInt begin = model.defaults().beginOfText();
        if (begin.isPresent() && !metadata.has(BEGIN)) {
            metadata.integer(BEGIN, begin.getAsInt());
        }
        ends(tokenizer.get().endOfText());
    }

    /// GGUF has a name for each token that ends a text; which has which is not known here; llama.cpp stops at any.
    private void ends(OptionalInt first) {
        List<Integer> ids = new ArrayList<>(new TreeSet<>(model.defaults().endOfText()));
        if (first.isPresent() && (ids.isEmpty() || ids.remove((Integer) first.getAsInt()))) {
            ids.addFirst(first.getAsInt());
        }
        List<String> names = List.of("eos", "eot", "eom");
        for (int i = 0; i < Math.min(ids.size(), names.size()); i++) {
            metadata.integer("tokenizer.ggml.%s_token_id".formatted(names.get(i)), ids.get(i));
        }
        if (ids.size() > names.size()) {
            notes.add("%d tokens end a text, GGUF has names for three of them".formatted(ids.size()));
        }
    }

    private void tensors() {
        boolean neighbours = architecture.equals(GgufModel.LLAMA);
        for (StoredWeight weight : model.weights()) {
            String name = GgufWeights.name(weight.name());
            BlockFormat format = quantization.of(name, weight.shape(), config);
            boolean turned = neighbours && RotaryRows.turns(weight.name());
            items.add(new GgufWriter.Item(
                    name,
                    format,
                    turned ? weight.reordered(row -> RotaryRows.halves(row, config.headDimension())) : weight));
        }
    }
}
