package ai.epitome.cli.serve;

import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.train.Pace;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.serve.tuning.TuningRequest;
import ai.epitome.serve.tuning.TuningRequest.Method;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.preference.DirectPreferenceTraining;
import ai.epitome.train.preference.PreferenceFormat;
import ai.epitome.train.preference.PreferenceSet;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.sft.ConversationSet;
import ai.epitome.train.sft.FineTuning;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The run that a job of the service asks for. What it leaves open is as `epitome sft` and `epitome dpo` have it.
///
/// @param folder of the job
record TuningPlan(TuningRequest request, Path folder, Backend backend) {
    private static final double MOST_EPOCHS = 10;
    private static final double BETA = 0.1;
    /// Checkpoints that are kept, and can be asked: adapters are small.
    private static final int ADAPTERS_KEPT = 3;

    ResumableRun open(TuningTeller teller) throws IOException {
        LoadedModel base = LoadedModel.open(request.base());
        Tokenizer tokenizer = base.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(request.baseName() + " has no tokenizer"));
        Optional<Adapter.Settings> adapter = adapter(base);
        int length = Math.min(
                FineTuningRecipe.LONGEST_ROW, base.transformer().config().context());
        return request.method() == Method.DPO
                ? preferences(base, tokenizer, adapter, length, teller)
                : conversations(base, tokenizer, adapter, length, teller);
    }

    private Optional<Adapter.Settings> adapter(LoadedModel base) throws IOException {
        if (request.begun().isPresent()) {
            return Optional.of(AdapterFolder.settings(request.begun().get()));
        }
        return request.rank() == 0
                ? Optional.empty()
                : Optional.of(Adapter.Settings.of(request.rank(), Adapter.names(base.transformer())));
    }

    private ResumableRun conversations(
            LoadedModel base, Tokenizer tokenizer, Optional<Adapter.Settings> adapter, int length, TuningTeller teller)
            throws IOException {
        ChatStyle style = adapter.isPresent() ? ChatStyle.spokenBy(tokenizer) : ChatStyle.CHATML;
        ChatEncoding format = style.over(tokenizer);
        ConversationSet data = conversations(request.training(), format, length);
        if (request.validation().isPresent()) {
            data = data.measuredBy(conversations(request.validation().get(), format, length));
        }
        long rows = BatchStream.examples(data.train(), data.table(), 0, 1, data.length())
                .rowsPerEpoch();
        TrainingConfig recipe = FineTuningRecipe.of(data.length(), adapter.isPresent());
        Pace pace = pace(rows, recipe, FineTuningRecipe.EPOCHS, MOST_EPOCHS);
        TrainingConfig config = FineTuningRecipe.forSteps(changed(recipe, pace, adapter.isPresent()), pace.steps(rows));
        teller.begins(
                data.description(), pace.epochs(), request.rateMultiplier().orElse(1));
        FineTuning.Settings settings = new FineTuning.Settings(
                folder.resolve(TuningRequest.MODEL),
                request.title(),
                request.baseName(),
                adapter,
                request.begun(),
                config,
                "POST /v1/fine_tuning/jobs",
                TypedCommand.home());
        return FineTuning.open(settings, base, format, data, backend, teller);
    }

    private static ConversationSet conversations(Path file, ChatEncoding format, int length) throws IOException {
        return ConversationSet.read(Corpus.of(List.of(file)), format, LongConversations.DROP, length);
    }

    private ResumableRun preferences(
            LoadedModel base, Tokenizer tokenizer, Optional<Adapter.Settings> adapter, int length, TuningTeller teller)
            throws IOException {
        PreferenceFormat format =
                new PreferenceFormat(ChatStyle.spokenBy(tokenizer).over(tokenizer), LongConversations.DROP, length);
        PreferenceSet data = PreferenceSet.read(Corpus.of(List.of(request.training())), format, false);
        if (request.validation().isPresent()) {
            data = data.measuredBy(
                    PreferenceSet.read(Corpus.of(List.of(request.validation().get())), format, false));
        }
        int pairs = data.train().size();
        TrainingConfig recipe = DirectPreferenceTraining.recipe(data, adapter.isPresent());
        Pace pace = pace(pairs, recipe, Pace.PREFERENCE_EPOCHS, Pace.MOST_PREFERENCE_EPOCHS);
        TrainingConfig config =
                FineTuningRecipe.forSteps(changed(recipe, pace, adapter.isPresent()), pace.steps(pairs));
        teller.begins(
                data.description(), pace.epochs(), request.rateMultiplier().orElse(1));
        DirectPreferenceTraining.Settings settings = new DirectPreferenceTraining.Settings(
                folder.resolve(TuningRequest.MODEL),
                request.title(),
                request.baseName(),
                adapter,
                request.begun(),
                request.beta().orElse(BETA),
                0,
                config,
                "POST /v1/fine_tuning/jobs",
                TypedCommand.home());
        return DirectPreferenceTraining.open(settings, base, data, backend, teller);
    }

    private Pace pace(long rows, TrainingConfig recipe, double usualEpochs, double mostEpochs) {
        return Pace.of(request.epochs(), request.batchSize(), rows, recipe.batchRows(), usualEpochs, mostEpochs);
    }

    private TrainingConfig changed(TrainingConfig recipe, Pace pace, boolean adapter) {
        return recipe.with(c -> {
            c.seed = request.seed();
            c.batchRows = pace.batch();
            c.keep = adapter ? ADAPTERS_KEPT : 1;
            request.rateMultiplier()
                    .ifPresent(factor -> c.optimizer = TrainingConfig.OptimizerConfig.adamW(
                            factor * c.optimizer.matrixRate(), c.optimizer.matrixDecay()));
        });
    }
}
