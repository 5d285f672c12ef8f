package ai.epitome.cli;

import ai.epitome.model.GenerationRequest;
import ai.epitome.model.GenerationResult;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.Sampling;
import ai.epitome.model.TextGenerator;
import ai.epitome.tensor.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome generate`: continues a prompt on standard output.
@Command(
        name = "generate",
        description = "Continue a text.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome generate models/shakespeare \"To be, or \" --max-tokens 200 --temperature 0.8"})
final class GenerateCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Parameters(
            index = "1",
            paramLabel = "PROMPT",
            arity = "0..1",
            description = "Text to go on from; - or nothing reads standard input.")
    private String prompt;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens to generate (default: ${DEFAULT-VALUE}).")
    private int maxTokens = 256;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 always takes the likeliest token (default: ${DEFAULT-VALUE}).")
    private double temperature = 0.8;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Nucleus of this probability (default: ${DEFAULT-VALUE}, all).")
    private double topP = 1;

    @Option(names = "--top-k", paramLabel = "K", description = "Only the k likeliest tokens (default: 0, all).")
    private int topK;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Only tokens at least this fraction as likely as the likeliest.")
    private double minP;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            description = "The same seed gives the same text (default: a random one).")
    private Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Stop before this text; may be given again.")
    private List<String> stop = List.of();

    @Option(names = "--json", description = "Print one JSON object at the end instead of the text as it comes.")
    private boolean json;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        long chosen = seed == null ? ThreadLocalRandom.current().nextLong(1L << 53) : seed;
        Sampling sampling = new Sampling(temperature, topK, topP, minP, chosen);
        Backend backend = kernels.backend();
        try (LoadedModel model = LoadedModel.open(source)) {
            TextGenerator generator = model.generator(backend);
            byte[] text = prompt == null || prompt.equals("-")
                    ? StandardText.readBytes()
                    : prompt.getBytes(StandardCharsets.UTF_8);
            int[] ids = generator.encode(text);
            GenerationRequest request = new GenerationRequest(ids, maxTokens, sampling, stop, 0);
            PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
            AtomicBoolean closed = new AtomicBoolean();
            GenerationResult result = generator.generate(
                    request,
                    piece -> {
                        if (!json) {
                            out.print(piece.text());
                            out.flush();
                            closed.set(out.checkError()); // the reader of a pipe has gone
                        }
                    },
                    closed::get);
            if (json) {
                out.println(Json.write(Map.of(
                        "text", result.text(),
                        "finish_reason", result.finish().name().toLowerCase(Locale.ROOT),
                        "prompt_tokens", result.promptTokens(),
                        "completion_tokens", result.completionTokens(),
                        "seed", chosen)));
            } else {
                out.println();
            }
            out.flush();
            return 0;
        } finally {
            backend.workers().close();
        }
    }
}
