package ai.epitome.model.gguf;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.gguf.Gguf.Entry;
import ai.epitome.model.transformer.RotaryRows;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.block.BlockMatrix;
import ai.epitome.tensor.block.PackedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// The weights of a GGUF file: quantised matrices stay where they are, all others are expanded to f32.
public final class GgufWeights {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final Pattern LAYER = Pattern.compile("(?:model\\.layers|transformer\\.h)\\.(\\d+)\\.(.*)");
    /// More than a config may ask for beyond what the file holds, as in
    /// [ai.epitome.model.huggingface.ModelFolder].
    private static final long SMALL = 1 << 24;

    /// GGUF's names for Hugging Face's, those of layers without their number.
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("model.embed_tokens", "token_embd"),
            Map.entry("model.norm", "output_norm"),
            Map.entry("lm_head", "output"),
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"),
            Map.entry("transformer.wte", "token_embd"),
            Map.entry("transformer.wpe", "position_embd"),
            Map.entry("transformer.ln_f", "output_norm"),
            Map.entry("ln_1", "attn_norm"),
            Map.entry("attn.c_attn", "attn_qkv"),
            Map.entry("attn.c_proj", "attn_output"),
            Map.entry("ln_2", "ffn_norm"),
            Map.entry("mlp.c_fc", "ffn_up"),
            Map.entry("mlp.c_proj", "ffn_down"));

    private GgufWeights() {}

    /// Reads the network. Takes over the mapping: the network keeps it if weights stay there, and otherwise it is
    /// closed; on failure it is left to the caller.
    public static Transformer load(Gguf gguf, TransformerConfig config) throws MalformedModelException {
        requireHeld(gguf, config);
        Transformer model = new Transformer(config);
        PackedMemory packed = packedMemory(gguf);
        try {
            fill(model, gguf, packed);
        } catch (MalformedModelException | RuntimeException e) {
            model.close();
            throw e;
        }
        if (model.parameters().stream().anyMatch(parameter -> parameter.blocks() != null)) {
            model.keep(gguf.mapping(), packed);
        } else {
            gguf.close();
        }
        return model;
    }

    /// The metadata says how much memory is taken: no more than the tensors can fill. A small model is made all the
    /// same, to say which tensor is wrong.
    private static void requireHeld(Gguf gguf, TransformerConfig config) throws MalformedModelException {
        if (config.layers() > gguf.entries().size()) {
            throw new MalformedModelException(
                    gguf.file(),
                    "its metadata asks for %,d layers, it has %,d tensors"
                            .formatted(config.layers(), gguf.entries().size()));
        }
        long held = gguf.entries().values().stream().mapToLong(Entry::size).sum();
        if (config.parameters() > held + SMALL) {
            throw new MalformedModelException(
                    gguf.file(),
                    "its metadata asks for %,d weights, its tensors hold %,d".formatted(config.parameters(), held));
        }
    }

    /// A tensor of the file and the rows of a parameter that it is.
    private record Part(Entry entry, WeightNames.Slice slice, int turnedHead) {
        boolean quantised() {
            return entry.format().quantised() && entry.shape().size() == 2;
        }
    }

    /// Room for all quantised weights in the order of products.
    private static PackedMemory packedMemory(Gguf gguf) {
        List<Entry> quantised = gguf.entries().values().stream()
                .filter(entry -> entry.format().quantised())
                .toList();
        return new PackedMemory(
                quantised.stream()
                        .mapToLong(entry -> PackedMemory.bytes(
                                entry.format(),
                                entry.data().byteSize()
                                        / entry.format().blockBytes()
                                        * entry.format().blockValues()))
                        .sum(),
                quantised.size());
    }

    private static void fill(Transformer model, Gguf gguf, PackedMemory packed) throws MalformedModelException {
        boolean neighbours = GgufModel.turnsNeighbours(gguf);
        Set<String> unknown = new HashSet<>(gguf.entries().keySet());
        Map<Parameter, List<Part>> parts = new IdentityHashMap<>();
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            String name = name(slice.name());
            int[] shape = slice.parameter().shape();
            shape[0] = slice.to() - slice.from();
            Entry entry = gguf.entry(name, Arrays.stream(shape).boxed().toList());
            boolean turned = neighbours && name.matches("blk\\.\\d+\\.attn_[qk]\\..*");
            parts.computeIfAbsent(slice.parameter(), _ -> new ArrayList<>())
                    .add(new Part(entry, slice, turned ? model.config().headDimension() : 0));
            unknown.remove(name);
        }
        GgufModel.requireNoMore(gguf, unknown);
        parts.forEach((parameter, list) -> fill(parameter, list, packed));
    }

    /// Leaves quantised matrices in the file, and expands all else.
    private static void fill(Parameter parameter, List<Part> parts, PackedMemory packed) {
        if (parts.stream().allMatch(Part::quantised)) {
            List<BlockMatrix.Run> runs = new ArrayList<>();
            parts.forEach(part -> addRuns(part, parameter.shape()[1], runs));
            parameter.placed(new BlockMatrix(parameter.shape()[1], runs, packed));
            return;
        }
        for (Part part : parts) {
            expand(part.entry, part.slice.of(parameter.value()), part.turnedHead);
        }
        parameter.changed();
    }

    /// The rows of a tensor in our order. Of a head in the order of neighbouring pairs, the even rows come first, then
    /// the odd ones.
    private static void addRuns(Part part, int columns, List<BlockMatrix.Run> runs) {
        Entry entry = part.entry;
        long stride = entry.format().bytesOf(columns);
        int rows = entry.shape().getFirst();
        if (part.turnedHead == 0) {
            runs.add(new BlockMatrix.Run(entry.format(), entry.data(), 0, stride, rows));
            return;
        }
        for (int row = 0; row < rows; row += part.turnedHead / 2) {
            long first = RotaryRows.neighbouring(row, part.turnedHead) * stride;
            runs.add(new BlockMatrix.Run(entry.format(), entry.data(), first, 2 * stride, part.turnedHead / 2));
        }
    }

    /// GGUF's name of a tensor that Hugging Face calls `name`.
    public static String name(String name) {
        int dot = name.lastIndexOf('.');
        String kind = name.substring(dot);
        Matcher layer = LAYER.matcher(name.substring(0, dot));
        return layer.matches()
                ? "blk." + layer.group(1) + "." + NAMES.get(layer.group(2)) + kind
                : NAMES.get(name.substring(0, dot)) + kind;
    }

    /// Expands all rows.
    ///
    /// @param turnedHead channels of a head whose rows are in the order of neighbouring pairs, or 0
    private static void expand(Entry entry, Tensor target, int turnedHead) {
        if (entry.shape().size() == 1) {
            float[] values = values(entry);
            for (int i = 0; i < values.length; i++) {
                int from = turnedHead == 0 ? i : RotaryRows.neighbouring(i, turnedHead);
                target.data().setAtIndex(FLOAT, i, values[from]);
            }
            return;
        }
        int columns = target.columns();
        long rowBytes = entry.format().bytesOf(columns);
        IntStream.range(0, target.rows()).parallel().forEach(row -> {
            int from = turnedHead == 0 ? row : RotaryRows.neighbouring(row, turnedHead);
            float[] values = new float[columns];
            entry.format().expand(entry.data(), from * rowBytes, columns, values);
            MemorySegment.copy(values, 0, target.data(), FLOAT, 4L * row * columns, columns);
        });
    }

    /// All values of a small tensor.
    public static float[] values(Entry entry) {
        float[] values = new float[Math.toIntExact(entry.size())];
        entry.format().expand(entry.data(), 0, values.length, values);
        return values;
    }
}
