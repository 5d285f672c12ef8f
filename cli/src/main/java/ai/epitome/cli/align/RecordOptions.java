package ai.epitome.cli.align;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.train.RunLength;
import ai.epitome.cli.train.TrainingOptions;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.preference.PreferenceFormat;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// How long a run on pairs or labelled texts lasts, and how its records are read.
final class RecordOptions {
    @Mixin
    private RunLength run;

    @Option(
            names = "--length",
            paramLabel = "TOKENS",
            description =
                    "Most tokens of a text with what stands before it (default: the model's context, at most 1024).",
            converter = Numbers.Count.class)
    private Integer length;

    @Option(
            names = "--too-long",
            paramLabel = "POLICY",
            description = "What becomes of longer ones: ${COMPLETION-CANDIDATES} (default: drop); split leaves out the"
                    + " oldest exchanges of a conversation, and makes several of a labelled text.")
    private LongConversations policy = LongConversations.DROP;

    @Option(
            names = "--style",
            paramLabel = "STYLE",
            description = "How turns of conversations are marked: ${COMPLETION-CANDIDATES} (default: chatml where the"
                    + " model knows it, or else plain).")
    private ChatStyle style;

    @Option(
            names = "--skip-wrong",
            description = "Pass over records that break the rules and count them, instead of stopping at the first.")
    private boolean skipWrong;

    @Mixin
    private TrainingOptions training;

    boolean skipWrong() {
        return skipWrong;
    }

    /// How records become tokens of `base`.
    ///
    /// @param source of the model, for errors
    PreferenceFormat format(LoadedModel base, Path source) {
        Tokenizer tokenizer = base.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(
                        source + " has no tokenizer; put the one that it was trained with there"));
        TransformerConfig model = base.transformer().config();
        int tokens = length == null ? Math.min(FineTuningRecipe.LONGEST_ROW, model.context()) : length;
        if (tokens < 2 || tokens > model.context()) {
            throw new IllegalArgumentException(
                    "texts of %d tokens, but %s takes from 2 to %d".formatted(tokens, source, model.context()));
        }
        ChatStyle chosen = style != null ? style : ChatStyle.spokenBy(tokenizer);
        PreferenceFormat format = new PreferenceFormat(chosen.over(tokenizer), policy, tokens);
        if (format.chat().tokenizer().vocabularySize() > model.vocabulary()) {
            throw new IllegalArgumentException(
                    "%s lacks the control tokens of %s; fine-tune it on conversations first (epitome sft), or give --style plain"
                            .formatted(source, chosen));
        }
        return format;
    }

    /// The configuration of the run in a folder, where one has begun, or a new one; with what is given changed.
    ///
    /// @param recipe of a new run
    /// @param records to learn from
    TrainingConfig config(Path folder, Supplier<TrainingConfig> recipe, long records) throws IOException {
        Optional<TrainingConfig> begun = TrainingConfig.read(folder);
        TrainingConfig changed = training.changed(begun.orElseGet(recipe));
        double perStep = (double) changed.batchRows() * changed.accumulation();
        return run.of(changed, begun.isPresent(), 1, records / perStep);
    }
}
