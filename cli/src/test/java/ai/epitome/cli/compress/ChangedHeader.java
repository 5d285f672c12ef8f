package ai.epitome.cli.compress;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// Archives whose header says something else, with a checksum that holds.
final class ChangedHeader {
    private ChangedHeader() {}

    /// A copy of the archive whose byte `at` is `value`.
    static byte[] with(byte[] archive, int at, int value) {
        byte[] bytes = archive.clone();
        bytes[at] = (byte) value;
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int length = header.getShort(9) - Integer.BYTES;
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, length);
        header.putInt(length, (int) checksum.getValue());
        return bytes;
    }
}
