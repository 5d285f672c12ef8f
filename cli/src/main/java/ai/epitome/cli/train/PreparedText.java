package ai.epitome.cli.train;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.BundledText;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusSummary;
import ai.epitome.train.data.Dataset;
import ai.epitome.train.data.HeldOut;
import ai.epitome.train.report.Baselines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// A text made ready to train on: read, split, tokenised, and measured with the usual compressors.
///
/// @param tokenizer of the model
/// @param dataset tokens to train on and to measure on
/// @param baselines what gzip and the others pay for the held-out text
public record PreparedText(Tokenizer tokenizer, Dataset dataset, Baselines baselines) implements AutoCloseable {
    /// Prepares the files and folders, or the bundled text where there are none.
    ///
    /// @param choice which tokenizer; a model's folder that has one already keeps it
    /// @param folder of the model
    /// @param notices told what happens, a line each
    public static PreparedText of(
            List<Path> paths, TokenizerChoice choice, Path folder, int threads, Consumer<String> notices)
            throws IOException {
        Corpus corpus = paths.isEmpty() ? BundledText.tinyshakespeareCorpus() : Corpus.of(paths);
        CorpusSummary summary = corpus.scan();
        if (!summary.binaryLooking().isEmpty()) {
            notices.accept(
                    "looks like binary data, and is taken as it is: " + String.join(", ", summary.binaryLooking()));
        }
        HeldOut rule = HeldOut.choose(corpus, summary);
        Tokenizer tokenizer = choice.tokenizer(folder, corpus, summary, rule, threads, notices);
        notices.accept("text: %,d bytes in %,d %s; held out: %s"
                .formatted(
                        summary.bytes(),
                        summary.documents(),
                        summary.documents() == 1 ? "document" : "documents",
                        rule.description()));
        Path cache = cache();
        Dataset dataset = Dataset.prepare(corpus, summary, rule, tokenizer, cache, threads, _ -> {});
        if (!dataset.notice().isEmpty()) {
            notices.accept(dataset.notice());
        }
        Baselines baselines = Baselines.of(corpus, rule, dataset.folder().resolve("baselines.json"), threads);
        return new PreparedText(tokenizer, dataset, baselines);
    }

    /// Where tokens are kept between runs: `XDG_CACHE_HOME` or `~/.cache`.
    private static Path cache() throws IOException {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured != null && !configured.isBlank()
                ? Path.of(configured)
                : Path.of(System.getProperty("user.home"), ".cache");
        return Files.createDirectories(base.resolve("epitome").resolve("data"));
    }

    @Override
    public void close() {
        dataset.close();
    }
}
