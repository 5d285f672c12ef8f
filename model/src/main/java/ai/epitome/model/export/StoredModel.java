package ai.epitome.model.export;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.export.WeightShapes.Shape;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.gguf.Gguf;
import ai.epitome.model.gguf.GgufModel;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.WeightFiles;
import ai.epitome.model.llama2c.Llama2cCheckpoint;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// A model as it lies in its files, memory-mapped: everything that [LoadedModel] has but the network, and its weights
/// row by row, so that a model of any size can be written anew in little memory.
///
/// ```java
/// try (StoredModel model = StoredModel.open(Path.of("tinyllama"))) {
///     GgufExport.write(model, Quantization.pure(BlockFormat.Q8_0), target, Progress.NONE);
/// }
/// ```
public final class StoredModel implements AutoCloseable {
    private final Path source;
    private final TransformerConfig config;
    private final Optional<Tokenizer> tokenizer;
    private final GenerationDefaults defaults;
    private final ChatTemplates chatTemplates;
    private final List<StoredWeight> weights;
    private final Runnable unmap;

    private StoredModel(
            Path source,
            TransformerConfig config,
            Optional<Tokenizer> tokenizer,
            GenerationDefaults defaults,
            List<StoredWeight> weights,
            Runnable unmap)
            throws IOException {
        LoadedModel.requireFits(source, tokenizer, config);
        this.source = source;
        this.config = config;
        this.tokenizer = tokenizer;
        this.defaults = defaults;
        this.chatTemplates = ChatTemplates.of(source);
        this.weights = weights;
        this.unmap = unmap;
    }

    /// Opens whatever [LoadedModel#open] does.
    ///
    /// @throws MalformedModelException when a file breaks its rules, or the tokenizer has more ids than the model
    public static StoredModel open(Path source) throws IOException {
        if (!Files.exists(source)) {
            throw new MalformedModelException(source, "no such file or folder");
        }
        if (Files.isDirectory(source)) {
            return openFolder(source);
        }
        return Gguf.is(source) ? openGguf(source) : openLlama2c(source);
    }

    private static StoredModel openFolder(Path folder) throws IOException {
        TransformerConfig config = ModelFolder.config(folder);
        WeightFiles files = WeightFiles.open(folder);
        try {
            List<StoredWeight> weights = new ArrayList<>();
            Set<String> unknown = new TreeSet<>(files.entries().keySet());
            for (Shape shape : WeightShapes.of(config)) {
                Safetensors.Entry entry = ModelFolder.entry(folder, files.entries(), shape.name(), shape.fileShape());
                weights.add(new StoredWeight(
                        shape, BlockFormat.valueOf(entry.element().name()), rows(shape, entry)));
                unknown.remove(entry.name());
            }
            ModelFolder.requireNone(folder, unknown, config);
            Optional<Path> file = ModelFolder.tokenizerFile(folder);
            return new StoredModel(
                    folder,
                    config,
                    file.isPresent() ? Optional.of(Tokenizers.load(file.get())) : Optional.empty(),
                    GenerationConfigFile.read(folder),
                    weights,
                    files::close);
        } catch (IOException | RuntimeException e) {
            files.close();
            throw e;
        }
    }

    /// Rows of a tensor of plain numbers; of one that is stored as its transpose, number by number.
    private static StoredWeight.Rows rows(Shape shape, Safetensors.Entry entry) {
        BlockFormat format = BlockFormat.valueOf(entry.element().name());
        MemorySegment data = entry.data();
        if (!shape.transposed()) {
            return (row, target) ->
                    format.expand(data, format.bytesOf((long) row * shape.columns()), shape.columns(), target);
        }
        return (row, target) -> {
            float[] one = new float[1];
            for (int column = 0; column < shape.columns(); column++) {
                format.expand(data, format.bytesOf((long) column * shape.rows() + row), 1, one);
                target[column] = one[0];
            }
        };
    }

    private static StoredModel openGguf(Path file) throws IOException {
        Gguf gguf = Gguf.open(file);
        try {
            TransformerConfig config = GgufModel.config(gguf);
            return new StoredModel(
                    file,
                    config,
                    GgufModel.tokenizer(gguf),
                    GgufModel.defaults(gguf),
                    GgufRows.of(gguf, config),
                    gguf::close);
        } catch (IOException | RuntimeException e) {
            gguf.close();
            throw e;
        }
    }

    private static StoredModel openLlama2c(Path file) throws IOException {
        Llama2cCheckpoint checkpoint = Llama2cCheckpoint.open(file);
        try {
            TransformerConfig config = checkpoint.config();
            Optional<Path> beside = checkpoint.tokenizerBeside();
            return new StoredModel(
                    file,
                    config,
                    beside.isPresent() ? Optional.of(Tokenizers.load(beside.get())) : Optional.empty(),
                    checkpoint.defaults(),
                    Llama2cRows.of(checkpoint),
                    checkpoint::close);
        } catch (IOException | RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The folder or file that it was opened from.
    public Path source() {
        return source;
    }

    public TransformerConfig config() {
        return config;
    }

    /// None where the files have none.
    public Optional<Tokenizer> tokenizer() {
        return tokenizer;
    }

    public GenerationDefaults defaults() {
        return defaults;
    }

    /// The templates of its conversations, in Jinja, by name.
    public Map<String, String> chatTemplates() {
        return chatTemplates.byName();
    }

    /// The plain format that holds the weights as they are: that of the files' matrices, where all have the same, or
    /// f32.
    public BlockFormat plainFormat() {
        Set<BlockFormat> formats = weights.stream()
                .filter(weight -> !weight.shape().vector())
                .map(StoredWeight::format)
                .collect(Collectors.toSet());
        BlockFormat first = formats.iterator().next();
        return formats.size() == 1 && first.blockValues() == 1 ? first : BlockFormat.F32;
    }

    /// All weights, by Hugging Face's names.
    List<StoredWeight> weights() {
        return weights;
    }

    /// Ends the mapping.
    @Override
    public void close() {
        unmap.run();
    }
}
