package ai.epitome.compress.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The end of an archive, after a copy of its header: a file whose beginning is lost can still be read. Integers are
/// little-endian:
///
/// ```
///  0   8  number of blocks
///  8   8  length of what was compressed
/// 16   8  length of the archive, with this footer
/// 24   2  length of the header's copy before this footer
/// 26  32  SHA-256 of what was compressed
/// 58   4  CRC-32C of the header's checksum, of the index and of the 58 bytes before
/// 62   4  45 50 49 0A ("EPI" and a line's end)
/// ```
record Footer(long blocks, long plainLength, long archiveLength, int headerLength, byte[] sha256) {
    static final int SIZE = 66;

    private static final int SHA_256 = 32;
    private static final int CHECKED = 58;
    private static final int END = 0x0a495045;

    byte[] write(int archive, byte[] index) {
        ByteBuffer buffer = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(blocks).putLong(plainLength).putLong(archiveLength);
        buffer.putShort((short) headerLength).put(sha256);
        return buffer.putInt(checksum(archive, index, buffer.array()))
                .putInt(END)
                .array();
    }

    private static int checksum(int archive, byte[] index, byte[] footer) {
        return Checksum.of(archive, index, Arrays.copyOf(footer, CHECKED));
    }

    /// Whether bytes end as an archive does.
    static boolean isEnd(byte[] bytes) {
        return bytes.length == SIZE
                && ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(SIZE - Integer.BYTES) == END;
    }

    /// Reads it without checking anything: where the index is, stands in it.
    static Footer parse(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long blocks = buffer.getLong();
        long plainLength = buffer.getLong();
        long archiveLength = buffer.getLong();
        int headerLength = buffer.getShort() & 0xffff;
        byte[] sha256 = new byte[SHA_256];
        buffer.get(sha256);
        return new Footer(blocks, plainLength, archiveLength, headerLength, sha256);
    }

    /// @throws ArchiveException where index and footer are not what was written
    static void requireSound(byte[] bytes, int archive, byte[] index) throws ArchiveException {
        int expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(CHECKED);
        if (!isEnd(bytes) || expected != checksum(archive, index, bytes)) {
            throw new ArchiveException(Reason.CORRUPT, "the footer is damaged, or the index before it");
        }
    }
}
