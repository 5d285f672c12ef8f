package ai.epitome.compress.gpt;

import ai.epitome.compress.ModelHashes;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Small models of drawn weights that expect the letters of [#TEXT], so that it becomes shorter when they code it.
public final class SmallCodings {
    public static final byte[] TEXT =
            "the theory of texts, a text the other texts ".repeat(5).getBytes(StandardCharsets.UTF_8);

    public static final Tokenizer BYTES = new ByteTokenizer();
    public static final Tokenizer BYTES_ALONE = new ByteTokenizer(List.of());
    public static final Tokenizer PAIRS = BytePairTrainer.train(List.of(TEXT).iterator(), 290, 1);

    private SmallCodings() {}

    /// @return a model to be closed
    static Transformer model(Tokenizer tokenizer) {
        TransformerConfig config = Models.modern().with(c -> c.vocabulary = tokenizer.vocabularySize() + 3);
        Transformer model = Models.drawn(config);
        boolean[] expected = new boolean[config.vocabulary()];
        for (int i = 0; i < TEXT.length; i++) {
            expected[tokenizer.encode(new byte[] {TEXT[i]})[0]] = true;
        }
        for (int id : tokenizer.encode(TEXT)) {
            expected[id] = true;
        }
        // one channel is the same in all embeddings and outweighs the others, and the head looks at it
        set(model, "embedding", config.width(), _ -> 20f);
        set(model, "head", config.width(), id -> expected[id] ? 0.5f : -0.5f);
        return model;
    }

    private interface FirstChannel {
        float of(int id);
    }

    private static void set(Transformer model, String name, int width, FirstChannel value) {
        for (Parameter parameter : model.parameters()) {
            if (parameter.name().equals(name)) {
                for (int i = 0; i < parameter.value().size(); i += width) {
                    parameter.value().set(i, value.of(i / width));
                }
                parameter.changed();
            }
        }
    }

    public static GptCoding coding(Tokenizer tokenizer, Workers workers, ExactKernels kernels) {
        try (Transformer model = model(tokenizer)) {
            LoadedModel loaded = new LoadedModel(
                    Path.of("drawn"), model, Optional.of(tokenizer), GenerationDefaults.of(OptionalInt.empty()));
            ModelHashes hashes = new ModelHashes("ab".repeat(32), "cd".repeat(32));
            return new GptCoding(loaded, hashes, Models.CONTEXT, workers, kernels);
        }
    }

    public static GptCoding coding(Tokenizer tokenizer) {
        return coding(tokenizer, new Workers(1), ExactKernels.best());
    }

    /// Writes a model folder.
    public static void save(Path folder, Tokenizer tokenizer) throws IOException {
        try (Transformer model = model(tokenizer)) {
            ModelFolder.save(folder, model, GenerationDefaults.of(OptionalInt.empty()));
        }
        Files.write(folder.resolve("tokenizer.json"), Tokenizers.toJson(tokenizer));
    }
}
