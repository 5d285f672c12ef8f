package ai.epitome.cli.generate;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Visible;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.Scorer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `epitome score`: what every token of a text costs under a model.
@Command(
        name = "score",
        description = {
            "Log-probability of every token of a text, and its bits per byte.",
            "Natural logarithms. Nothing predicts the first token, unless the tokenizer wants another before every text:"
                    + " it has no log-probability, and costs as much as any other of the vocabulary."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome score models/shakespeare poem.txt --json --precision f32"})
public final class ScoreCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Parameters(index = "1", paramLabel = "FILE", arity = "0..1", description = "Text; - or nothing: standard input.")
    private Path file;

    @Option(names = "--ids", split = ",", paramLabel = "ID", description = "Token ids instead of text: 5,17,3.")
    private int[] ids;

    @Option(names = "--json", description = "{\"ids\":[...],\"logprobs\":[null,...],\"bits_per_byte\":...}")
    private boolean json;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        Backend backend = kernels.backend();
        try (LoadedModel model = LoadedModel.open(source);
                Scorer scorer = new Scorer(model.transformer(), backend, before(model.tokenizer()))) {
            Optional<Tokenizer> tokenizer = model.tokenizer();
            int[] tokens = ids != null ? ids : tokenizer(tokenizer).encode(StandardText.readBytes(file));
            if (tokens.length == 0) {
                throw new IllegalArgumentException("the text is empty: there is nothing to score");
            }
            requireKnown(tokens, model.transformer().config().vocabulary());
            long bytes = tokenizer.map(t -> (long) t.decode(tokens).length).orElse(0L);
            Scorer.Score score = scorer.score(tokens, bytes);
            PrintStream out = StandardText.output();
            if (json) {
                out.println(toJson(tokens, score));
            } else {
                print(out, tokens, tokenizer, score);
            }
            out.flush();
            return 0;
        } finally {
            backend.workers().close();
        }
    }

    private static ObjectNode toJson(int[] tokens, Scorer.Score score) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        ArrayNode ids = json.putArray("ids");
        ArrayNode logprobs = json.putArray("logprobs");
        for (int i = 0; i < tokens.length; i++) {
            ids.add(tokens[i]);
            if (i == 0 && !score.firstIsPredicted()) {
                logprobs.addNull();
            } else {
                logprobs.add(score.logProbabilities()[i]);
            }
        }
        if (score.bytes() > 0) {
            json.put("bits_per_byte", score.bitsPerByte());
        } else {
            json.putNull("bits_per_byte");
        }
        return json;
    }

    private static void print(PrintStream out, int[] tokens, Optional<Tokenizer> tokenizer, Scorer.Score score) {
        for (int i = 0; i < tokens.length; i++) {
            String text = tokenizer.isEmpty() ? "" : Visible.of(tokenizer.get().token(tokens[i]));
            String logProbability = i == 0 && !score.firstIsPredicted()
                    ? "-"
                    : String.format(Locale.ROOT, "%.4f", score.logProbabilities()[i]);
            out.printf(Locale.ROOT, "%8d %10s  %s%n", tokens[i], logProbability, text);
        }
        out.printf(
                Locale.ROOT,
                "%,d tokens, %,d bytes, %.1f bits%s%n",
                tokens.length,
                score.bytes(),
                score.bits(),
                score.bytes() == 0 ? "" : String.format(Locale.ROOT, ", %.4f bits per byte", score.bitsPerByte()));
    }

    /// What the first token follows: nothing, unless the tokenizer wants a token before every text.
    private OptionalInt before(Optional<Tokenizer> tokenizer) {
        return ids != null || tokenizer.isEmpty()
                ? OptionalInt.empty()
                : tokenizer.get().beginOfText();
    }

    private Tokenizer tokenizer(Optional<Tokenizer> tokenizer) {
        return tokenizer.orElseThrow(() -> new IllegalArgumentException(
                "%s has no tokenizer: give token ids with --ids instead of text".formatted(source)));
    }

    private static void requireKnown(int[] tokens, int vocabulary) {
        for (int id : tokens) {
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException(
                        "token id %d: this model knows ids 0 to %d".formatted(id, vocabulary - 1));
            }
        }
    }
}
