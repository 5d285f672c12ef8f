package ai.epitome.cli.weights;

import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.gguf.Gguf;
import ai.epitome.model.gguf.GgufModel;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome info`: what a model is, without its weights, which need not fit into memory to be described.
@Command(
        name = "info",
        description = "What a model is.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome info models/shakespeare"})
public final class InfoCommand implements Callable<Integer> {
    /// Characters of a text that are shown.
    private static final int LONGEST = 300;

    @Parameters(index = "0", paramLabel = "MODEL", description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path source;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", LoadedModel.nameOf(source));
        if (Gguf.is(source)) {
            addGguf(facts);
        } else {
            try (StoredModel model = StoredModel.open(source)) {
                addShape(facts, model.config());
                addTokenizer(facts, model.tokenizer());
            }
        }
        PrintStream out = StandardText.output();
        if (json) {
            out.println(Json.write(facts));
        } else {
            print(facts, out);
        }
        out.flush();
        return 0;
    }

    private static void print(Map<?, ?> facts, PrintStream out) {
        facts.forEach((name, value) -> {
            switch (value) {
                case Map<?, ?> inner -> {
                    out.println(name);
                    print(inner, out);
                }
                case Long number -> out.printf(Locale.ROOT, "%-18s %,d%n", name, number);
                default -> out.printf(Locale.ROOT, "%-18s %s%n", name, value);
            }
        });
    }

    /// A file may hold a vocabulary alone.
    private void addGguf(Map<String, Object> facts) throws IOException {
        try (Gguf gguf = Gguf.open(source)) {
            if (!gguf.entries().isEmpty()) {
                addShape(facts, GgufModel.config(gguf));
            }
            addTokenizer(facts, GgufModel.tokenizer(gguf));
            facts.put(
                    "tensors",
                    gguf.entries().values().stream()
                            .collect(Collectors.groupingBy(
                                    entry -> entry.format().name(), TreeMap::new, Collectors.counting())));
            Map<String, Object> metadata = new LinkedHashMap<>();
            gguf.metadata().values().forEach((key, value) -> metadata.put(key, brief(value)));
            facts.put("metadata", metadata);
        }
    }

    /// A vocabulary is not read by eye.
    private static Object brief(Object value) {
        if (value instanceof List<?> list) {
            return list.size() + " values";
        }
        return value instanceof String text && text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : value;
    }

    private static void addShape(Map<String, Object> facts, TransformerConfig config) {
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
    }

    private static void addTokenizer(Map<String, Object> facts, Optional<Tokenizer> tokenizer) {
        facts.put("tokenizer", tokenizer.map(InfoCommand::describe).orElse("none"));
    }

    private static String describe(Tokenizer tokenizer) {
        return "%s, %d tokens, %d of them control tokens"
                .formatted(
                        tokenizer.kind(),
                        tokenizer.vocabularySize(),
                        tokenizer.specialTokens().size());
    }
}
