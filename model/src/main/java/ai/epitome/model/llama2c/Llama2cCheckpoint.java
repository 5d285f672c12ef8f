package ai.epitome.model.llama2c;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.model.transformer.WeightNames;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A model of llama2.c, memory-mapped: a Llama in f32, in one of two layouts.
///
/// ```text
/// version 0                                   version 1
/// offset 0   shape, 7 x i32                   offset 0   "24ka", version i32
///       28   embedding                               8   shape, 7 x i32
///            norms of attention, q, k, v, o         36   head shared u8, zeros up to offset 256
///            norms of MLPs, w1, w2, w3             256   norms of attention, of MLPs, last norm
///            last norm                                   embedding
///            two tables of rotations                     q, k, v, o, w1, w2, w3
///            head, if not shared                         head, if not shared
/// ```
///
/// Little-endian; each matrix for all layers before the next. The shape is width, hidden, layers, heads, key-value
/// heads, vocabulary (in version 0 negative where the head is not shared), context. The file is untrusted: its length
/// has to be what its shape asks for, to the byte, before anything is allocated.
///
/// Format: <https://github.com/karpathy/llama2.c>, `export.py`.
public final class Llama2cCheckpoint implements AutoCloseable {
    private static final int MAGIC = 0x616b3432;
    private static final int SHAPE = 7 * Integer.BYTES;
    private static final int HEADER = 256;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.*)");

    private final MappedFile mapping;
    private final Path file;
    private final MemorySegment bytes;
    private final TransformerConfig config;
    /// Where each of Hugging Face's tensors begins, those of layers without their number.
    private final Map<String, Long> offsets = new LinkedHashMap<>();

    private long end;

    private Llama2cCheckpoint(MappedFile mapping) throws MalformedModelException {
        this.mapping = mapping;
        this.file = mapping.path();
        this.bytes = mapping.bytes();
        require(
                bytes.byteSize() >= SHAPE,
                "%,d bytes, too short for the %d of a shape at offset 0".formatted(bytes.byteSize(), SHAPE));
        boolean marked = bytes.get(INT, 0) == MAGIC;
        if (marked) {
            require(bytes.byteSize() >= HEADER, "%,d bytes, expected a header of 256".formatted(bytes.byteSize()));
            int version = bytes.get(INT, 4);
            require(version == 1, "version %d of llama2.c's format at offset 4; 0 and 1 are read".formatted(version));
        }
        config = config(marked);
        end = marked ? HEADER : SHAPE;
        if (marked) {
            placeVersion1();
        } else {
            placeVersion0();
        }
        require(
                end == bytes.byteSize(),
                "%s asks for %,d bytes, the file has %,d: not a checkpoint of llama2.c, or cut"
                        .formatted(config, end, bytes.byteSize()));
    }

    /// Maps a file.
    ///
    /// @throws MalformedModelException when it is no checkpoint of llama2.c
    public static Llama2cCheckpoint open(Path file) throws IOException {
        return MappedFile.read(file, Llama2cCheckpoint::parse);
    }

    /// Reads the structure of a file, which is closed with the result.
    static Llama2cCheckpoint parse(MappedFile mapping) throws MalformedModelException {
        return new Llama2cCheckpoint(mapping);
    }

    private void require(boolean condition, String problem) throws MalformedModelException {
        if (!condition) {
            throw new MalformedModelException(file, problem);
        }
    }

    private TransformerConfig config(boolean marked) throws MalformedModelException {
        int at = marked ? 8 : 0;
        int[] shape = bytes.asSlice(at, SHAPE).toArray(INT);
        int width = shape[0];
        int heads = shape[3];
        int vocabulary = shape[5];
        require(
                heads > 0 && width % heads == 0,
                "width %d at offset %d is not a multiple of %d heads: not a checkpoint of llama2.c"
                        .formatted(width, at, heads));
        require(vocabulary != Integer.MIN_VALUE, "vocabulary %d at offset %d".formatted(vocabulary, at + 20));
        try {
            return new TransformerConfig(
                    shape[2],
                    width,
                    heads,
                    shape[4],
                    width / heads,
                    shape[1],
                    marked ? vocabulary : Math.abs(vocabulary),
                    shape[6],
                    Norm.RMS,
                    1e-5f,
                    new Position.Rotary(10_000),
                    Activation.SWIGLU,
                    Biases.NONE,
                    false,
                    marked ? bytes.get(ValueLayout.JAVA_BYTE, 36) != 0 : vocabulary > 0,
                    Integer.MAX_VALUE);
        } catch (IllegalArgumentException e) {
            throw new MalformedModelException(
                    file, "the shape at offset %d is none of llama2.c: %s".formatted(at, e.getMessage()), e);
        }
    }

    private void placeVersion0() {
        place("model.embed_tokens.weight", 1, config.vocabulary(), config.width());
        place("input_layernorm.weight", config.layers(), 1, config.width());
        placeAttention();
        place("post_attention_layernorm.weight", config.layers(), 1, config.width());
        placeMlp();
        place("model.norm.weight", 1, 1, config.width());
        end += 4L * config.context() * config.headDimension(); // rotations, which are computed
        placeHead();
    }

    private void placeVersion1() {
        place("input_layernorm.weight", config.layers(), 1, config.width());
        place("post_attention_layernorm.weight", config.layers(), 1, config.width());
        place("model.norm.weight", 1, 1, config.width());
        place("model.embed_tokens.weight", 1, config.vocabulary(), config.width());
        placeAttention();
        placeMlp();
        placeHead();
    }

    private void placeAttention() {
        int keys = config.keyValueHeads() * config.headDimension();
        place("self_attn.q_proj.weight", config.layers(), config.width(), config.width());
        place("self_attn.k_proj.weight", config.layers(), keys, config.width());
        place("self_attn.v_proj.weight", config.layers(), keys, config.width());
        place("self_attn.o_proj.weight", config.layers(), config.width(), config.width());
    }

    private void placeMlp() {
        place("mlp.gate_proj.weight", config.layers(), config.hidden(), config.width());
        place("mlp.down_proj.weight", config.layers(), config.width(), config.hidden());
        place("mlp.up_proj.weight", config.layers(), config.hidden(), config.width());
    }

    private void placeHead() {
        if (!config.tiedHead()) {
            place("lm_head.weight", 1, config.vocabulary(), config.width());
        }
    }

    /// All of it is below 2^55 bytes, as [TransformerConfig] bounds the sum of weights.
    private void place(String name, int layers, int rows, int columns) {
        offsets.put(name, end);
        end += 4L * layers * rows * columns;
    }

    public TransformerConfig config() {
        return config;
    }

    /// llama2.c's vocabularies: 1 begins a text and 2 ends it; its training only wrote beginnings.
    public GenerationDefaults defaults() {
        return new GenerationDefaults(Set.of(1, 2), OptionalInt.of(1), Sampling.ofTemperature(1, 0));
    }

    /// Puts the weights into a model of [#config].
    public void fill(Transformer model) {
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            MemorySegment target = slice.of(slice.parameter().value()).data();
            Matcher layer = LAYER.matcher(slice.name());
            boolean inLayer = layer.matches();
            String name = inLayer ? layer.group(2) : slice.name();
            long number = inLayer ? Long.parseLong(layer.group(1)) : 0;
            long from = offsets.get(name) + number * target.byteSize();
            if (name.startsWith("self_attn.q_proj") || name.startsWith("self_attn.k_proj")) {
                copyHeads(from, target);
            } else {
                copy(from, target, 0, target.byteSize());
            }
            slice.parameter().changed();
        }
    }

    /// The numbers of a weight as they lie in the file: heads of queries and keys in the order of neighbouring pairs.
    ///
    /// @param values how many it has
    public MemorySegment data(String name, long values) {
        Matcher layer = LAYER.matcher(name);
        boolean inLayer = layer.matches();
        long start = offsets.get(inLayer ? layer.group(2) : name)
                + (inLayer ? Long.parseLong(layer.group(1)) * 4 * values : 0);
        return bytes.asSlice(start, 4 * values);
    }

    private void copyHeads(long from, MemorySegment target) {
        long row = 4L * config.width();
        for (int i = 0; i < target.byteSize() / row; i++) {
            copy(from + RotaryRows.neighbouring(i, config.headDimension()) * row, target, i * row, row);
        }
    }

    private void copy(long from, MemorySegment target, long to, long length) {
        MemorySegment.copy(bytes, FLOAT, from, target, ValueLayout.JAVA_FLOAT_UNALIGNED, to, length / 4);
    }

    /// Ends the mapping.
    @Override
    public void close() {
        mapping.close();
    }

    /// The vocabulary beside a checkpoint, where there is one: `tok512.bin` for 512 tokens, `tokenizer.bin`, or
    /// SentencePiece's `tokenizer.model`.
    public Optional<Path> tokenizerBeside() {
        return Stream.of("tok%d.bin".formatted(config.vocabulary()), "tokenizer.bin", "tokenizer.model")
                .map(file::resolveSibling)
                .filter(Files::exists)
                .findFirst();
    }
}
