package ai.epitome.model.gguf;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.file.GgufMetadata;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A GGUF file, memory-mapped: metadata and named tensors.
///
/// ```text
/// metadata                                       see [GgufMetadata]; says how many tensors there are
/// tensors x { name string, dimensions u32, that many u64, format u32, offset u64 }
/// zeros up to a multiple of the alignment        32 bytes, or `general.alignment`
/// the tensors' bytes                             offsets count from here and are multiples of the alignment
/// ```
///
/// Little-endian; the first dimension is the one that runs fastest, so [Entry#shape] has them in the other order. The
/// file is untrusted: counts, names, dimensions, formats and offsets are checked before anything is read or allocated,
/// and no two tensors overlap. The memory is valid until [#close].
///
/// Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
public final class Gguf implements AutoCloseable {
    private static final int MOST_TENSORS = 1 << 16;
    private static final int MOST_DIMENSIONS = 4;
    private static final int LONGEST_NAME = 256;
    private static final long MOST_ALIGNMENT = 1 << 20;
    /// More than the largest vocabularies take; a buffer could hold little more.
    private static final long MOST_METADATA = 1 << 30;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// One tensor of a file.
    ///
    /// @param name its name
    /// @param format how its numbers are held
    /// @param shape its dimensions, row-major
    /// @param data its bytes within the mapping
    public record Entry(String name, BlockFormat format, List<Integer> shape, MemorySegment data) {
        /// The number of values.
        public long size() {
            return data.byteSize() / format.blockBytes() * format.blockValues();
        }
    }

    private final MappedFile mapping;
    private final GgufMetadata metadata;
    private final Map<String, Entry> entries;

    private Gguf(MappedFile mapping, GgufMetadata metadata, Map<String, Entry> entries) {
        this.mapping = mapping;
        this.metadata = metadata;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /// Whether the file begins as GGUF does.
    public static boolean is(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream input = Files.newInputStream(file)) {
            return GgufMetadata.isMagic(input.readNBytes(4));
        }
    }

    /// Maps a file.
    ///
    /// @throws IOException when it breaks the format
    public static Gguf open(Path file) throws IOException {
        return MappedFile.read(file, Gguf::parse);
    }

    /// Reads the structure of a file, which is closed with the result.
    static Gguf parse(MappedFile mapping) throws IOException {
        MemorySegment bytes = mapping.bytes();
        GgufMetadata metadata = GgufMetadata.read(
                new BufferedInputStream(stream(bytes)), mapping.path().toString());
        Table table = new Table(mapping.path(), bytes, metadata);
        return new Gguf(mapping, metadata, table.read());
    }

    /// The beginning of a file, in which metadata has to be.
    private static InputStream stream(MemorySegment bytes) {
        ByteBuffer buffer =
                bytes.asSlice(0, Math.min(bytes.byteSize(), MOST_METADATA)).asByteBuffer();
        return new InputStream() {
            @Override
            public int read() {
                return buffer.hasRemaining() ? buffer.get() & 0xFF : -1;
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                int count = Math.min(length, buffer.remaining());
                buffer.get(target, offset, count);
                return count == 0 && length > 0 ? -1 : count;
            }
        };
    }

    /// Reads the table of tensors and checks what it says.
    private static final class Table {
        /// What the table says of one tensor.
        private record Row(String name, BlockFormat format, List<Integer> shape, long offset, long bytes) {}

        private final Path file;
        private final MemorySegment bytes;
        private final GgufMetadata metadata;
        private long at;

        Table(Path file, MemorySegment bytes, GgufMetadata metadata) {
            this.file = file;
            this.bytes = bytes;
            this.metadata = metadata;
            this.at = metadata.end();
        }

        Map<String, Entry> read() throws MalformedModelException {
            long count = metadata.tensors();
            require(
                    count >= 0 && count <= MOST_TENSORS,
                    "the header says %s tensors, at most %,d are read"
                            .formatted(Long.toUnsignedString(count), MOST_TENSORS));
            List<Row> rows = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                rows.add(row());
            }
            long alignment = alignment();
            long start = (at + alignment - 1) / alignment * alignment;
            Map<String, Entry> entries = new LinkedHashMap<>();
            for (Row row : rows) {
                requireInside(row, start, alignment);
                Entry entry = new Entry(row.name, row.format, row.shape, bytes.asSlice(start + row.offset, row.bytes));
                require(entries.put(row.name, entry) == null, "tensor `%s` appears twice".formatted(row.name));
            }
            requireApart(rows);
            return entries;
        }

        private long alignment() throws MalformedModelException {
            Object value = metadata.values().getOrDefault("general.alignment", 32L);
            require(
                    value instanceof Long number
                            && number > 0
                            && number <= MOST_ALIGNMENT
                            && Long.bitCount(number) == 1,
                    "`general.alignment` is %s, expected a power of two, %,d at most".formatted(value, MOST_ALIGNMENT));
            return (Long) value;
        }

        private Row row() throws MalformedModelException {
            long began = at;
            String name = name();
            int dimensions = integer();
            require(
                    dimensions >= 1 && dimensions <= MOST_DIMENSIONS,
                    "tensor `%s` at offset %,d has %s dimensions, expected 1 to %d"
                            .formatted(name, began, Integer.toUnsignedString(dimensions), MOST_DIMENSIONS));
            List<Integer> shape = new ArrayList<>();
            long values = 1;
            for (int i = 0; i < dimensions; i++) {
                long dimension = number();
                require(
                        dimension >= 1 && dimension <= Integer.MAX_VALUE && values <= Long.MAX_VALUE / 8 / dimension,
                        "tensor `%s` at offset %,d has a dimension of %s: more than a tensor can have"
                                .formatted(name, began, Long.toUnsignedString(dimension)));
                values *= dimension;
                shape.addFirst((int) dimension);
            }
            BlockFormat format = format(name, began, integer());
            require(
                    shape.getLast() % format.blockValues() == 0,
                    "tensor `%s` at offset %,d has rows of %,d values, which are no whole blocks of %s"
                            .formatted(name, began, shape.getLast(), format));
            return new Row(name, format, List.copyOf(shape), number(), format.bytesOf(values));
        }

        private String name() throws MalformedModelException {
            long began = at;
            long length = number();
            require(
                    length >= 1 && length <= LONGEST_NAME,
                    "a tensor's name at offset %,d has %s bytes, expected 1 to %d"
                            .formatted(began, Long.toUnsignedString(length), LONGEST_NAME));
            requireLeft(length);
            byte[] name = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
            at += length;
            return new String(name, StandardCharsets.UTF_8);
        }

        private BlockFormat format(String name, long began, int number) throws MalformedModelException {
            return Arrays.stream(BlockFormat.values())
                    .filter(format -> format.number() == number)
                    .findFirst()
                    .orElseThrow(() -> new MalformedModelException(
                            file,
                            "tensor `%s` at offset %,d has ggml's type %s; read are %s"
                                    .formatted(
                                            name,
                                            began,
                                            Integer.toUnsignedString(number),
                                            Arrays.toString(BlockFormat.values()))));
        }

        private void requireInside(Row row, long start, long alignment) throws MalformedModelException {
            require(
                    row.offset >= 0 && row.offset % alignment == 0,
                    "tensor `%s` lies at data offset %s, which is no multiple of the alignment %d"
                            .formatted(row.name, Long.toUnsignedString(row.offset), alignment));
            require(
                    start <= bytes.byteSize()
                            && row.offset <= bytes.byteSize() - start
                            && row.bytes <= bytes.byteSize() - start - row.offset,
                    "tensor `%s` lies at data offset %,d and has %,d bytes, but the file, of %,d bytes, has its data from offset %,d on: damaged or cut short"
                            .formatted(row.name, row.offset, row.bytes, bytes.byteSize(), start));
        }

        private void requireApart(List<Row> rows) throws MalformedModelException {
            List<Row> ordered = new ArrayList<>(rows);
            ordered.sort(Comparator.comparingLong(Row::offset));
            for (int i = 1; i < ordered.size(); i++) {
                Row before = ordered.get(i - 1);
                require(
                        before.offset + before.bytes <= ordered.get(i).offset,
                        "tensors `%s` and `%s` overlap at data offset %,d"
                                .formatted(before.name, ordered.get(i).name, ordered.get(i).offset));
            }
        }

        private int integer() throws MalformedModelException {
            requireLeft(Integer.BYTES);
            at += Integer.BYTES;
            return bytes.get(INT, at - Integer.BYTES);
        }

        private long number() throws MalformedModelException {
            requireLeft(Long.BYTES);
            at += Long.BYTES;
            return bytes.get(LONG, at - Long.BYTES);
        }

        private void requireLeft(long length) throws MalformedModelException {
            require(
                    length <= bytes.byteSize() - at,
                    "the file ends within its table of tensors, at offset %,d".formatted(bytes.byteSize()));
        }

        private void require(boolean condition, String problem) throws MalformedModelException {
            if (!condition) {
                throw new MalformedModelException(file, problem);
            }
        }
    }

    public Path file() {
        return mapping.path();
    }

    public GgufMetadata metadata() {
        return metadata;
    }

    /// All tensors by name, in the table's order.
    public Map<String, Entry> entries() {
        return entries;
    }

    /// The tensor of a name, which a model of this shape must have.
    ///
    /// @param shape row-major
    /// @throws MalformedModelException when it is missing, or of another shape
    public Entry entry(String name, List<Integer> shape) throws MalformedModelException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new MalformedModelException(file(), "tensor `%s` %s is missing".formatted(name, shape));
        }
        if (!entry.shape().equals(shape)) {
            throw new MalformedModelException(
                    file(), "tensor `%s` has shape %s, the metadata asks for %s".formatted(name, entry.shape(), shape));
        }
        return entry;
    }

    MappedFile mapping() {
        return mapping;
    }

    /// Ends the mapping, unless the model that it was handed to has. Memory taken from it must no longer be used.
    @Override
    public void close() {
        mapping.close();
    }
}
