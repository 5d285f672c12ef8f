package ai.epitome.compress.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// CRC-32C (Castagnoli), as `CRC32C` of Java computes it. It finds every change of up to three bits of a header, and
/// all but one of 2^32 other changes.
final class Checksum {
    private Checksum() {}

    static int of(byte[] bytes) {
        return of(bytes, bytes.length);
    }

    static int of(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /// The checksum of the 4 bytes of `begin` and of some that follow: what belongs to an archive with another header
    /// does not pass.
    static int of(int begin, byte[]... parts) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, begin));
        for (byte[] part : parts) {
            crc.update(part);
        }
        return (int) crc.getValue();
    }
}
