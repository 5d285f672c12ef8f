package ai.epitome.cli;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.ModelFolder;
import ai.epitome.model.TransformerConfig;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome info`: what a model folder holds.
@Command(
        name = "info",
        description = "What a model folder holds.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome info models/shakespeare"})
final class InfoCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "Model folder.")
    private Path folder;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        try (LoadedModel model = ModelFolder.load(folder)) {
            Map<String, Object> facts = facts(model);
            PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
            if (json) {
                out.println(Json.write(facts));
            } else {
                facts.forEach((name, value) -> out.printf(
                        Locale.ROOT,
                        "%-18s %s%n",
                        name,
                        value instanceof Long number ? String.format(Locale.ROOT, "%,d", number) : value));
            }
            out.flush();
            return 0;
        }
    }

    private static Map<String, Object> facts(LoadedModel model) {
        TransformerConfig config = model.transformer().config();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", model.id());
        facts.put("parameters", config.parameters());
        facts.put("layers", config.layers());
        facts.put("width", config.width());
        facts.put("heads", config.heads());
        facts.put("kv_heads", config.keyValueHeads());
        facts.put("head_dimension", config.headDimension());
        facts.put("hidden", config.hidden());
        facts.put("vocabulary", config.vocabulary());
        facts.put("context", config.context());
        facts.put("tied_head", config.tiedHead());
        facts.put("flops_per_token", Math.round(config.trainingFlopsPerToken(config.context())));
        facts.put("tokenizer", model.tokenizer().map(InfoCommand::describe).orElse("none"));
        return facts;
    }

    private static String describe(Tokenizer tokenizer) {
        return "%s, %d tokens, %d of them control tokens"
                .formatted(
                        tokenizer.kind(),
                        tokenizer.vocabularySize(),
                        tokenizer.specialTokens().size());
    }
}
