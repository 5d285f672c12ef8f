package ai.epitome.model;

import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.gguf.Gguf;
import ai.epitome.model.gguf.GgufModel;
import ai.epitome.model.gguf.GgufWeights;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.llama2c.Llama2cCheckpoint;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.text.jinja.JinjaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// A model in memory.
///
/// @param source the folder or file that it came from
/// @param transformer the network; close it when done
/// @param tokenizer what turns text into its tokens; weights alone have none
/// @param defaults which tokens end a text, and how to sample
public record LoadedModel(
        Path source, Transformer transformer, Optional<Tokenizer> tokenizer, GenerationDefaults defaults)
        implements AutoCloseable {

    /// Reads a model, whatever holds it:
    ///
    /// | what | recognised by |
    /// |---|---|
    /// | a folder that Hugging Face tools open ([ModelFolder]) | being one |
    /// | a GGUF file of llama, qwen2, qwen3 or gpt2 ([GgufModel]) | starts with `GGUF` |
    /// | a checkpoint of llama2.c | any other file whose length is what its first numbers say |
    ///
    /// The tokenizer of a checkpoint of llama2.c is beside it: `tok512.bin` for 512 tokens, `tokenizer.bin`, or
    /// SentencePiece's `tokenizer.model`.
    ///
    /// @throws MalformedModelException when a file breaks its rules, or the tokenizer has more ids than the model
    public static LoadedModel open(Path source) throws IOException {
        if (!Files.exists(source)) {
            throw new MalformedModelException(source, "no such file or folder");
        }
        try {
            if (Files.isDirectory(source)) {
                return openFolder(source);
            }
            return Gguf.is(source) ? openGguf(Gguf.open(source)) : openLlama2c(source);
        } catch (InternalError e) { // what reading a page of a mapping gives when it is gone
            throw new MalformedModelException(source, "could not be read to its end: was it cut meanwhile?", e);
        }
    }

    /// The shape of a model, without its weights.
    ///
    /// @throws MalformedModelException when a file breaks its rules
    public static TransformerConfig config(Path source) throws IOException {
        if (Files.isDirectory(source)) {
            return ModelFolder.config(source);
        }
        if (Gguf.is(source)) {
            try (Gguf gguf = Gguf.open(source)) {
                return GgufModel.config(gguf);
            }
        }
        try (Llama2cCheckpoint checkpoint = Llama2cCheckpoint.open(source)) {
            return checkpoint.config();
        }
    }

    private static LoadedModel openFolder(Path folder) throws IOException {
        Transformer model = ModelFolder.loadTransformer(folder);
        try {
            Optional<Path> file = ModelFolder.tokenizerFile(folder);
            Optional<Tokenizer> tokenizer =
                    file.isPresent() ? Optional.of(Tokenizers.load(file.get())) : Optional.empty();
            requireFits(folder, tokenizer, model.config());
            return new LoadedModel(folder, model, tokenizer, GenerationConfigFile.read(folder));
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /// Takes over the mapping: the model keeps it if weights stay there, and otherwise, or on failure, it is closed.
    private static LoadedModel openGguf(Gguf gguf) throws IOException {
        try {
            TransformerConfig config = GgufModel.config(gguf);
            Optional<Tokenizer> tokenizer = GgufModel.tokenizer(gguf);
            requireFits(gguf.file(), tokenizer, config);
            GenerationDefaults defaults = GgufModel.defaults(gguf);
            return new LoadedModel(gguf.file(), GgufWeights.load(gguf, config), tokenizer, defaults);
        } catch (IOException | RuntimeException e) {
            gguf.close();
            throw e;
        }
    }

    private static LoadedModel openLlama2c(Path file) throws IOException {
        try (Llama2cCheckpoint checkpoint = Llama2cCheckpoint.open(file)) {
            TransformerConfig config = checkpoint.config();
            Optional<Path> beside = checkpoint.tokenizerBeside();
            Optional<Tokenizer> tokenizer =
                    beside.isPresent() ? Optional.of(Tokenizers.load(beside.get())) : Optional.empty();
            requireFits(file, tokenizer, config);
            Transformer model = new Transformer(config);
            checkpoint.fill(model);
            return new LoadedModel(file, model, tokenizer, checkpoint.defaults());
        }
    }

    /// The file of the tokenizer beside a model that is one file, where that file does not hold its own.
    public static Optional<Path> tokenizerBeside(Path file) throws IOException {
        if (Gguf.is(file)) {
            return Optional.empty();
        }
        try (Llama2cCheckpoint checkpoint = Llama2cCheckpoint.open(file)) {
            return checkpoint.tokenizerBeside();
        }
    }

    /// @throws MalformedModelException when the tokenizer has more ids than the model
    public static void requireFits(Path source, Optional<Tokenizer> tokenizer, TransformerConfig config)
            throws MalformedModelException {
        if (tokenizer.isPresent() && tokenizer.get().vocabularySize() > config.vocabulary()) {
            throw new MalformedModelException(
                    source,
                    "its tokenizer has %d tokens, the model only %d: they do not belong together"
                            .formatted(tokenizer.get().vocabularySize(), config.vocabulary()));
        }
    }

    /// The model's name, see [#nameOf].
    public String id() {
        return nameOf(source);
    }

    /// The name of a model's folder, or of its file without `.gguf` or `.bin`.
    public static String nameOf(Path source) {
        String name = source.toAbsolutePath().normalize().getFileName().toString();
        return Files.isDirectory(source) ? name : name.replaceFirst("(?<=.)\\.(gguf|bin)$", "");
    }

    /// The model as a service uses it. What ends a turn of a conversation ends a text, too.
    ///
    /// @throws IllegalStateException when it has no tokenizer
    public TextGenerator generator(Backend backend) {
        return generator(id(), backend, EngineLimits.DEFAULT);
    }

    /// The same, with other limits on what all its requests together may take.
    ///
    /// @throws IllegalStateException when it has no tokenizer
    public TextGenerator generator(Backend backend, EngineLimits limits) {
        return generator(id(), backend, limits);
    }

    /// The same under another name.
    ///
    /// @throws IllegalStateException when it has no tokenizer
    public TextGenerator generator(String name, Backend backend, EngineLimits limits) {
        Tokenizer own = requireTokenizer();
        Set<Integer> ends = new HashSet<>(defaults.endOfText());
        ends.addAll(ChatFormat.endsOfTurn(own));
        return new TextGenerator(name, transformer, own, ends, backend, limits);
    }

    /// How the model wants conversations written.
    ///
    /// @throws IllegalStateException when it has no tokenizer
    /// @throws JinjaException when its chat template cannot be read
    public ChatFormat chat() throws IOException {
        return ChatFormat.of(ChatTemplates.of(source), requireTokenizer());
    }

    private Tokenizer requireTokenizer() {
        return tokenizer.orElseThrow(() -> new IllegalStateException(
                "%s has no tokenizer, so it can neither read nor write text: put the one that it was trained with there"
                                .formatted(source)
                        + " (tokenizer.json in a folder, tokenizer.bin beside a checkpoint of llama2.c)"));
    }

    /// The model as a measure of texts; see [#beginning].
    public Scorer scorer(Backend backend) {
        return new Scorer(transformer, backend, beginning());
    }

    /// This model with an adapter from a folder, and with that folder's ends of texts, where it tells them. Takes this
    /// one's place: close the new one only.
    ///
    /// @throws MalformedModelException when the adapter is broken, or made for another model
    public LoadedModel withAdapter(Path folder) throws IOException {
        Adapter adapter = AdapterFolder.load(folder, transformer);
        return new LoadedModel(source, transformer.with(adapter), tokenizer, defaultsOf(folder));
    }

    /// What the folder of one of its adapters tells of ends of texts and sampling, or else what the model's does.
    public GenerationDefaults defaultsOf(Path adapter) throws IOException {
        return Files.exists(adapter.resolve(GenerationConfigFile.NAME)) ? GenerationConfigFile.read(adapter) : defaults;
    }

    /// The token that texts are taken to follow: the one that the tokenizer wants before every text, or else the end
    /// of the text before.
    public OptionalInt beginning() {
        return tokenizer
                .map(own -> own.beginOfText().isPresent() ? own.beginOfText() : own.endOfText())
                .orElse(OptionalInt.empty());
    }

    @Override
    public void close() {
        transformer.close();
    }
}
