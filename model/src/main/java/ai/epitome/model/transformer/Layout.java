package ai.epitome.model.transformer;

import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;

/// The families of models that other tools know, each a corner of what [TransformerConfig] can say.
public enum Layout {
    GPT2("gpt2", "GPT2LMHeadModel"),
    LLAMA("llama", "LlamaForCausalLM"),
    MISTRAL("mistral", "MistralForCausalLM"),
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "Qwen3ForCausalLM"),
    /// Everything else: names and keys follow Llama, other tools will not open it.
    EPITOME("epitome", "EpitomeForCausalLM");

    private final String modelType;
    private final String architecture;

    Layout(String modelType, String architecture) {
        this.modelType = modelType;
        this.architecture = architecture;
    }

    /// `model_type` in `config.json`.
    public String modelType() {
        return modelType;
    }

    /// The class that transformers makes of it.
    public String architecture() {
        return architecture;
    }

    /// The family that computes exactly this function.
    public static Layout of(TransformerConfig c) {
        boolean windowed = c.window() != Integer.MAX_VALUE;
        if (c.norm() == Norm.LAYER
                && c.position() instanceof Position.Learned
                && c.activation() == Activation.GELU
                && c.biases() == Biases.ALL
                && c.keyValueHeads() == c.heads()
                && c.heads() * c.headDimension() == c.width()
                && !windowed) {
            return GPT2;
        }
        if (c.norm() != Norm.RMS || c.activation() != Activation.SWIGLU || !(c.position() instanceof Position.Rotary)) {
            return EPITOME;
        }
        return switch (c.biases()) {
            case NONE -> c.queryKeyNorm() ? QWEN3 : windowed ? MISTRAL : LLAMA;
            case QUERY_KEY_VALUE -> c.queryKeyNorm() ? EPITOME : QWEN2;
            case ATTENTION -> c.queryKeyNorm() ? QWEN3 : windowed ? EPITOME : LLAMA;
            case ALL -> c.queryKeyNorm() || windowed ? EPITOME : LLAMA;
        };
    }
}
