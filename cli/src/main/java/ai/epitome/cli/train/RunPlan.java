package ai.epitome.cli.train;

import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.TokenShards;
import ai.epitome.train.pretrain.DataRecord;
import ai.epitome.train.pretrain.Pretraining;
import ai.epitome.train.pretrain.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// A run that is ready to begin: the text, and the settings. Where a run has begun in the model's folder before, they
/// are that run's, except for what is given anew.
public record RunPlan(PreparedText text, Pretraining.Settings settings) {
    /// Reads and tokenises the text, where that has not been done, and settles the settings.
    ///
    /// @param folder of the model
    /// @param notices gets what a user should know, line by line
    public static RunPlan of(
            List<Path> paths, Path folder, TextOptions options, RunOptions run, int threads, Consumer<String> notices)
            throws IOException {
        boolean packed = packed(folder, options);
        PreparedText text = PreparedText.of(paths, options.tokenizer(), folder, threads, notices);
        Optional<TrainingConfig> kept = TrainingConfig.read(folder);
        Recipe recipe;
        if (kept.isPresent()) {
            notices.accept("going on with the run in " + folder);
            Recipe begun = new Recipe(ModelFolder.config(folder), kept.get());
            recipe = run.changed(begun, folder);
        } else {
            recipe = run.recipe(
                    text.tokenizer().vocabularySize(), text.dataset().train().tokens());
        }
        return new RunPlan(
                text,
                new Pretraining.Settings(
                        folder,
                        title(recipe.model(), folder),
                        recipe,
                        packed,
                        TypedCommand.text(),
                        TypedCommand.home()));
    }

    /// Whether rows are packed: as they were when the run began, where one has.
    private static boolean packed(Path folder, TextOptions options) throws IOException {
        boolean packed = DataRecord.read(folder).flatMap(DataRecord::packed).orElse(options.packed());
        if (options.packed() && !packed) {
            throw new IllegalArgumentException(
                    "the run in %s began with contiguous windows, and --packed asks for whole documents side by side; leave it out, or give another folder"
                            .formatted(folder));
        }
        return packed;
    }

    /// Makes or restores the run; nothing is trained yet.
    public Pretraining open(Backend backend, TrainingListener listener) throws IOException {
        return Pretraining.open(
                settings, text.dataset(), text.tokenizer(), Optional.of(text.baselines()), backend, listener);
    }

    /// What is trained on what.
    public static String title(TransformerConfig model, Path folder) {
        return String.format(
                Locale.ROOT, "a %.1fM-parameter model on %s", model.parameters() / 1e6, folder.getFileName());
    }

    /// Mean bytes of a token of the training text.
    public double bytesPerToken() {
        TokenShards train = text.dataset().train();
        return (double) train.bytes() / train.tokens();
    }
}
