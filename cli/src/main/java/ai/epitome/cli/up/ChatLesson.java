package ai.epitome.cli.up;

import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.optimizer.Muon;
import ai.epitome.train.sft.ConversationSet;
import ai.epitome.train.sft.FineTuning;
import ai.epitome.train.sft.FineTuningRecipe;
import ai.epitome.train.task.TaskMixture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// The second part of `epitome up`: a model that has read a text learns to answer, from the bundled tasks. The model
/// that answers is kept beside the one that only reads, as `NAME-chat`.
///
/// @param base folder of the model that has read
record ChatLesson(Path base) {
    /// The tasks and their answers take up to a hundred tokens with the marks of their turns.
    private static final int LEAST_CONTEXT = 128;
    private static final int ROW = 256;
    private static final int CONVERSATIONS = 60_000;
    private static final double MOST_SECONDS = 180;
    /// On a fast machine. The conversations are then read about twice: more would be learned by heart.
    private static final long MOST_STEPS = 2000;

    /// Where the model that answers is kept.
    Path folder() {
        return base.resolveSibling(base.getFileName() + "-chat");
    }

    /// Why there is nothing to teach; nothing if there is.
    Optional<String> obstacle() throws IOException {
        int context = LoadedModel.config(base).context();
        if (context < LEAST_CONTEXT) {
            return Optional.of(
                    "a context of %d tokens is too short for conversations (%d would do), so the model only continues texts"
                            .formatted(context, LEAST_CONTEXT));
        }
        return Files.exists(base.resolve(ChatTemplates.FILE))
                ? Optional.of("the model has learned to answer before")
                : Optional.empty();
    }

    /// Makes or restores the run.
    FineTuning open(Backend backend, TrainingListener listener) throws IOException {
        LoadedModel model = LoadedModel.open(base);
        ChatEncoding format = ChatStyle.CHATML.over(model.tokenizer().orElseThrow());
        TransformerConfig config = model.transformer().config();
        byte[] tasks = new TaskMixture(1, false).jsonLines(CONVERSATIONS).getBytes(StandardCharsets.UTF_8);
        ConversationSet data = ConversationSet.read(
                Corpus.of("tasks.jsonl", tasks), format, LongConversations.DROP, Math.min(ROW, config.context()));
        FineTuning.Settings settings = new FineTuning.Settings(
                folder(),
                String.format(
                        Locale.ROOT,
                        "%s, %.1fM parameters, fine-tuned on the bundled tasks",
                        base.getFileName(),
                        config.parameters() / 1e6),
                base.toString(),
                Optional.empty(),
                training(data.length()),
                TypedCommand.text(),
                TypedCommand.home());
        return FineTuning.open(settings, model, format, data, backend, listener);
    }

    /// As long as the text was read, within limits of time and steps.
    private TrainingConfig training(int length) throws IOException {
        Optional<TrainingConfig> begun = TrainingConfig.read(folder());
        if (begun.isPresent()) {
            return begun.get();
        }
        TrainingConfig read = TrainingConfig.read(base)
                .orElseThrow(() -> new NoSuchFileException(
                        base.resolve(TrainingConfig.FILE).toString()));
        TrainingConfig config = FineTuningRecipe.of(length, false).with(c -> c.optimizer = optimizer());
        return read.seconds() > 0
                ? FineTuningRecipe.forSeconds(config, Math.min(read.seconds(), MOST_SECONDS))
                        .with(c -> c.steps = MOST_STEPS)
                : FineTuningRecipe.forSteps(config, Math.min(read.steps(), MOST_STEPS));
    }

    /// Muon, as in pretraining: what the tasks ask for is new to the model.
    private static OptimizerConfig optimizer() {
        return new OptimizerConfig(
                TrainingConfig.Kind.MUON, 0.01, 0.003, 0.003, 0.003, 0, 0, 0.9, 0.95, 1e-8, 0.95, Muon.Scale.SPECTRAL);
    }
}
