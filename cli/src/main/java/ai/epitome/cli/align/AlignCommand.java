package ai.epitome.cli.align;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.cli.text.CorpusTexts;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.align.AlignmentReport;
import ai.epitome.train.align.Comparison;
import ai.epitome.train.align.Continuations;
import ai.epitome.train.align.Judge;
import ai.epitome.train.align.RankedPairs;
import ai.epitome.train.align.Rate;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.prompt.PromptReader;
import ai.epitome.train.report.GitCommit;
import ai.epitome.train.report.Machine;
import ai.epitome.train.reward.RewardModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// `epitome align`: preferences from a model's own answers, and what alignment has changed.
@Command(
        name = "align",
        description = "From feedback to a better model, step by step or in one command, and what it has changed.",
        mixinStandardHelpOptions = true,
        subcommands = {
            AlignCommand.Pairs.class,
            AlignCommand.Compare.class,
            AlignLoopCommand.class,
            AlignLoopCommand.Rollback.class
        },
        footer = {
            "",
            "Example: epitome align report models/base models/dpo --judge models/judge --prompts p.jsonl -o out"
        })
public final class AlignCommand {
    private AlignCommand() {}

    /// What models are asked, and how they answer.
    static final class Asking {
        @Option(
                names = "--prompts",
                required = true,
                paramLabel = "FILE",
                description = "What to go on from: a JSON object a line with `prompt` (a text, or a list of messages),"
                        + " `messages`, or `text`, of which the beginning is taken.")
        private Path prompts;

        @Option(
                names = "--prompt-tokens",
                paramLabel = "N",
                defaultValue = "" + PromptReader.BEGINNING,
                description = "Tokens of the beginning of a `text` (default: ${DEFAULT-VALUE}).",
                converter = Numbers.Count.class)
        private int promptTokens;

        @Mixin
        private AnswerOptions answers;

        List<Prompt> read(LoadedModel model) throws IOException {
            int context = model.transformer().config().context();
            List<Prompt> read = new PromptReader(tokenizer(model), model.chat(), promptTokens)
                    .read(Corpus.of(List.of(prompts)), answers.most());
            int tokens = answers.tokens();
            List<Prompt> fitting = read.stream()
                    .filter(prompt -> prompt.tokens().length + tokens <= context)
                    .toList();
            if (fitting.isEmpty()) {
                throw new IllegalArgumentException(
                        "no prompt leaves room for %d tokens in a context of %d".formatted(tokens, context));
            }
            if (fitting.size() < read.size()) {
                System.err.printf("note: %,d prompts are too long and left out%n", read.size() - fitting.size());
            }
            return fitting;
        }
    }

    private static Tokenizer tokenizer(LoadedModel model) {
        return model.tokenizer().orElseThrow(() -> new IllegalArgumentException(model.source() + " has no tokenizer"));
    }

    /// `epitome align pairs`.
    @Command(
            name = "pairs",
            description = {
                "Let a model answer each prompt several times, and write the answer that a reward model likes best"
                        + " with the one that it likes least, as preferences for dpo."
            },
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example: epitome align pairs models/base --reward models/reward --prompts p.jsonl -o pairs.jsonl"
            })
    static final class Pairs implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "MODEL", description = "The model that answers.")
        private Path source;

        @Option(names = "--reward", required = true, paramLabel = "FOLDER", description = "The reward model.")
        private Path reward;

        @Option(
                names = {"-o", "--output"},
                required = true,
                paramLabel = "FILE",
                description = "Where the preferences go.")
        private Path output;

        @Option(
                names = "-n",
                paramLabel = "N",
                defaultValue = "4",
                description = "Answers to a prompt (default: ${DEFAULT-VALUE}).",
                converter = Numbers.Count.class)
        private int each;

        @Mixin
        private Asking asking;

        @Override
        public Integer call() throws IOException, InterruptedException {
            if (each < 2) {
                throw new IllegalArgumentException("a pair needs two answers or more to a prompt, not " + each);
            }
            Backend backend = asking.answers.kernels().backend();
            try (LoadedModel model = LoadedModel.open(source);
                    RewardModel judge = RewardModel.load(reward, backend)) {
                List<Prompt> prompts = asking.read(model);
                List<Continuations.Sample> samples = new Continuations(
                                model.generator(backend), asking.answers.tokens(), asking.answers.seed())
                        .of(prompts, each);
                double[] scores = new Judge(judge, tokenizer(model)).scores(samples);
                List<RankedPairs.Pair> pairs = RankedPairs.of(prompts, samples, scores, tokenizer(model));
                write(pairs);
                System.err.printf(Locale.ROOT, "%,d pairs of %,d prompts: %s%n", pairs.size(), prompts.size(), output);
                return 0;
            } finally {
                backend.workers().close();
            }
        }

        private void write(List<RankedPairs.Pair> pairs) throws IOException {
            StringBuilder lines = new StringBuilder();
            for (RankedPairs.Pair pair : pairs) {
                ObjectNode line = Json.MAPPER.createObjectNode();
                if (pair.prompt().goesOn()) {
                    line.put("prompt", pair.prompt().text());
                } else {
                    line.set("prompt", pair.prompt().messages());
                }
                lines.append(line.put("chosen", pair.chosen()).put("rejected", pair.rejected()))
                        .append('\n');
            }
            WholeFile.write(output, out -> out.write(lines.toString().getBytes(StandardCharsets.UTF_8)));
        }
    }

    /// `epitome align report`.
    @Command(
            name = "report",
            description = {
                "Compare models with the one that they began with: what a judge says of their answers, how far they"
                        + " have gone, what it costs on plain text; with a picture and answers side by side."
            },
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example: epitome align report models/base models/dpo --judge models/judge --prompts p.jsonl -o out"
            })
    static final class Compare implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "BASE", description = "The model that the others began with.")
        private Path source;

        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "MODEL",
                description = "Models, or adapters of the base (LoRA).")
        private List<Path> models;

        @Option(
                names = "--judge",
                required = true,
                paramLabel = "FOLDER",
                description = "A reward model that none of them has seen.")
        private Path judge;

        @Option(
                names = "--texts",
                paramLabel = "FILE",
                description = "Texts whose bits per byte are compared, repeatable: what alignment costs elsewhere.")
        private List<Path> texts = List.of();

        @Option(
                names = "--most-texts",
                paramLabel = "N",
                defaultValue = "300",
                description = "Of these, how many, from the first on (default: ${DEFAULT-VALUE}).",
                converter = Numbers.Count.class)
        private int mostTexts;

        @Option(
                names = "-n",
                paramLabel = "N",
                defaultValue = "1",
                description = "Answers to a prompt (default: ${DEFAULT-VALUE}).",
                converter = Numbers.Count.class)
        private int each;

        @Option(
                names = "--best-of",
                paramLabel = "N",
                split = ",",
                description = "Show BASE, too, as it is where the best of N answers is chosen by --reward: 4,16.")
        private List<Integer> bestOf = List.of();

        @Option(
                names = "--reward",
                paramLabel = "FOLDER",
                description = "The reward model that chooses them; not the judge.")
        private Path reward;

        @Mixin
        private RateOptions rates;

        @Option(
                names = {"-o", "--output"},
                required = true,
                paramLabel = "FOLDER",
                description = "Where the report goes.")
        private Path folder;

        @Mixin
        private Asking asking;

        @Override
        public Integer call() throws IOException, InterruptedException {
            if (bestOf.isEmpty() != (reward == null) || bestOf.stream().anyMatch(n -> n < 2)) {
                throw new IllegalArgumentException("--best-of takes numbers from 2 on, and --reward what chooses");
            }
            Backend backend = asking.answers.kernels().backend();
            Comparison.Settings settings =
                    new Comparison.Settings(asking.answers.tokens(), each, asking.answers.seed());
            try (LoadedModel base = LoadedModel.open(source);
                    RewardModel measure = RewardModel.load(judge, backend);
                    Comparison comparison = new Comparison(
                            base,
                            asking.read(base),
                            new Judge(measure, tokenizer(base)),
                            CorpusTexts.first(texts, mostTexts),
                            settings,
                            backend)) {
                List<Rate> counted = rates.rates(base, tokenizer(base), asking.promptTokens, asking.answers.most());
                List<Comparison.Entry> entries = new ArrayList<>();
                entries.add(comparison.base().with(RateOptions.of(counted, base, settings, backend)));
                print(entries.getFirst());
                if (reward != null) {
                    choose(comparison, tokenizer(base), backend, entries);
                }
                for (Path path : models) {
                    try (LoadedModel model = open(path)) {
                        entries.add(comparison
                                .of(LoadedModel.nameOf(path), model)
                                .with(RateOptions.of(counted, model, settings, backend)));
                        print(entries.getLast());
                    }
                }
                new AlignmentReport(
                                "What alignment has changed in " + base.id(),
                                TypedCommand.text(),
                                GitCommit.of(TypedCommand.home()),
                                Machine.here(backend.describe()),
                                LoadedModel.nameOf(judge),
                                comparison.plainTexts(),
                                settings,
                                comparison.asked(),
                                entries)
                        .write(folder);
                System.err.println("report: " + folder.resolve(AlignmentReport.FILE));
                return 0;
            } finally {
                backend.workers().close();
            }
        }

        private void choose(Comparison comparison, Tokenizer tokenizer, Backend backend, List<Comparison.Entry> entries)
                throws IOException, InterruptedException {
            try (RewardModel model = RewardModel.load(reward, backend)) {
                for (int n : bestOf) {
                    entries.add(comparison.bestOf(n, new Judge(model, tokenizer)));
                    print(entries.getLast());
                }
            }
        }

        private LoadedModel open(Path path) throws IOException {
            return AdapterFolder.is(path) ? LoadedModel.open(source).withAdapter(path) : LoadedModel.open(path);
        }

        private static void print(Comparison.Entry entry) {
            System.err.printf(
                    Locale.ROOT,
                    "%-24s positive %5.1f %%  preferred %5.1f %%  KL %6.2f  bits per byte %.4f%n",
                    entry.name(),
                    100 * entry.positive(),
                    100 * entry.wins(),
                    entry.divergence(),
                    entry.bitsPerByte());
            entry.rates().forEach((name, rate) -> System.err.printf(Locale.ROOT, "  %s %.1f %%%n", name, 100 * rate));
        }
    }
}
