package ai.epitome.model.huggingface;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Writes named tensors as a safetensors file (drawn at [Safetensors]), whole or not at all.
///
/// ```java
/// SafetensorsWriter.write(file, Map.of("step", "1000"), List.of(Item.of("moment.0", moment)));
/// ```
///
/// Tensors are ordered by element size, then name, so equal tensors and metadata make equal files.
public final class SafetensorsWriter {
    private static final JsonMapper COMPACT =
            JsonMapper.builder(JsonFactory.builder().build()).build();
    /// Bytes handed to the system at once.
    private static final long PIECE = 16L << 20;

    private SafetensorsWriter() {}

    /// What the header says of a tensor.
    public record Declaration(String name, DType dtype, List<Integer> shape) {
        private long bytes() {
            return Tensor.sizeOf(shape.stream().mapToInt(Integer::intValue).toArray()) * dtype.bytes();
        }
    }

    /// Writes the bytes of the tensor whose turn has come.
    @FunctionalInterface
    public interface Body {
        void write(Declaration tensor, FileChannel channel) throws IOException;
    }

    /// A tensor to write.
    ///
    /// @param name its name
    /// @param dtype element type
    /// @param shape its dimensions
    /// @param data gives its bytes when their turn comes, and may reuse the memory afterwards
    public record Item(String name, DType dtype, List<Integer> shape, Supplier<MemorySegment> data) {
        public Item {
            shape = List.copyOf(shape);
        }

        /// A tensor as it stands.
        public static Item of(String name, Tensor tensor) {
            List<Integer> shape = new ArrayList<>();
            for (int dimension : tensor.shape()) {
                shape.add(dimension);
            }
            return new Item(name, tensor.dtype(), shape, tensor::data);
        }

        private Declaration declaration() {
            return new Declaration(name, dtype, shape);
        }
    }

    /// Writes `items` and `metadata` to `file`, replacing what was there once the new file is whole and on the disk.
    ///
    /// @throws IOException when it cannot be written; the old file, if any, is then untouched
    public static void write(Path file, Map<String, String> metadata, List<Item> items) throws IOException {
        Map<String, Item> byName = new HashMap<>();
        items.forEach(item -> byName.put(item.name(), item));
        write(
                file,
                metadata,
                items.stream().map(Item::declaration).toList(),
                (tensor, channel) -> write(channel, byName.get(tensor.name())));
    }

    /// Writes a file whose tensors are not in memory.
    public static void write(Path file, Map<String, String> metadata, List<Declaration> tensors, Body body)
            throws IOException {
        List<Declaration> ordered = new ArrayList<>(tensors);
        ordered.sort(
                Comparator.<Declaration>comparingInt(tensor -> -tensor.dtype().bytes())
                        .thenComparing(Declaration::name));
        byte[] header = header(metadata, ordered);
        AtomicFile.write(file, channel -> {
            ByteBuffer length =
                    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length);
            drain(channel, length.flip());
            drain(channel, ByteBuffer.wrap(header));
            for (Declaration tensor : ordered) {
                body.write(tensor, channel);
            }
        });
    }

    private static byte[] header(Map<String, String> metadata, List<Declaration> tensors) {
        ObjectNode json = COMPACT.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode notes = json.putObject("__metadata__");
            metadata.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> notes.put(entry.getKey(), entry.getValue()));
        }
        long offset = 0;
        Set<String> names = new HashSet<>(Set.of("__metadata__"));
        for (Declaration tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors are called `%s`".formatted(tensor.name()));
            }
            ObjectNode entry = json.putObject(tensor.name());
            entry.put("dtype", tensor.dtype().name());
            tensor.shape().forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(offset).add(offset + tensor.bytes());
            offset += tensor.bytes();
        }
        byte[] text = COMPACT.writeValueAsBytes(json);
        // spaces, so that the data begins at a multiple of 8
        byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        return padded;
    }

    private static void write(FileChannel channel, Item item) throws IOException {
        MemorySegment data = item.data().get();
        long expected = item.declaration().bytes();
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException("tensor `%s` of %s %s has %,d bytes, expected %,d"
                    .formatted(item.name(), item.dtype(), item.shape(), data.byteSize(), expected));
        }
        for (long from = 0; from < data.byteSize(); from += PIECE) {
            drain(
                    channel,
                    data.asSlice(from, Math.min(PIECE, data.byteSize() - from)).asByteBuffer());
        }
    }

    private static void drain(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
