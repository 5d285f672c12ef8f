package ai.epitome.model.huggingface;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// A model as a directory that Hugging Face tools open as well: `config.json`, `model.safetensors` (or shards and their
/// index), `generation_config.json`, and `tokenizer.json` or SentencePiece's `tokenizer.model`.
public final class ModelFolder {
    /// What says which shape a model has.
    public static final String CONFIG = ConfigFile.NAME;

    private static final String TOKENIZER = "tokenizer.json";
    private static final String SENTENCE_PIECE = "tokenizer.model";
    private static final long SMALL = 1 << 24;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private ModelFolder() {}

    /// Reads only the weights and what they mean: `config.json` and the safetensors files, converted to f32.
    ///
    /// @throws MalformedModelException when a tensor is missing, unknown, or has another shape or dtype than the
    ///     config asks for
    public static Transformer loadTransformer(Path folder) throws IOException {
        return loadTransformer(folder, Set.of());
    }

    /// The same where the files hold other tensors beside the model's.
    ///
    /// @param others names of tensors that are passed over
    public static Transformer loadTransformer(Path folder, Set<String> others) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new MalformedModelException(folder, "no such folder");
        }
        TransformerConfig shape = config(folder);
        try (WeightFiles weights = WeightFiles.open(folder)) {
            requireHeld(folder, shape, weights.entries());
            Transformer model = new Transformer(shape);
            try {
                fill(model, folder, weights.entries(), others);
                return model;
            } catch (IOException | RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    /// The config says how much memory is taken. A few bytes of JSON must not ask for more than the files can fill; a
    /// small model is made all the same, to say which tensor is wrong.
    private static void requireHeld(Path folder, TransformerConfig shape, Map<String, Safetensors.Entry> entries)
            throws MalformedModelException {
        long held = 0;
        for (Safetensors.Entry entry : entries.values()) {
            held += entry.data().byteSize() / entry.element().bytes();
        }
        if (shape.parameters() > held + SMALL) {
            throw new MalformedModelException(
                    folder,
                    "%s asks for %,d weights, the safetensors files hold %,d"
                            .formatted(CONFIG, shape.parameters(), held));
        }
    }

    /// Puts the tensors of a model's weight file into `model`, converted to f32.
    ///
    /// @throws MalformedModelException when a tensor is missing, unknown, or has another shape or dtype
    public static void fill(Transformer model, Safetensors weights) throws MalformedModelException {
        fill(model, weights, Set.of());
    }

    /// The same for a file that holds other tensors beside the model's.
    ///
    /// @param others names of tensors that are passed over
    public static void fill(Transformer model, Safetensors weights, Set<String> others) throws MalformedModelException {
        fill(model, weights.file(), weights.entries(), others);
    }

    private static void fill(Transformer model, Path folder, Map<String, Safetensors.Entry> entries, Set<String> others)
            throws MalformedModelException {
        Set<String> unknown = new TreeSet<>(entries.keySet());
        unknown.removeAll(others);
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            Safetensors.Entry entry = entry(folder, entries, slice.name(), slice.shape());
            copy(entry.tensor(), slice.of(slice.parameter().value()), slice.transposed());
            slice.parameter().changed();
            unknown.remove(entry.name());
        }
        requireNone(folder, unknown, model.config());
    }

    /// The tensor that a model asks for, checked.
    ///
    /// @param shape its dimensions in files
    public static Safetensors.Entry entry(
            Path folder, Map<String, Safetensors.Entry> entries, String asked, List<Integer> shape)
            throws MalformedModelException {
        String name = asked;
        Safetensors.Entry entry = entries.get(name);
        if (entry == null) { // GPT-2's oldest files lack the prefix
            name = name.replaceFirst("^transformer\\.", "");
            entry = entries.get(name);
        }
        if (entry == null) {
            throw new MalformedModelException(folder, "tensor `%s` %s is missing".formatted(asked, shape));
        }
        if (!entry.shape().equals(shape)) {
            throw new MalformedModelException(
                    folder, "tensor `%s` has shape %s, %s asks for %s".formatted(name, entry.shape(), CONFIG, shape));
        }
        return switch (entry.element()) {
            case F32, F16, BF16 -> entry;
            default ->
                throw new MalformedModelException(
                        folder,
                        "tensor `%s` has dtype %s; F32, F16 and BF16 are read".formatted(name, entry.element()));
        };
    }

    /// @param unknown tensors of the files that the model did not ask for
    public static void requireNone(Path folder, Set<String> unknown, TransformerConfig config)
            throws MalformedModelException {
        unknown.removeIf(name -> isDerived(name, config.tiedHead()));
        if (!unknown.isEmpty()) {
            throw new MalformedModelException(
                    folder,
                    "%d tensors do not belong to a %s model, the first is `%s`"
                            .formatted(
                                    unknown.size(),
                                    Layout.of(config).modelType(),
                                    unknown.iterator().next()));
        }
    }

    /// Tensors that older files carry and that say nothing new: causal masks, rotary frequencies, a tied head.
    private static boolean isDerived(String name, boolean tied) {
        return name.endsWith(".attn.bias")
                || name.endsWith(".attn.masked_bias")
                || name.endsWith(".rotary_emb.inv_freq")
                || tied && name.equals("lm_head.weight");
    }

    /// Copies to f32; `source` is the transpose where `transposed`.
    private static void copy(Tensor source, Tensor target, boolean transposed) {
        MemorySegment to = target.data();
        if (!transposed && source.dtype() == DType.F32) {
            MemorySegment.copy(source.data(), 0, to, 0, to.byteSize());
            return;
        }
        long rows = target.rows();
        long columns = target.columns();
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column++) {
                long from = transposed ? column * rows + row : row * columns + column;
                to.set(FLOAT, (row * columns + column) * 4, source.get(from));
            }
        }
    }

    /// The file of the folder's tokenizer: SentencePiece's `tokenizer.model`, beside which a `tokenizer.json` says the
    /// same in another way, or `tokenizer.json`.
    public static Optional<Path> tokenizerFile(Path folder) {
        return Stream.of(SENTENCE_PIECE, TOKENIZER)
                .map(folder::resolve)
                .filter(Files::exists)
                .findFirst();
    }

    /// Reads only `config.json`.
    public static TransformerConfig config(Path folder) throws IOException {
        if (!Files.exists(folder.resolve(CONFIG))) {
            throw new MalformedModelException(folder, "is not a model folder: it has no " + CONFIG);
        }
        return ConfigFile.read(folder.resolve(CONFIG));
    }

    /// The files of a model's folder besides its weights, by name.
    public static SequencedMap<String, byte[]> companions(
            Transformer model, Tokenizer tokenizer, GenerationDefaults defaults) {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>();
        files.put(CONFIG, ConfigFile.write(model.config(), defaults, DType.F32).getBytes(StandardCharsets.UTF_8));
        files.put(
                GenerationConfigFile.NAME, GenerationConfigFile.write(defaults).getBytes(StandardCharsets.UTF_8));
        files.putAll(Tokenizers.toFiles(tokenizer));
        return files;
    }

    /// Writes `config.json`, `model.safetensors` (f32) and `generation_config.json`. Each file is replaced whole;
    /// the weights come last, so that a folder with weights is complete.
    public static void save(Path folder, Transformer model, GenerationDefaults defaults) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.write(folder.resolve(CONFIG), ConfigFile.write(model.config(), defaults, DType.F32));
        AtomicFile.write(folder.resolve(GenerationConfigFile.NAME), GenerationConfigFile.write(defaults));
        SafetensorsWriter.write(folder.resolve(WeightFiles.SINGLE), Map.of("format", "pt"), items(model));
    }

    /// The weights as files hold them: Hugging Face's names and orientation, f32.
    public static List<Item> items(Transformer model) {
        List<Item> items = new ArrayList<>();
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            Tensor value = slice.of(slice.parameter().value());
            items.add(new Item(
                    slice.name(), DType.F32, slice.shape(), slice.transposed() ? () -> transpose(value) : value::data));
        }
        return items;
    }

    private static MemorySegment transpose(Tensor value) {
        Tensor result = Tensor.zeros(Arena.ofAuto(), DType.F32, value.columns(), value.rows());
        copy(value, result, true);
        return result.data();
    }
}
