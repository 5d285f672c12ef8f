package ai.epitome.cli.train;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.sft.ConversationSet;
import ai.epitome.train.sft.FineTuning;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome sft`: teaches a model to answer.
@Command(
        name = "sft",
        description = {
            "Supervised fine-tuning: teach a model to answer, from conversations, and write a report.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome sft models/wiki chats.jsonl -o models/wiki-chat --epochs 3"})
public final class SftCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The model to begin with; it is not changed.")
    private Path source;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "DATA",
            description = "Conversations, a JSON object a line or in one array: OpenAI's `messages`, ShareGPT's"
                    + " `conversations`, Alpaca's `instruction`, `input` and `output`; or `prompt` and `completion`, texts as"
                    + " they stand; also .gz, .zst, .xz, .bz2.")
    private List<Path> files;

    @Option(
            names = {"-o", "--model"},
            required = true,
            paramLabel = "FOLDER",
            description = "Where the new model is kept.")
    private Path folder;

    @Mixin
    private RunLength run;

    @Option(
            names = "--length",
            paramLabel = "TOKENS",
            description = "Tokens of a row (default: the model's context, at most 1024).",
            converter = Numbers.Count.class)
    private Integer length;

    @Option(
            names = "--too-long",
            paramLabel = "POLICY",
            description = "What becomes of conversations longer than a row: ${COMPLETION-CANDIDATES} (default: drop).")
    private LongConversations policy = LongConversations.DROP;

    @Option(
            names = "--style",
            paramLabel = "STYLE",
            description =
                    "How turns are marked: ${COMPLETION-CANDIDATES} (default: chatml, which adds two tokens to a model"
                            + " that lacks them; plain for adapters of such models).")
    private ChatStyle style;

    @Mixin
    private AdapterOptions adapter;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        return ForegroundRun.from(source, folder, kernels, this::open);
    }

    private FineTuning open(LoadedModel base, Backend backend, TrainingListener listener) throws IOException {
        Tokenizer tokenizer = base.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException(
                        source + " has no tokenizer; put the one that it was trained with there"));
        ChatEncoding format = style(tokenizer).over(tokenizer);
        TransformerConfig model = base.transformer().config();
        int tokens = length == null ? Math.min(FineTuningRecipe.LONGEST_ROW, model.context()) : length;
        if (tokens > model.context()) {
            throw new IllegalArgumentException(
                    "rows of %d tokens, but the context of %s is %d".formatted(tokens, source, model.context()));
        }
        ConversationSet data = ConversationSet.read(Corpus.of(files), format, policy, tokens);
        Notices.terminal().accept(data.description());
        FineTuning.Settings settings = new FineTuning.Settings(
                folder,
                title(model),
                source.toString(),
                adapter.settings(base.transformer()),
                config(data),
                TypedCommand.text(),
                TypedCommand.home());
        return FineTuning.open(settings, base, format, data, backend, listener);
    }

    private ChatStyle style(Tokenizer tokenizer) {
        if (style != null) {
            return style;
        }
        return adapter.given() ? ChatStyle.spokenBy(tokenizer) : ChatStyle.CHATML;
    }

    /// That of the run in the folder, where one has begun, or a new one; with what is given changed.
    private TrainingConfig config(ConversationSet data) throws IOException {
        Optional<TrainingConfig> begun = TrainingConfig.read(folder);
        TrainingConfig changed = training.changed(
                        begun.orElseGet(() -> FineTuningRecipe.of(data.length(), adapter.given())))
                .with(c -> c.length = data.length());
        return run.of(
                changed, begun.isPresent(), FineTuningRecipe.EPOCHS, FineTuningRecipe.stepsPerEpoch(changed, data));
    }

    private String title(TransformerConfig model) {
        return String.format(
                Locale.ROOT,
                "%s, %.1fM parameters, fine-tuned on %s",
                LoadedModel.nameOf(source),
                model.parameters() / 1e6,
                String.join(", ", files.stream().map(Path::toString).toList()));
    }
}
