package ai.epitome.model.gguf;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.gguf.Gguf.Entry;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/// What a GGUF file says of its model: llama, qwen2, qwen3 or gpt2. What it asks for and
/// [ai.epitome.model.transformer.Transformer] cannot compute is an error, never ignored.
///
/// Keys: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, and llama.cpp's `llama-arch.cpp`.
public final class GgufModel {
    /// The architecture of Llama and Mistral.
    public static final String LLAMA = "llama";
    /// What llama.cpp calls the tokenizer of weights alone.
    public static final String NO_TOKENIZER = "none";

    /// What Llama 3's scaling divides each frequency by.
    public static final String ROTARY_DIVISORS = "rope_freqs.weight";

    /// What Llama 3.1 and its successors stretched their contexts by (Llama 3.1's `rope_scaling`).
    private static final double LOW_FACTOR = 1;

    private static final double HIGH_FACTOR = 4;
    private static final int ORIGINAL_CONTEXT = 8192;

    private GgufModel() {}

    /// The shape of the model.
    ///
    /// @throws MalformedModelException when a value is missing, wrong, or of a model that is not supported
    public static TransformerConfig config(Gguf gguf) throws MalformedModelException {
        String architecture = architecture(gguf);
        GgufValues values =
                new GgufValues(gguf.file(), architecture + ".", gguf.metadata().values());
        if (values.integer("expert_count", 0) != 0) {
            throw new MalformedModelException(gguf.file(), "it is a mixture of experts, which is not supported");
        }
        int width = values.integer("embedding_length");
        int heads = values.integer("attention.head_count");
        if (heads < 1) {
            throw new MalformedModelException(
                    gguf.file(), "`%s.attention.head_count` is %d".formatted(architecture, heads));
        }
        int headDimension = values.integer("attention.key_length", width / heads);
        if (values.integer("attention.value_length", headDimension) != headDimension) {
            throw new MalformedModelException(
                    gguf.file(), "heads whose values are not as long as their keys are not supported");
        }
        boolean gpt2 = architecture.equals("gpt2");
        try {
            return new TransformerConfig(
                    values.integer("block_count"),
                    width,
                    heads,
                    values.integer("attention.head_count_kv", heads),
                    headDimension,
                    values.integer("feed_forward_length"),
                    entry(gguf, "token_embd.weight").shape().getFirst(),
                    values.integer("context_length"),
                    gpt2 ? Norm.LAYER : Norm.RMS,
                    (float) values.number(
                            gpt2 ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", 1e-5),
                    gpt2 ? new Position.Learned() : rotary(gguf, values, headDimension),
                    gpt2 ? Activation.GELU : Activation.SWIGLU,
                    gpt2 ? Biases.ALL : biases(gguf.entries()),
                    architecture.equals("qwen3"),
                    !gguf.entries().containsKey("output.weight"),
                    Integer.MAX_VALUE);
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(gguf.file(), e.getMessage(), e);
        }
    }

    private static String architecture(Gguf gguf) throws MalformedModelException {
        String name = new GgufValues(gguf.file(), "general.", gguf.metadata().values()).text("architecture", "");
        return switch (name) {
            case LLAMA, "qwen2", "qwen3", "gpt2" -> name;
            default ->
                throw new MalformedModelException(
                        gguf.file(),
                        "`general.architecture` is \"%s\"; supported are llama, qwen2, qwen3 and gpt2".formatted(name));
        };
    }

    /// Whether its heads turn neighbouring channels, see [ai.epitome.model.transformer.RotaryRows].
    public static boolean turnsNeighbours(Gguf gguf) throws MalformedModelException {
        return architecture(gguf).equals(LLAMA);
    }

    private static Biases biases(Map<String, Entry> entries) {
        if (entries.containsKey("blk.0.ffn_up.bias")) {
            return Biases.ALL;
        }
        if (entries.containsKey("blk.0.attn_output.bias")) {
            return Biases.ATTENTION;
        }
        return entries.containsKey("blk.0.attn_q.bias") ? Biases.QUERY_KEY_VALUE : Biases.NONE;
    }

    private static Position rotary(Gguf gguf, GgufValues values, int headDimension) throws MalformedModelException {
        int turned = values.integer("rope.dimension_count", headDimension);
        if (turned != headDimension) {
            throw new MalformedModelException(
                    gguf.file(),
                    "%d of a head's %d channels turn with the position; only all of them are supported"
                            .formatted(turned, headDimension));
        }
        return new Position.Rotary(values.number("rope.freq_base", 10_000), scaling(gguf, values, headDimension));
    }

    private static RotaryScaling scaling(Gguf gguf, GgufValues values, int headDimension)
            throws MalformedModelException {
        String type = values.text("rope.scaling.type", values.has("rope.scale_linear") ? "linear" : "none");
        double factor = values.number("rope.scaling.factor", values.number("rope.scale_linear", 1));
        boolean yarn = type.equals("yarn");
        if (!type.equals("none") && !type.equals("linear") && !yarn) {
            throw new MalformedModelException(
                    gguf.file(),
                    "rope scaling \"%s\" is not supported; none, linear, yarn and Llama 3's are".formatted(type));
        }
        boolean linear = type.equals("linear") && factor != 1 && factor != 0;
        if (!gguf.entries().containsKey(ROTARY_DIVISORS)) {
            RotaryScaling plain = linear ? new RotaryScaling.Linear(factor) : new RotaryScaling.None();
            return yarn ? yarn(values, factor) : plain;
        }
        if (linear || yarn) {
            throw new MalformedModelException(gguf.file(), "two rope scalings at once are not supported");
        }
        int original = values.integer("rope.scaling.original_context_length", ORIGINAL_CONTEXT);
        return llama3(gguf, values.number("rope.freq_base", 10_000), original, headDimension);
    }

    /// YaRN as llama.cpp computes it: the file's factor of the magnitude is one beside the paper's.
    private static RotaryScaling yarn(GgufValues values, double factor) throws MalformedModelException {
        if (values.has("rope.scaling.yarn_log_multiplier")) {
            throw notSupported(values, "rope.scaling.yarn_log_multiplier");
        }
        for (String key : new String[] {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor"}) {
            if (values.number(key, 1) != 1) {
                throw notSupported(values, key);
            }
        }
        return new RotaryScaling.Yarn(
                factor == 0 ? 1 : factor,
                values.number("rope.scaling.yarn_beta_fast", 32),
                values.number("rope.scaling.yarn_beta_slow", 1),
                values.integer("rope.scaling.original_context_length", values.integer("context_length")),
                RotaryScaling.Yarn.magnitude(factor) * values.number("rope.scaling.attn_factor", 1));
    }

    private static MalformedModelException notSupported(GgufValues values, String key) {
        return new MalformedModelException(values.file(), "`%s%s` is not supported".formatted(values.prefix(), key));
    }

    /// Llama 3's scaling as GGUF has it: what each pair's frequency is divided by. The formula has to give these
    /// divisors.
    private static RotaryScaling llama3(Gguf gguf, double theta, int original, int headDimension)
            throws MalformedModelException {
        Entry entry = entry(gguf, ROTARY_DIVISORS);
        if (entry.size() != headDimension / 2 || entry.shape().size() != 1) {
            throw new MalformedModelException(
                    gguf.file(),
                    "tensor `rope_freqs.weight` has shape %s, expected [%d]"
                            .formatted(entry.shape(), headDimension / 2));
        }
        float[] divisors = GgufWeights.values(entry);
        double factor = 1;
        for (float divisor : divisors) {
            factor = Math.max(factor, divisor);
        }
        RotaryScaling none = new RotaryScaling.None();
        RotaryScaling scaling =
                factor == 1 ? none : new RotaryScaling.Llama3(factor, LOW_FACTOR, HIGH_FACTOR, original);
        float[] plain = none.inverseFrequencies(theta, headDimension);
        float[] scaled = scaling.inverseFrequencies(theta, headDimension);
        for (int i = 0; i < divisors.length; i++) {
            if (!(Math.abs(plain[i] / scaled[i] - divisors[i]) <= 1e-3 * divisors[i])) {
                throw new MalformedModelException(
                        gguf.file(),
                        "tensor `rope_freqs.weight` divides frequency %d by %s, where Llama 3's scaling by %s of %d positions divides it by %s: other scalings are not supported"
                                .formatted(i, divisors[i], factor, original, plain[i] / scaled[i]));
            }
        }
        return scaling;
    }

    private static Entry entry(Gguf gguf, String name) throws MalformedModelException {
        Entry entry = gguf.entries().get(name);
        if (entry == null) {
            throw new MalformedModelException(gguf.file(), "tensor `%s` is missing".formatted(name));
        }
        return entry;
    }

    /// The tokenizer in its metadata; none where there is none.
    public static Optional<Tokenizer> tokenizer(Gguf gguf) throws IOException {
        Object model = gguf.metadata().values().get("tokenizer.ggml.model");
        return model != null && !model.equals(NO_TOKENIZER)
                ? Optional.of(Tokenizers.ofGguf(gguf.metadata(), gguf.file().toString()))
                : Optional.empty();
    }

    /// @param left names of tensors that the network has no place for
    /// @throws MalformedModelException when there are any, but for [#ROTARY_DIVISORS]
    public static void requireNoMore(Gguf gguf, Set<String> left) throws MalformedModelException {
        Set<String> unknown = new TreeSet<>(left);
        unknown.remove(ROTARY_DIVISORS);
        if (!unknown.isEmpty()) {
            throw new MalformedModelException(
                    gguf.file(),
                    "%d tensors do not belong to its architecture, the first is `%s`"
                            .formatted(unknown.size(), unknown.iterator().next()));
        }
    }

    /// The tokens that begin and end texts, which end a generated one, as its metadata has them; sampling at
    /// temperature 1.
    public static GenerationDefaults defaults(Gguf gguf) throws MalformedModelException {
        GgufValues values =
                new GgufValues(gguf.file(), "tokenizer.ggml.", gguf.metadata().values());
        Set<Integer> ends = new TreeSet<>();
        for (String key : new String[] {"eos_token_id", "eot_token_id", "eom_token_id"}) {
            if (values.has(key)) {
                ends.add(values.integer(key));
            }
        }
        OptionalInt begin =
                values.has("bos_token_id") ? OptionalInt.of(values.integer("bos_token_id")) : OptionalInt.empty();
        return new GenerationDefaults(ends, begin, Sampling.ofTemperature(1, 0));
    }
}
