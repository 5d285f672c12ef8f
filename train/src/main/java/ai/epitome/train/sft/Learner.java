package ai.epitome.train.sft;

import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.ModelOptimizer;
import ai.epitome.train.TrainedModel;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/// What is changed by fine-tuning: all weights of a model, or an adapter of it while the weights stay as they are.
///
/// @param model as it answers, with the adapter where there is one
/// @param adapter what is trained instead of the model's weights
/// @param base name of the model that an adapter belongs to
/// @param objective the loss
public record Learner(Transformer model, Optional<Adapter> adapter, String base, LanguageModelling objective)
        implements AutoCloseable {

    /// All weights of `model`, which belongs to the learner from here on.
    public static Learner ofModel(Transformer model, String base, TrainingConfig config, Backend backend) {
        return new Learner(model, Optional.empty(), base, new LanguageModelling(model, backend, config.dropout()));
    }

    /// A new adapter of `model`, which belongs to the learner from here on.
    public static Learner ofAdapter(
            Transformer model, Adapter.Settings settings, String base, TrainingConfig config, Backend backend) {
        return ofAdapter(model, Adapter.create(model, settings, config.seed()), base, config, backend);
    }

    /// The same of an adapter that has learned before.
    ///
    /// @param settings those that it must have
    /// @param begun its folder
    /// @throws IllegalArgumentException if it has others
    public static Learner ofAdapter(
            Transformer model,
            Adapter.Settings settings,
            Path begun,
            String base,
            TrainingConfig config,
            Backend backend)
            throws IOException {
        Adapter adapter = AdapterFolder.load(begun, model);
        if (!adapter.settings().equals(settings)) {
            throw new IllegalArgumentException("the adapter in %s has %s, and the run that is to go on with it %s"
                    .formatted(begun, adapter.settings(), settings));
        }
        return ofAdapter(model, adapter, base, config, backend);
    }

    private static Learner ofAdapter(
            Transformer model, Adapter adapter, String base, TrainingConfig config, Backend backend) {
        model.parameters().forEach(parameter -> parameter.trainable(false));
        Transformer adapted = model.with(adapter);
        return new Learner(
                adapted, Optional.of(adapter), base, new LanguageModelling(adapted, backend, config.dropout()));
    }

    /// What checkpoints hold.
    public TrainedModel trained() {
        return adapter.<TrainedModel>map(TrainedAdapter::new).orElse(objective);
    }

    /// The optimizer of what is trained, whose state lives in `arena`.
    public Optimizer optimizer(OptimizerConfig config, Arena arena, Backend backend) {
        if (adapter.isEmpty()) {
            return ModelOptimizer.create(model, config, arena, backend);
        }
        List<Parameter> parameters = adapter.get().parameters();
        return new AdamW(
                List.of(new AdamW.Group(parameters, config.matrixRate(), config.matrixDecay())),
                new AdamW.Settings(config.beta1(), config.beta2(), config.epsilon()),
                arena,
                backend.workers());
    }

    /// The files beside the weights that say what these are.
    public SequencedMap<String, byte[]> companions(Tokenizer tokenizer, GenerationDefaults defaults) {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>(ModelFolder.companions(model, tokenizer, defaults));
        adapter.ifPresent(own -> {
            files.remove(ModelFolder.CONFIG); // it is no model by itself
            files.put(AdapterFolder.CONFIG, AdapterFolder.config(own, model, base));
        });
        return files;
    }

    @Override
    public void close() {
        objective.close();
        model.close();
    }
}
