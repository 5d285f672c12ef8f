package ai.epitome.compress.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// What stands before each block. Integers are little-endian:
///
/// ```
///  0  4  marker: EB 42 4C 4B ("BLK" behind a byte that no text has)
///  4  1  1 coded, 2 stored: the bytes as they are
///  5  4  number, from 0
///  9  4  length of the plain bytes, at least 1
/// 13  4  length of the coded bytes: less than the plain length, or equal to it when stored
/// 17  4  CRC-32C of the plain bytes
/// 21  4  CRC-32C of the coded bytes
/// 25  4  CRC-32C of the header's checksum and of the 25 bytes before
/// 29     coded bytes
/// ```
record BlockHeader(boolean stored, int number, int plainLength, int codedLength, int plainChecksum, int codedChecksum) {
    static final int SIZE = 29;
    static final int MARKER = 0x4b4c42eb;

    private static final int CODED = 1;
    private static final int STORED = 2;
    private static final int CHECKED = SIZE - Integer.BYTES;

    /// @param archive checksum of the archive's header
    byte[] write(int archive) {
        ByteBuffer buffer = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(MARKER).put((byte) (stored ? STORED : CODED)).putInt(number);
        buffer.putInt(plainLength).putInt(codedLength).putInt(plainChecksum).putInt(codedChecksum);
        return buffer.putInt(checksum(archive, buffer.array())).array();
    }

    private static int checksum(int archive, byte[] bytes) {
        return Checksum.of(archive, Arrays.copyOf(bytes, CHECKED));
    }

    /// @param bytes [#SIZE] of them
    /// @return null where they are no header of a block of this archive
    static BlockHeader parse(byte[] bytes, int archive, int blockSize) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int marker = buffer.getInt();
        int kind = buffer.get();
        if (marker != MARKER || buffer.getInt(CHECKED) != checksum(archive, bytes)) {
            return null;
        }
        BlockHeader header = new BlockHeader(
                kind == STORED, buffer.getInt(), buffer.getInt(), buffer.getInt(), buffer.getInt(), buffer.getInt());
        return header.isSound(kind, blockSize) ? header : null;
    }

    private boolean isSound(int kind, int blockSize) {
        boolean known = kind == CODED || kind == STORED;
        boolean fits = stored ? codedLength == plainLength : codedLength >= 0 && codedLength < plainLength;
        return known && fits && number >= 0 && plainLength >= 1 && plainLength <= blockSize;
    }
}
