package ai.epitome.model.engine;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.tensor.attention.KeyValueMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// A file of keys and values: blocks of the beginning of a text.
///
/// ```text
/// offset  bytes
///      0      8   magic: 89 45 50 4B 0D 0A 1A 0A
///      8      4   version: 1
///     12      4   format: 0 f32, 1 bf16, 2 Q8, 3 f16
///     16     12   layers, key-value heads, channels of a head
///     28      4   tokens of a block: 16
///     32     32   SHA-256 of the model's shape and weights
///     64      4   tokens, n: a multiple of 16, at least 16
///     68     4n   the tokens
///  68+4n      4   CRC-32C of all before
///  72+4n          blocks in order, each with its layers in order, as they lie in memory (see `KeyValueMemory`)
///    end      4   CRC-32C of the blocks
/// ```
///
/// Integers and numbers are little-endian. A file is written whole or not at all, and read only when all of it is what
/// it should be.
final class CacheFile {
    private static final byte[] MAGIC = {(byte) 0x89, 'E', 'P', 'K', 0x0D, 0x0A, 0x1A, 0x0A};
    private static final int VERSION = 1;
    private static final int FIXED = 68;

    /// Writes blocks that hold the keys and values of `tokens`, and that nobody changes meanwhile.
    static void write(Path file, byte[] model, int[] tokens, KeyValueMemory memory, int[] blocks) throws IOException {
        requireLittleEndian();
        AtomicFile.write(file, channel -> {
            ByteBuffer header = header(model, tokens, memory);
            writeAll(channel, header);
            CRC32C checksum = new CRC32C();
            for (int block : blocks) {
                for (int layer = 0; layer < memory.layers(); layer++) {
                    ByteBuffer bytes = memory.block(layer, block).asByteBuffer();
                    checksum.update(bytes);
                    writeAll(channel, bytes.rewind());
                }
            }
            writeAll(channel, integer((int) checksum.getValue()));
        });
    }

    private static ByteBuffer header(byte[] model, int[] tokens, KeyValueMemory memory) {
        ByteBuffer header = ByteBuffer.allocate(FIXED + 4 * tokens.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        header.put(fixed(model, memory)).putInt(tokens.length);
        header.asIntBuffer().put(tokens);
        header.position(header.position() + 4 * tokens.length);
        header.putInt((int) checksum(header.array(), header.position()));
        return header.flip();
    }

    /// What the file of a model and of a memory like this one begins with.
    private static byte[] fixed(byte[] model, KeyValueMemory memory) {
        return ByteBuffer.allocate(FIXED - 4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .putInt(VERSION)
                .putInt(memory.format().ordinal())
                .putInt(memory.layers())
                .putInt(memory.heads())
                .putInt(memory.dimension())
                .putInt(KeyValueMemory.BLOCK)
                .put(model)
                .array();
    }

    /// The tokens of a file, after checking everything but the blocks.
    ///
    /// @param vocabulary ids are below it
    /// @throws MalformedCacheException when it is no such file, or of another model or format
    static int[] tokens(Path file, byte[] model, KeyValueMemory memory, int vocabulary) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            byte[] fixed = read(file, channel, 0, FIXED).array();
            requireSame(file, fixed, fixed(model, memory));
            int count = ByteBuffer.wrap(fixed).order(ByteOrder.LITTLE_ENDIAN).getInt(FIXED - 4);
            if (count < KeyValueMemory.BLOCK || count % KeyValueMemory.BLOCK != 0) {
                throw wrong(file, FIXED - 4, "the number of tokens is a multiple of 16, not " + count);
            }
            if (count / KeyValueMemory.BLOCK > memory.capacity()) {
                throw wrong(
                        file,
                        FIXED - 4,
                        "%,d tokens, there is room for %,d"
                                .formatted(count, (long) memory.capacity() * KeyValueMemory.BLOCK));
            }
            long size = start(count) + (long) count / KeyValueMemory.BLOCK * memory.layers() * memory.blockBytes() + 4;
            if (channel.size() != size) {
                throw wrong(
                        file,
                        FIXED - 4,
                        "%d tokens make a file of %,d bytes, this one has %,d".formatted(count, size, channel.size()));
            }
            ByteBuffer header = read(file, channel, 0, Math.toIntExact(start(count)));
            int found = header.getInt(header.capacity() - 4);
            if (found != (int) checksum(header.array(), header.capacity() - 4)) {
                throw wrong(file, header.capacity() - 4, "the checksum of the header is another: it is damaged");
            }
            int[] tokens = new int[count];
            header.position(FIXED).asIntBuffer().get(tokens);
            for (int i = 0; i < count; i++) {
                if (tokens[i] < 0 || tokens[i] >= vocabulary) {
                    throw wrong(
                            file,
                            FIXED + 4L * i,
                            "token %d, the model has ids 0 to %d".formatted(tokens[i], vocabulary - 1));
                }
            }
            return tokens;
        }
    }

    /// Reads the blocks of a file whose [#tokens] were read. Until it returns they hold anything.
    static void read(Path file, KeyValueMemory memory, int[] blocks) throws IOException {
        requireLittleEndian();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long offset = start(blocks.length * KeyValueMemory.BLOCK);
            CRC32C checksum = new CRC32C();
            for (int block : blocks) {
                for (int layer = 0; layer < memory.layers(); layer++) {
                    ByteBuffer bytes = memory.block(layer, block).asByteBuffer();
                    fill(file, channel, offset, bytes);
                    checksum.update(bytes.rewind());
                    offset += memory.blockBytes();
                }
            }
            int found = read(file, channel, offset, 4).getInt(0);
            if (found != (int) checksum.getValue()) {
                throw wrong(file, offset, "the checksum of the blocks is another: they are damaged");
            }
        }
    }

    /// Where the blocks begin.
    private static long start(int tokens) {
        return FIXED + 4L * tokens + 4;
    }

    private static void requireSame(Path file, byte[] found, byte[] expected) throws MalformedCacheException {
        int at = Arrays.mismatch(found, 0, expected.length, expected, 0, expected.length);
        if (at < 0) {
            return;
        }
        String rule = at < 8
                ? "not a file of keys and values"
                : at < 12
                        ? "version 1 is expected"
                        : at < 32
                                ? "format, layers, heads and channels are expected to be " + integers(expected)
                                        + ", found " + integers(found)
                                : "made by another model: expected " + hex(expected) + ", found " + hex(found);
        throw wrong(file, at < 32 ? at / 4 * 4 : 32, rule);
    }

    private static String integers(byte[] fixed) {
        int[] numbers = new int[5];
        ByteBuffer.wrap(fixed, 12, 20)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asIntBuffer()
                .get(numbers);
        return Arrays.toString(numbers);
    }

    private static String hex(byte[] fixed) {
        return HexFormat.of().formatHex(fixed, 32, 64);
    }

    private static MalformedCacheException wrong(Path file, long offset, String rule) {
        return new MalformedCacheException(file, offset, rule);
    }

    private static long checksum(byte[] bytes, int count) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, count);
        return checksum.getValue();
    }

    private static ByteBuffer integer(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .flip();
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static ByteBuffer read(Path file, FileChannel channel, long offset, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        fill(file, channel, offset, bytes);
        return bytes;
    }

    private static void fill(Path file, FileChannel channel, long offset, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, offset + bytes.position()) < 0) {
                throw wrong(file, offset + bytes.position(), "the file ends too soon");
            }
        }
    }

    /// Blocks are written as they lie in memory, which is little-endian on every machine that Epitome runs on.
    private static void requireLittleEndian() throws IOException {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IOException("keys and values are kept by little-endian machines only");
        }
    }

    private CacheFile() {}
}
