package ai.epitome.compress.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The lengths of all blocks, after the last of them. Integers are little-endian:
///
/// ```
/// 0  4  marker: EB 49 44 58 ("IDX")
/// 4  4  length of the coded bytes of block 0, with bit 31 set when stored
/// 8  4  the same of block 1, and so on
/// ```
final class Index {
    static final int MARKER = 0x584449eb;

    private static final int STORED = 1 << 31;
    static final int MAX_BLOCKS = 1 << 28;

    private int[] lengths = new int[16];
    private int size;

    /// @throws IOException when there are more blocks than an index may have
    void add(BlockHeader header) throws IOException {
        if (size == MAX_BLOCKS) {
            throw new IOException("more than %,d blocks; compress it with larger ones".formatted(MAX_BLOCKS));
        }
        add(header.codedLength() | (header.stored() ? STORED : 0));
    }

    private void add(int length) {
        if (size == lengths.length) {
            lengths = Arrays.copyOf(lengths, 2 * size);
        }
        lengths[size++] = length;
    }

    /// The number of blocks.
    int size() {
        return size;
    }

    int codedLength(int block) {
        return lengths[block] & ~STORED;
    }

    boolean isStored(int block) {
        return lengths[block] < 0;
    }

    byte[] write() {
        ByteBuffer buffer = ByteBuffer.allocate(Integer.BYTES * (size + 1)).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(MARKER);
        for (int i = 0; i < size; i++) {
            buffer.putInt(lengths[i]);
        }
        return buffer.array();
    }

    /// @param bytes with the marker
    static Index parse(byte[] bytes) {
        Index index = new Index();
        ByteBuffer buffer =
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(Integer.BYTES);
        while (buffer.hasRemaining()) {
            index.add(buffer.getInt());
        }
        return index;
    }
}
