package ai.epitome.cli;

import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// What the launcher does once after a build, while the virtual machine notes which classes that takes: a
/// small model is drawn, quantised, and continues a text. Commands that follow find these classes ready
/// (JEP 514, ahead-of-time cache) and start sooner.
public final class Rehearsal {
    private Rehearsal() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("epitome-rehearsal");
        int code;
        try {
            code = play(folder);
        } finally {
            remove(folder);
        }
        System.exit(code);
    }

    /// Exit code of the first command that fails, or 0.
    static int play(Path folder) throws IOException {
        Path model = folder.resolve("model");
        ByteTokenizer tokenizer = new ByteTokenizer();
        TransformerConfig config = TransformerConfig.ofDepth(4, tokenizer.vocabularySize(), 64);
        try (Transformer drawn = new Transformer(config, Initialization.gpt2(1))) {
            ModelFolder.save(model, drawn, GenerationDefaults.of(tokenizer.endOfText()));
        }
        Tokenizers.save(tokenizer, model);
        String quantised = folder.resolve("model.gguf").toString();
        for (String[] command : List.of(
                new String[] {"quantize", model.toString(), "-o", quantised, "--type", "Q4_0"},
                new String[] {"generate", quantised, "to be", "--max-tokens", "8"})) {
            int code = Main.commandLine(command).execute(command);
            if (code != 0) {
                return code;
            }
        }
        return 0;
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
