package ai.epitome.cli.text;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.HeldOut;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// `epitome split`: the text that `pretrain` keeps out of training, as a file that any program can be measured on.
@Command(
        name = "split",
        description = {
            "Write the text that pretrain keeps out of training to a file, and the rest to another.",
            "The same texts are split as pretrain splits them. Documents follow one another with nothing between"
                    + " them. Without an option it only counts."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome split articles.jsonl.zst --held-out held-out.txt && xz -9ek held-out.txt"})
public final class SplitCommand implements Callable<Integer> {
    @Parameters(
            arity = "1..*",
            paramLabel = "TEXT",
            description = "Files or folders, as for pretrain: plain text, .jsonl (field `text`), .gz, .zst, .xz, .bz2.")
    private List<Path> texts;

    @Option(names = "--held-out", paramLabel = "FILE", description = "Where the held-out text goes.")
    private Path heldOut;

    @Option(names = "--training", paramLabel = "FILE", description = "Where the training text goes.")
    private Path training;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Corpus corpus = Corpus.of(texts);
        requireOthersThanTexts(corpus);
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        SplitSide trained = SplitSide.of(corpus, rule, false, Optional.ofNullable(training));
        SplitSide measured = SplitSide.of(corpus, rule, true, Optional.ofNullable(heldOut));
        PrintStream out = StandardText.output();
        if (json) {
            ObjectNode object = Json.MAPPER.createObjectNode();
            object.set("split", rule.toJson());
            object.set("train", trained.toJson());
            object.set("held_out", measured.toJson());
            out.println(object);
        } else {
            print(out, rule, trained, measured);
        }
        out.flush();
        return 0;
    }

    /// A slip must not replace the corpus.
    private void requireOthersThanTexts(Corpus corpus) throws IOException {
        if (heldOut != null) {
            requireOther(heldOut, corpus);
        }
        if (training != null) {
            requireOther(training, corpus);
        }
        if (heldOut != null && training != null && absolute(heldOut).equals(absolute(training))) {
            throw new IllegalArgumentException(
                    "--held-out and --training both name %s; give two names".formatted(heldOut));
        }
    }

    private void requireOther(Path target, Corpus corpus) throws IOException {
        if (corpus.contains(target)) {
            throw new IllegalArgumentException(
                    "%s is one of the texts that are split; give another name".formatted(target));
        }
        for (Path text : texts) {
            if (Files.isDirectory(text) && absolute(target).startsWith(absolute(text))) {
                throw new IllegalArgumentException(
                        "%s lies in %s, whose files are the texts: it would be one of them next time; give another place"
                                .formatted(target, text));
            }
        }
    }

    private static Path absolute(Path path) {
        return path.toAbsolutePath().normalize();
    }

    private static void print(PrintStream out, HeldOut rule, SplitSide training, SplitSide heldOut) {
        out.printf("held out: %s%n", rule.description());
        out.printf(Locale.ROOT, "%-8s %12s %15s  %-64s  %s%n", "", "documents", "bytes", "SHA-256", "file");
        line(out, "training", training);
        line(out, "held out", heldOut);
    }

    private static void line(PrintStream out, String name, SplitSide side) {
        String file = side.file().map(Path::toString).orElse("-");
        out.printf(
                Locale.ROOT, "%-8s %,12d %,15d  %s  %s%n", name, side.documents(), side.bytes(), side.sha256(), file);
    }
}
