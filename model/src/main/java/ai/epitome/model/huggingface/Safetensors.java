package ai.epitome.model.huggingface;

import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Named tensors in one safetensors file, memory-mapped.
///
/// ```text
/// offset 0   u64 little-endian        n, length of the header
///        8   n bytes                  JSON object: name -> {"dtype", "shape", "data_offsets": [begin, end]},
///                                     and "__metadata__" -> {string: string}
///        8+n the tensors' bytes       row-major, little-endian; offsets count from here
/// ```
///
/// The file is untrusted: header length, nesting, dtypes, shapes and offsets are checked before anything is read, and
/// tensors must cover the data exactly, without gaps or overlaps (as the format demands). The memory is valid
/// until [#close].
///
/// Format: <https://github.com/huggingface/safetensors>.
public final class Safetensors implements AutoCloseable {
    /// Longest header that is read. The largest models' shards need well under one megabyte.
    public static final long MOST_HEADER_BYTES = 25L << 20;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Element types that may occur, with the bytes of one element.
    public enum Element {
        F64(8),
        F32(4),
        F16(2),
        BF16(2),
        I64(8),
        I32(4),
        I16(2),
        I8(1),
        U64(8),
        U32(4),
        U16(2),
        U8(1),
        BOOL(1),
        F8_E4M3(1),
        F8_E5M2(1);

        private final int bytes;

        Element(int bytes) {
            this.bytes = bytes;
        }

        public int bytes() {
            return bytes;
        }
    }

    /// One tensor of a file.
    ///
    /// @param name its name
    /// @param element element type
    /// @param shape its dimensions; empty for a scalar
    /// @param data its bytes within the mapping
    public record Entry(String name, Element element, List<Integer> shape, MemorySegment data) {
        /// A view of the entry for dtypes that tensors can hold.
        ///
        /// @throws IllegalArgumentException when they cannot
        public Tensor tensor() {
            DType dtype = switch (element) {
                case F32 -> DType.F32;
                case F16 -> DType.F16;
                case BF16 -> DType.BF16;
                case I32 -> DType.I32;
                default -> throw new IllegalArgumentException("tensor " + name + " has elements " + element);
            };
            return Tensor.of(
                    data, dtype, shape.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private final MappedFile mapping;
    private final Map<String, String> metadata;
    private final Map<String, Entry> entries;

    private Safetensors(MappedFile mapping, Map<String, String> metadata, Map<String, Entry> entries) {
        this.mapping = mapping;
        this.metadata = Collections.unmodifiableMap(metadata);
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Maps a file.
    ///
    /// @throws MalformedModelException when it breaks the format
    public static Safetensors open(Path file) throws IOException {
        return MappedFile.read(file, Safetensors::parse);
    }

    /// Reads the structure of a file, which is closed with the result.
    static Safetensors parse(MappedFile mapping) throws MalformedModelException {
        Path file = mapping.path();
        MemorySegment bytes = mapping.bytes();
        if (bytes.byteSize() < 8) {
            throw new MalformedModelException(
                    file, "%d bytes, too short for the header's length at offset 0".formatted(bytes.byteSize()));
        }
        long length = bytes.get(LONG, 0);
        if (length < 2 || length > Math.min(MOST_HEADER_BYTES, bytes.byteSize() - 8)) {
            throw new MalformedModelException(
                    file,
                    "header length at offset 0 is %s, expected 2 to %,d (the file has %,d bytes, headers may have %,d): not a safetensors file, or cut short"
                            .formatted(
                                    Long.toUnsignedString(length),
                                    Math.min(MOST_HEADER_BYTES, bytes.byteSize() - 8),
                                    bytes.byteSize(),
                                    MOST_HEADER_BYTES));
        }
        byte[] header = bytes.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        if (header[0] != '{') {
            throw new MalformedModelException(
                    file, "header at offset 8 begins with byte 0x%02x, expected '{'".formatted(header[0]));
        }
        JsonObject json = JsonObject.parse(file, "header at offset 8: ", header);
        Header reader = new Header(file, bytes.asSlice(8 + length), 8 + length);
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : json.node().properties()) {
            if (property.getKey().equals("__metadata__")) {
                reader.metadata(json.object("__metadata__"), metadata);
            } else {
                entries.put(property.getKey(), reader.entry(property.getKey(), json.object(property.getKey())));
            }
        }
        reader.requireCovered(entries.values());
        return new Safetensors(mapping, metadata, entries);
    }

    /// Checks the header's statements against the data.
    private record Header(Path file, MemorySegment data, long dataStart) {
        private void metadata(JsonObject json, Map<String, String> target) throws MalformedModelException {
            for (String key : json.node().propertyNames()) {
                target.put(key, json.text(key));
            }
        }

        private Entry entry(String name, JsonObject json) throws MalformedModelException {
            String dtype = json.text("dtype");
            Element element = Arrays.stream(Element.values())
                    .filter(one -> one.name().equals(dtype))
                    .findFirst()
                    .orElseThrow(() -> new MalformedModelException(
                            file, "tensor `%s` has unknown dtype \"%s\"".formatted(name, dtype)));
            List<Integer> shape = new ArrayList<>();
            long bytes = element.bytes();
            for (long dimension : longs(name, "shape", json)) {
                if (dimension > Integer.MAX_VALUE) {
                    throw broken(name, "has a dimension of " + dimension + ", the largest allowed is 2^31 - 1");
                }
                shape.add((int) dimension);
                if (dimension != 0 && bytes > Long.MAX_VALUE / dimension) {
                    throw broken(name, "has more than 2^63 bytes");
                }
                bytes *= dimension;
            }
            List<Long> offsets = longs(name, "data_offsets", json);
            if (offsets.size() != 2) {
                throw broken(name, "has %d data_offsets, expected begin and end".formatted(offsets.size()));
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            if (begin > end || end > data.byteSize()) {
                throw broken(
                        name,
                        "lies at data offsets %,d to %,d, but the data, from file offset %,d on, has %,d bytes: the file is damaged or cut short"
                                .formatted(begin, end, dataStart, data.byteSize()));
            }
            if (end - begin != bytes) {
                throw broken(
                        name,
                        "of %s %s needs %,d bytes, its data_offsets hold %,d"
                                .formatted(element, shape, bytes, end - begin));
            }
            return new Entry(name, element, List.copyOf(shape), data.asSlice(begin, end - begin));
        }

        private List<Long> longs(String name, String key, JsonObject json) throws MalformedModelException {
            JsonNode array = json.find(key);
            if (array == null || !array.isArray()) {
                throw broken(name, "has no array `" + key + "`");
            }
            List<Long> values = new ArrayList<>();
            for (JsonNode value : array) {
                if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                    throw broken(name, "has %s in `%s`, expected whole numbers of 0 or more".formatted(value, key));
                }
                values.add(value.longValue());
            }
            return values;
        }

        private void requireCovered(Iterable<Entry> entries) throws MalformedModelException {
            List<Entry> ordered = new ArrayList<>();
            entries.forEach(ordered::add);
            // empty tensors come before the tensor that begins where they do
            ordered.sort(Comparator.<Entry>comparingLong(e -> e.data().address())
                    .thenComparingLong(e -> e.data().byteSize()));
            long reached = 0;
            for (Entry entry : ordered) {
                long begin = entry.data().address() - data.address();
                if (begin != reached) {
                    throw broken(
                            entry.name(),
                            "begins at data offset %,d, but the tensor before it ends at %,d: tensors must follow each other without %s"
                                    .formatted(begin, reached, begin < reached ? "overlap" : "gaps"));
                }
                reached += entry.data().byteSize();
            }
            if (reached != data.byteSize()) {
                throw new MalformedModelException(
                        file,
                        "the tensors end at file offset %,d, the file at %,d: bytes that belong to no tensor"
                                .formatted(dataStart + reached, dataStart + data.byteSize()));
            }
        }

        private MalformedModelException broken(String name, String problem) {
            return new MalformedModelException(file, "tensor `%s` %s".formatted(name, problem));
        }
    }

    public Path file() {
        return mapping.path();
    }

    /// The file's own notes.
    public Map<String, String> metadata() {
        return metadata;
    }

    /// All tensors by name, in the header's order.
    public Map<String, Entry> entries() {
        return entries;
    }

    /// Ends the mapping. Tensors and memory taken from it must no longer be used.
    @Override
    public void close() {
        mapping.close();
    }
}
