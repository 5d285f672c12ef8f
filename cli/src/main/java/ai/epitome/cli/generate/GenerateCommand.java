package ai.epitome.cli.generate;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.KeyValueOptions;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.tensor.backend.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
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
public final class GenerateCommand implements Callable<Integer> {
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

    @Option(names = "--stop", paramLabel = "TEXT", description = "Stop before this text; may be given again.")
    private List<String> stop = List.of();

    @Option(
            names = "--adapter",
            paramLabel = "FOLDER",
            description = "Adapter to use with the model: LoRA, in PEFT's files.")
    private Path adapter;

    @Option(
            names = "--cache",
            paramLabel = "FILE",
            description = "Keep what was read in this file, and read nothing again that it knows: for long prompts that"
                    + " begin alike, with this model.")
    private Path cache;

    @Option(names = "--json", description = "Print one JSON object at the end instead of the text as it comes.")
    private boolean json;

    @ArgGroup(validate = false, heading = "%nHow tokens are drawn, in the order of the steps:%n")
    private SamplingOptions sampling = new SamplingOptions();

    @ArgGroup(heading = "%nWhat the text must be; it is then whole if --max-tokens suffice:%n")
    private ConstraintOptions constraint = new ConstraintOptions();

    @Mixin
    private KernelOptions kernels;

    @Mixin
    private KeyValueOptions keysAndValues;

    @Override
    public Integer call() throws IOException {
        Sampling how = sampling.sampling();
        Optional<Constraint> wanted = constraint.constraint();
        Backend backend = kernels.backend();
        try (LoadedModel model = open()) {
            TextGenerator generator = model.generator(backend, keysAndValues.limits());
            byte[] text = prompt == null || prompt.equals("-")
                    ? StandardText.readBytes()
                    : prompt.getBytes(StandardCharsets.UTF_8);
            int[] ids = generator.encode(text);
            if (cache != null && Files.exists(cache)) {
                generator.loadCache(cache);
            }
            IntStream.Builder written = IntStream.builder();
            GenerationRequest request =
                    new GenerationRequest(ids, maxTokens, how, stop, GenerationRequest.UNSCORED, wanted);
            PrintStream out = StandardText.output();
            AtomicBoolean closed = new AtomicBoolean();
            GenerationResult result = generator.generate(
                    request,
                    piece -> {
                        piece.tokens().forEach(token -> written.add(token.id()));
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
                        "cached_tokens", result.cachedTokens(),
                        "completion_tokens", result.completionTokens(),
                        "seed", how.seed())));
            } else {
                out.println();
            }
            out.flush();
            if (cache != null) {
                keep(
                        generator,
                        IntStream.concat(Arrays.stream(ids), written.build()).toArray());
            }
            return 0;
        } finally {
            backend.workers().close();
        }
    }

    private void keep(TextGenerator generator, int[] tokens) throws IOException {
        try {
            generator.saveCache(tokens, cache);
        } catch (IllegalStateException e) { // a few words, which are read again as soon
            System.err.println("epitome: " + cache + " is not written: " + e.getMessage());
        }
    }

    private LoadedModel open() throws IOException {
        LoadedModel model = LoadedModel.open(source);
        return adapter == null ? model : model.withAdapter(adapter);
    }
}
