package ai.epitome.cli.serve;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Table;
import ai.epitome.cli.text.CorpusTexts;
import ai.epitome.serve.moderation.Category;
import ai.epitome.serve.moderation.JointModerator;
import ai.epitome.serve.moderation.LinearClassifier;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.serve.moderation.WordLists;
import ai.epitome.serve.moderation.training.ClassifierTraining;
import ai.epitome.serve.moderation.training.Evaluation;
import ai.epitome.serve.moderation.training.LabelledText;
import ai.epitome.serve.moderation.training.LabelledTexts;
import ai.epitome.serve.moderation.training.ToxicityTable;
import ai.epitome.train.data.Corpus;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome moderation`: the classifier that says what texts a service may not want.
@Command(
        name = "moderation",
        description = "Train and measure the classifier of /v1/moderations.",
        mixinStandardHelpOptions = true,
        subcommands = {ModerationCommand.Train.class, ModerationCommand.Evaluate.class},
        footer = {"", "Example: epitome moderation evaluate pairs.jsonl.gz --labels docs/results/moderation/labels.tsv"
        })
public final class ModerationCommand {
    /// Where texts come from.
    static final class Sources {
        @Parameters(
                paramLabel = "TEXTS",
                arity = "0..*",
                description = {
                    "Files of JSON lines (.jsonl, .jsonl.gz): {\"text\", \"categories\"},",
                    "or dialogues {\"chosen\", \"rejected\"} whose turns --labels has."
                })
        private List<Path> texts = List.of();

        @Option(
                names = "--labels",
                paramLabel = "FILE",
                description = "What turns of dialogues are of: lines of 16 digits of SHA-256, a tab, categories.")
        private Path labels;

        @Option(
                names = "--clean",
                paramLabel = "FILE",
                description =
                        "Texts of no category: JSON lines with text, question, instruction, ctx, context or goal; may be repeated.")
        private List<Path> clean = List.of();

        @Option(
                names = "--prose",
                paramLabel = "PATH",
                description = {
                    "Texts of no category, in any form that `epitome pretrain` reads: 3,000 paragraphs of each,",
                    "chosen by their hashes; may be repeated."
                })
        private List<Path> prose = List.of();

        List<LabelledText> read() throws IOException {
            LabelledTexts all = new LabelledTexts();
            if (labels != null) {
                all.label(labels);
            }
            for (Path file : texts) {
                all.add(file, false);
            }
            for (Path file : clean) {
                all.add(file, true);
            }
            for (Path path : prose) {
                try (CorpusTexts documents = CorpusTexts.all(Corpus.of(List.of(path)))) {
                    all.addProse(documents);
                }
            }
            return all.all();
        }
    }

    /// `epitome moderation train`.
    @Command(
            name = "train",
            description = {
                "Learn a classifier, one text in four held out by its hash.",
                "The same texts give the same file, bit for bit."
            },
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome moderation train texts.jsonl --clean questions.jsonl -o classifier.bin"})
    static final class Train implements Callable<Integer> {
        @Mixin
        private Sources sources;

        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                required = true,
                description = "File to write the classifier to.")
        private Path output;

        @Override
        public Integer call() throws IOException {
            LinearClassifier classifier = ClassifierTraining.learn(sources.read(), System.err::println);
            try (OutputStream out = Files.newOutputStream(output)) {
                classifier.write(out);
            }
            System.err.printf("wrote %s, %,d bytes%n", output, Files.size(output));
            return 0;
        }
    }

    /// `epitome moderation evaluate`.
    @Command(
            name = "evaluate",
            description = "Measure it on the texts that are held out, beside the word lists.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome moderation evaluate texts.jsonl --clean questions.jsonl"})
    static final class Evaluate implements Callable<Integer> {
        @Mixin
        private Sources sources;

        @Option(
                names = "--classifier",
                paramLabel = "FILE",
                description = "One that `train` wrote (default: the one that comes with the program).")
        private Path file;

        @Option(
                names = "--toxicity",
                paramLabel = "FILE",
                description = {
                    "Comma-separated values with 'sample' and 'toxicity': measured as well,",
                    "all of it, a text with 0.5 or more being one that any category is to flag."
                })
        private Path toxicity;

        @Option(
                names = "--from",
                paramLabel = "SCORE",
                description = "Flag from this score on, whatever the category (default: each one's own).")
        private Double from;

        @Option(names = "--json", description = "Print one JSON object a line.")
        private boolean json;

        private final Table table = new Table(
                "texts",
                "category",
                "by",
                "positive>",
                "flagged>",
                "precision>",
                "recall>",
                "F1>",
                "AUC>",
                "Brier>",
                "calibration>",
                "flags from>");
        private final PrintStream out = StandardText.output();

        @Override
        public Integer call() throws IOException {
            Map<String, Moderator> moderators = new LinkedHashMap<>();
            moderators.put("words", WordLists.bundled());
            if (file == null) {
                moderators.put("both", Moderator.bundled());
            } else {
                try (InputStream in = Files.newInputStream(file)) {
                    moderators.put("both", JointModerator.of(LinearClassifier.read(in)));
                }
            }
            heldOut(moderators);
            if (toxicity != null) {
                toxicity(moderators);
            }
            if (!json) {
                table.print(out);
            }
            out.flush();
            return 0;
        }

        private void heldOut(Map<String, Moderator> moderators) throws IOException {
            List<LabelledText> texts =
                    sources.read().stream().filter(LabelledText::isHeldOut).toList();
            if (texts.isEmpty()) {
                return;
            }
            for (Category category : Category.values()) {
                moderators.forEach((name, moderator) -> report(
                        "held out",
                        category.word(),
                        name,
                        from == null ? moderator.threshold(category) : from,
                        judged(texts, moderator, category)));
            }
            moderators.forEach((name, moderator) -> report(
                    "held out",
                    "any",
                    name,
                    Double.NaN,
                    anything(
                            texts.stream().map(LabelledText::text).toList(),
                            moderator,
                            i -> !texts.get(i).categories().isEmpty())));
        }

        private boolean flags(Moderator moderator, Category category, double score) {
            return from == null ? moderator.flags(category, score) : score >= from;
        }

        private List<Evaluation.Judged> judged(List<LabelledText> texts, Moderator moderator, Category category) {
            return texts.stream()
                    .map(text -> {
                        double score = moderator.scores(text.text()).getOrDefault(category, 0.0);
                        return new Evaluation.Judged(
                                score,
                                flags(moderator, category, score),
                                text.categories().contains(category));
                    })
                    .toList();
        }

        private List<Evaluation.Judged> anything(List<String> texts, Moderator moderator, Predicate<Integer> positive) {
            List<Evaluation.Judged> judged = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                Map<Category, Double> scores = moderator.scores(texts.get(i));
                double highest = scores.values().stream()
                        .mapToDouble(Double::doubleValue)
                        .max()
                        .orElse(0);
                boolean flagged =
                        scores.entrySet().stream().anyMatch(each -> flags(moderator, each.getKey(), each.getValue()));
                judged.add(new Evaluation.Judged(highest, flagged, positive.test(i)));
            }
            return judged;
        }

        private void toxicity(Map<String, Moderator> moderators) throws IOException {
            List<ToxicityTable.Row> rows = ToxicityTable.read(toxicity);
            List<String> texts = rows.stream().map(ToxicityTable.Row::text).toList();
            moderators.forEach((name, moderator) -> report(
                    "toxicity",
                    "any",
                    name,
                    Double.NaN,
                    anything(texts, moderator, i -> rows.get(i).toxic())));
        }

        private void report(
                String texts, String category, String by, double threshold, List<Evaluation.Judged> judged) {
            Evaluation result = Evaluation.of(judged);
            if (json) {
                Map<String, Object> facts = new LinkedHashMap<>();
                facts.put("texts", texts);
                facts.put("category", category);
                facts.put("by", by);
                facts.put("flags_from", finite(threshold));
                facts.put("count", result.texts());
                facts.put("positive", result.positives());
                facts.put("flagged", result.flagged());
                facts.put("precision", finite(result.precision()));
                facts.put("recall", finite(result.recall()));
                facts.put("f1", finite(result.f1()));
                facts.put("auc", finite(result.auc()));
                facts.put("brier", finite(result.brier()));
                facts.put("calibration_error", finite(result.calibrationError()));
                out.println(Json.write(facts));
            } else {
                table.add(
                        texts,
                        category,
                        by,
                        result.positives() + " of " + result.texts(),
                        String.valueOf(result.flagged()),
                        shown(result.precision()),
                        shown(result.recall()),
                        shown(result.f1()),
                        shown(result.auc()),
                        shown(result.brier()),
                        shown(result.calibrationError()),
                        shown(threshold));
            }
        }

        private static String shown(double value) {
            return Double.isFinite(value) ? "%.3f".formatted(value) : "-";
        }

        private static Double finite(double value) {
            return Double.isFinite(value) ? (Double) value : null;
        }
    }
}
