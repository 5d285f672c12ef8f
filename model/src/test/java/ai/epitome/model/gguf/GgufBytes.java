package ai.epitome.model.gguf;

import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.format.BlockFormat;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The bytes of a GGUF file, put together piece by piece.
public final class GgufBytes {
    /// A tensor's place in the table and its bytes.
    record Part(String name, int format, long[] dimensions, byte[] data) {}

    final Map<String, Object> metadata = new LinkedHashMap<>();
    final List<Part> parts = new ArrayList<>();
    int alignment = 32;

    /// A model with everything that llama.cpp writes of it; matrices in `format`, the rest in f32.
    public static GgufBytes of(Transformer model, BlockFormat format) {
        TransformerConfig c = model.config();
        Layout layout = Layout.of(c);
        GgufBytes file = new GgufBytes();
        String prefix = layout.modelType() + ".";
        file.metadata.put("general.architecture", layout.modelType());
        file.metadata.put(prefix + "block_count", c.layers());
        file.metadata.put(prefix + "embedding_length", c.width());
        file.metadata.put(prefix + "context_length", c.context());
        file.metadata.put(prefix + "feed_forward_length", c.hidden());
        file.metadata.put(prefix + "attention.head_count", c.heads());
        if (c.position() instanceof Position.Rotary rotary) {
            file.metadata.put(prefix + "attention.head_count_kv", c.keyValueHeads());
            file.metadata.put(prefix + "attention.key_length", c.headDimension());
            file.metadata.put(prefix + "attention.value_length", c.headDimension());
            file.metadata.put(prefix + "attention.layer_norm_rms_epsilon", c.normEpsilon());
            file.metadata.put(prefix + "rope.freq_base", (float) rotary.theta());
        } else {
            file.metadata.put(prefix + "attention.layer_norm_epsilon", c.normEpsilon());
        }
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            file.add(slice, c, layout, format);
        }
        return file;
    }

    private void add(WeightNames.Slice slice, TransformerConfig c, Layout layout, BlockFormat format) {
        Tensor value = slice.of(slice.parameter().value());
        float[] values = value.toFloats();
        boolean turned = layout == Layout.LLAMA
                && (slice.name().contains("q_proj") || slice.name().contains("k_proj"));
        if (turned) {
            values = neighbouring(values, value.dimension(0), c.headDimension());
        }
        boolean matrix = value.shape().length == 2;
        long[] dimensions = IntStream.of(value.shape()).asLongStream().toArray();
        tensor(GgufWeights.name(slice.name()), matrix ? format : BlockFormat.F32, dimensions, values);
    }

    /// The rows of each head in the order first of the first half, first of the second, second of the first, ...
    private static float[] neighbouring(float[] values, int rows, int headDimension) {
        float[] result = new float[values.length];
        int columns = values.length / rows;
        for (int head = 0; head < rows / headDimension; head++) {
            for (int i = 0; i < headDimension; i++) {
                int from = head * headDimension + i % 2 * headDimension / 2 + i / 2;
                System.arraycopy(values, from * columns, result, (head * headDimension + i) * columns, columns);
            }
        }
        return result;
    }

    /// @param shape row-major
    void tensor(String name, BlockFormat format, long[] shape, float[] values) {
        long[] dimensions = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            dimensions[i] = shape[shape.length - 1 - i];
        }
        parts.add(new Part(name, format.number(), dimensions, bytes(format, values)));
    }

    private static byte[] bytes(BlockFormat format, float[] values) {
        ByteBuffer out =
                ByteBuffer.allocate((int) format.bytesOf(values.length)).order(ByteOrder.LITTLE_ENDIAN);
        switch (format) {
            case F32 -> {
                for (float value : values) {
                    out.putFloat(value);
                }
            }
            case F16 -> {
                for (float value : values) {
                    out.putShort(Float.floatToFloat16(value));
                }
            }
            case BF16 -> {
                for (float value : values) {
                    out.putShort((short) (Float.floatToIntBits(value) >> 16));
                }
            }
            case Q8_0 -> {
                for (int from = 0; from < values.length; from += 32) {
                    float[] block = Arrays.copyOfRange(values, from, from + 32);
                    float most = 0;
                    for (float value : block) {
                        most = Math.max(most, Math.abs(value));
                    }
                    short scale = Float.floatToFloat16(most / 127);
                    out.putShort(scale);
                    for (float value : block) {
                        out.put((byte) Math.clamp(Math.round(value / Float.float16ToFloat(scale)), -127, 127));
                    }
                }
            }
            default -> throw new IllegalArgumentException(format.name());
        }
        return out.array();
    }

    public byte[] build() {
        Output out = new Output();
        out.bytes.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.integer(3);
        out.number(parts.size());
        out.number(metadata.size());
        metadata.forEach((key, value) -> {
            out.string(key);
            out.value(value);
        });
        long offset = 0;
        for (Part part : parts) {
            out.string(part.name);
            out.integer(part.dimensions.length);
            for (long dimension : part.dimensions) {
                out.number(dimension);
            }
            out.integer(part.format);
            out.number(offset);
            offset += (part.data.length + alignment - 1) / alignment * alignment;
        }
        for (Part part : parts) {
            out.align(alignment);
            out.bytes.writeBytes(part.data);
        }
        return out.bytes.toByteArray();
    }

    private static final class Output {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        void align(int alignment) {
            while (bytes.size() % alignment != 0) {
                bytes.write(0);
            }
        }

        void integer(int value) {
            bytes.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }

        void number(long value) {
            bytes.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
        }

        void string(String text) {
            byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
            number(encoded.length);
            bytes.writeBytes(encoded);
        }

        void value(Object value) {
            switch (value) {
                case Integer number -> {
                    integer(4);
                    integer(number);
                }
                case Float number -> {
                    integer(6);
                    integer(Float.floatToIntBits(number));
                }
                case Boolean flag -> {
                    integer(7);
                    bytes.write(flag ? 1 : 0);
                }
                case String text -> {
                    integer(8);
                    string(text);
                }
                case List<?> list -> {
                    integer(9);
                    list(list);
                }
                default -> throw new IllegalArgumentException(String.valueOf(value));
            }
        }

        private void list(List<?> list) {
            switch (list.getFirst()) {
                case Integer _ -> integer(5);
                case Float _ -> integer(6);
                default -> integer(8);
            }
            number(list.size());
            for (Object item : list) {
                switch (item) {
                    case Integer number -> integer(number);
                    case Float number -> integer(Float.floatToIntBits(number));
                    default -> string((String) item);
                }
            }
        }
    }
}
