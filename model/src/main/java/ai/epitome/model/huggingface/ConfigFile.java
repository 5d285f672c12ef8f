package ai.epitome.model.huggingface;

import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A [TransformerConfig] as Hugging Face's `config.json`. What a file asks for and
/// [ai.epitome.model.transformer.Transformer] cannot compute is an error, never ignored: a model that loads gives the
/// right numbers.
public final class ConfigFile {
    /// Its name in a model folder.
    static final String NAME = "config.json";

    private ConfigFile() {}

    /// Reads `config.json` of GPT-2, Llama, Mistral, Qwen2, Qwen3 or Epitome.
    ///
    /// @throws MalformedModelException when a value is missing, wrong, or of a model that is not supported
    public static TransformerConfig read(Path file) throws IOException {
        JsonObject json = JsonObject.read(file);
        String type = json.text("model_type");
        try {
            return switch (type) {
                case "gpt2" -> gpt2(json);
                case "llama" -> llama(json, llamaBiases(json), false, json.integer("head_dim", perHead(json)));
                case "mistral" ->
                    llama(json, Biases.NONE, false, json.integer("head_dim", perHead(json)))
                            .with(c -> c.window = mistralWindow(json));
                case "qwen2" ->
                    withQwenWindow(
                            json, llama(json, Biases.QUERY_KEY_VALUE, false, json.integer("head_dim", perHead(json))));
                case "qwen3" ->
                    withQwenWindow(json, llama(json, llamaBiases(json), true, json.integer("head_dim", 128)));
                case "epitome" -> epitome(json);
                default ->
                    throw new MalformedModelException(
                            file,
                            "`model_type` is \"%s\"; supported are gpt2, llama, mistral, qwen2, qwen3 and epitome"
                                    .formatted(type));
            };
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(file, e.getMessage(), e);
        }
    }

    private static TransformerConfig gpt2(JsonObject json) throws MalformedModelException {
        int width = json.integer("n_embd");
        int heads = json.integer("n_head");
        if (heads < 1 || width % heads != 0) {
            throw new MalformedModelException(
                    json.file(), "`n_embd` %d is not a multiple of `n_head` %d".formatted(width, heads));
        }
        demand(json, "activation_function", "gelu_new", "gelu_new", "gelu_pytorch_tanh");
        demandFlag(json, "scale_attn_weights", true);
        demandFlag(json, "scale_attn_by_inverse_layer_idx", false);
        return new TransformerConfig(
                json.integer("n_layer"),
                width,
                heads,
                heads,
                width / heads,
                json.integer("n_inner", 4 * width),
                json.integer("vocab_size"),
                json.integer("n_positions"),
                Norm.LAYER,
                (float) json.number("layer_norm_epsilon", 1e-5),
                new Position.Learned(),
                Activation.GELU,
                Biases.ALL,
                false,
                json.flag("tie_word_embeddings", true),
                Integer.MAX_VALUE);
    }

    private static TransformerConfig llama(JsonObject json, Biases biases, boolean queryKeyNorm, int headDimension)
            throws MalformedModelException {
        demand(json, "hidden_act", "silu", "silu");
        return common(json, headDimension, Norm.RMS, rotary(json), Activation.SWIGLU, biases, queryKeyNorm);
    }

    private static TransformerConfig common(
            JsonObject json,
            int headDimension,
            Norm norm,
            Position position,
            Activation activation,
            Biases biases,
            boolean queryKeyNorm)
            throws MalformedModelException {
        int heads = json.integer("num_attention_heads");
        return new TransformerConfig(
                json.integer("num_hidden_layers"),
                json.integer("hidden_size"),
                heads,
                json.integer("num_key_value_heads", heads),
                headDimension,
                json.integer("intermediate_size"),
                json.integer("vocab_size"),
                json.integer("max_position_embeddings"),
                norm,
                (float) json.number("rms_norm_eps", 1e-6),
                position,
                activation,
                biases,
                queryKeyNorm,
                json.flag("tie_word_embeddings", false),
                Integer.MAX_VALUE);
    }

    private static TransformerConfig epitome(JsonObject json) throws MalformedModelException {
        Position position = switch (choice(json, "position", "rotary", "learned")) {
            case "learned" -> new Position.Learned();
            default -> rotary(json);
        };
        int window = json.integer("sliding_window", Integer.MAX_VALUE);
        return common(
                        json,
                        json.integer("head_dim"),
                        Norm.valueOf(upper(choice(json, "norm", "rms", "layer"))),
                        position,
                        Activation.valueOf(upper(choice(json, "activation", "swiglu", "gelu", "relu_squared"))),
                        Biases.valueOf(upper(choice(json, "biases", "none", "query_key_value", "attention", "all"))),
                        json.flag("query_key_norm", false))
                .with(c -> c.window = window);
    }

    private static int perHead(JsonObject json) throws MalformedModelException {
        int heads = json.integer("num_attention_heads");
        return heads < 1 ? 0 : json.integer("hidden_size") / heads;
    }

    private static Biases llamaBiases(JsonObject json) throws MalformedModelException {
        boolean attention = json.flag("attention_bias", false);
        boolean mlp = json.flag("mlp_bias", false);
        if (mlp && !attention) {
            throw new MalformedModelException(json.file(), "`mlp_bias` without `attention_bias` is not supported");
        }
        return mlp ? Biases.ALL : attention ? Biases.ATTENTION : Biases.NONE;
    }

    /// Mistral's own default is 4096; null turns the window off.
    private static int mistralWindow(JsonObject json) {
        JsonNode value = json.node().get("sliding_window");
        if (value == null) {
            return 4096;
        }
        return value.isNull() ? Integer.MAX_VALUE : value.asInt(0);
    }

    private static TransformerConfig withQwenWindow(JsonObject json, TransformerConfig config)
            throws MalformedModelException {
        if (!json.flag("use_sliding_window", false) || !json.has("sliding_window")) {
            return config;
        }
        int fullLayers = fullLayers(json, config.layers());
        if (fullLayers == config.layers()) {
            return config;
        }
        if (fullLayers > 0) {
            throw new MalformedModelException(
                    json.file(),
                    "%d of %d layers have no sliding window (`layer_types` or `max_window_layers`): mixing layers with and without a sliding window is not supported"
                            .formatted(fullLayers, config.layers()));
        }
        int window = json.integer("sliding_window");
        return config.with(c -> c.window = window);
    }

    /// Layers without a sliding window: those that `layer_types` names, or the first `max_window_layers`.
    private static int fullLayers(JsonObject json, int layers) throws MalformedModelException {
        JsonNode types = json.node().get("layer_types");
        if (types == null || types.isNull()) {
            return Math.clamp(json.integer("max_window_layers", 28), 0, layers);
        }
        int full = 0;
        for (JsonNode type : types) {
            switch (type.asString("")) {
                case "full_attention" -> full++;
                case "sliding_attention" -> {}
                default -> throw new MalformedModelException(json.file(), "`layer_types` has " + type);
            }
        }
        if (types.size() != layers) {
            throw new MalformedModelException(
                    json.file(), "`layer_types` has %d entries for %d layers".formatted(types.size(), layers));
        }
        return full;
    }

    /// `rope_parameters` as written since transformers 5, or `rope_theta` and `rope_scaling`.
    private static Position rotary(JsonObject json) throws MalformedModelException {
        if (json.number("partial_rotary_factor", 1) != 1) {
            throw new MalformedModelException(json.file(), "`partial_rotary_factor` other than 1 is not supported");
        }
        if (json.has("rope_parameters")) {
            JsonObject rope = json.object("rope_parameters");
            if (rope.number("partial_rotary_factor", 1) != 1) {
                throw new MalformedModelException(json.file(), "`partial_rotary_factor` other than 1 is not supported");
            }
            return new Position.Rotary(
                    rope.number("rope_theta", json.number("rope_theta", 10_000)), scaling(rope, json));
        }
        RotaryScaling scaling =
                json.has("rope_scaling") ? scaling(json.object("rope_scaling"), json) : new RotaryScaling.None();
        return new Position.Rotary(json.number("rope_theta", 10_000), scaling);
    }

    private static RotaryScaling scaling(JsonObject rope, JsonObject json) throws MalformedModelException {
        String type = rope.text("rope_type", rope.text("type", "default"));
        return switch (type) {
            case "default" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(rope.number("factor"));
            case "llama3" ->
                new RotaryScaling.Llama3(
                        rope.number("factor"),
                        rope.number("low_freq_factor"),
                        rope.number("high_freq_factor"),
                        rope.integer("original_max_position_embeddings"));
            case "yarn" -> yarn(rope, json);
            default ->
                throw new MalformedModelException(
                        rope.file(),
                        "rope scaling \"%s\" is not supported; default, linear, llama3 and yarn are".formatted(type));
        };
    }

    /// YaRN as transformers reads it; DeepSeek's two factors of the magnitude included.
    private static RotaryScaling yarn(JsonObject rope, JsonObject json) throws MalformedModelException {
        if (!rope.flag("truncate", true)) {
            throw new MalformedModelException(rope.file(), "yarn rope scaling with `truncate` false is not supported");
        }
        int context = json.integer("max_position_embeddings");
        int original = rope.integer("original_max_position_embeddings", context);
        double factor = rope.number("factor", (double) context / original);
        double all = rope.number("mscale_all_dim", 0);
        double own = rope.number("mscale", 0);
        double magnitude = RotaryScaling.Yarn.magnitude(factor);
        if (all != 0 && own != 0) {
            magnitude = (1 + own * (magnitude - 1)) / (1 + all * (magnitude - 1));
        }
        return new RotaryScaling.Yarn(
                factor,
                rope.number("beta_fast", 32),
                rope.number("beta_slow", 1),
                original,
                rope.number("attention_factor", magnitude));
    }

    private static void demand(JsonObject json, String key, String absent, String... supported)
            throws MalformedModelException {
        String found = json.text(key, absent);
        for (String one : supported) {
            if (one.equals(found)) {
                return;
            }
        }
        throw new MalformedModelException(
                json.file(), "`%s` is \"%s\"; supported: %s".formatted(key, found, String.join(", ", supported)));
    }

    private static void demandFlag(JsonObject json, String key, boolean supported) throws MalformedModelException {
        if (json.flag(key, supported) != supported) {
            throw new MalformedModelException(json.file(), "`%s` %s is not supported".formatted(key, !supported));
        }
    }

    private static String choice(JsonObject json, String key, String... supported) throws MalformedModelException {
        demand(json, key, supported[0], supported);
        return json.text(key, supported[0]);
    }

    private static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /// The text of `config.json`.
    ///
    /// @param defaults which tokens begin and end texts
    /// @param dtype of the weights beside it
    public static String write(TransformerConfig c, GenerationDefaults defaults, DType dtype) {
        Layout layout = Layout.of(c);
        ObjectNode json = JsonObject.MAPPER.createObjectNode();
        json.putArray("architectures").add(layout.architecture());
        json.put("model_type", layout.modelType());
        if (layout == Layout.GPT2) {
            writeGpt2(c, json);
        } else {
            writeLlama(c, layout, json);
        }
        json.put("vocab_size", c.vocabulary());
        json.put("tie_word_embeddings", c.tiedHead());
        json.put(
                "torch_dtype",
                switch (dtype) {
                    case F16 -> "float16";
                    case BF16 -> "bfloat16";
                    default -> "float32";
                });
        json.putNull("bos_token_id").putNull("eos_token_id"); // transformers would take its own where they are missing
        GenerationConfigFile.writeTokens(defaults, json);
        return JsonObject.MAPPER.writeValueAsString(json) + "\n";
    }

    private static void writeGpt2(TransformerConfig c, ObjectNode json) {
        json.put("activation_function", "gelu_new");
        json.put("n_layer", c.layers());
        json.put("n_embd", c.width());
        json.put("n_head", c.heads());
        json.put("n_inner", c.hidden());
        json.put("n_positions", c.context());
        json.put("layer_norm_epsilon", shortest(c.normEpsilon()));
    }

    private static void writeLlama(TransformerConfig c, Layout layout, ObjectNode json) {
        json.put("num_hidden_layers", c.layers());
        json.put("hidden_size", c.width());
        json.put("num_attention_heads", c.heads());
        json.put("num_key_value_heads", c.keyValueHeads());
        json.put("head_dim", c.headDimension());
        json.put("intermediate_size", c.hidden());
        json.put("max_position_embeddings", c.context());
        json.put("rms_norm_eps", shortest(c.normEpsilon()));
        if (c.position() instanceof Position.Rotary rotary) {
            writeRotary(rotary, json);
        }
        boolean windowed = c.window() != Integer.MAX_VALUE;
        if (windowed) {
            json.put("sliding_window", c.window());
        } else {
            json.putNull("sliding_window");
        }
        switch (layout) {
            case QWEN2, QWEN3 -> {
                json.put("use_sliding_window", windowed);
                json.put("max_window_layers", windowed ? 0 : c.layers());
                json.put("attention_bias", c.biases() != Biases.NONE);
            }
            case LLAMA -> {
                json.put("attention_bias", c.biases() != Biases.NONE);
                json.put("mlp_bias", c.biases() == Biases.ALL);
            }
            case EPITOME -> {
                json.put("norm", lower(c.norm()));
                json.put("position", c.position() instanceof Position.Learned ? "learned" : "rotary");
                json.put("activation", lower(c.activation()));
                json.put("biases", lower(c.biases()));
                json.put("query_key_norm", c.queryKeyNorm());
            }
            case MISTRAL, GPT2 -> {}
        }
        if (layout != Layout.EPITOME) {
            json.put("hidden_act", "silu");
        }
    }

    /// Both spellings, so that tools from before and after transformers 5 see the same frequencies.
    private static void writeRotary(Position.Rotary rotary, ObjectNode json) {
        json.put("rope_theta", rotary.theta());
        ObjectNode rope = json.putObject("rope_parameters");
        rope.put("rope_theta", rotary.theta());
        switch (rotary.scaling()) {
            case RotaryScaling.None() -> rope.put("rope_type", "default");
            case RotaryScaling.Linear(double factor) ->
                rope.put("rope_type", "linear").put("factor", factor);
            case RotaryScaling.Llama3(double factor, double low, double high, int original) ->
                rope.put("rope_type", "llama3")
                        .put("factor", factor)
                        .put("low_freq_factor", low)
                        .put("high_freq_factor", high)
                        .put("original_max_position_embeddings", original);
            case RotaryScaling.Yarn(double factor, double fast, double slow, int original, double magnitude) ->
                rope.put("rope_type", "yarn")
                        .put("factor", factor)
                        .put("beta_fast", fast)
                        .put("beta_slow", slow)
                        .put("original_max_position_embeddings", original)
                        .put("attention_factor", magnitude);
        }
        if (!(rotary.scaling() instanceof RotaryScaling.None)) {
            ObjectNode scaling = rope.deepCopy();
            scaling.remove("rope_theta");
            json.set("rope_scaling", scaling);
        }
    }

    /// The shortest decimal that is this float: 1e-6, not 9.999999974752427e-7.
    private static double shortest(float value) {
        return Double.parseDouble(Float.toString(value));
    }
}
