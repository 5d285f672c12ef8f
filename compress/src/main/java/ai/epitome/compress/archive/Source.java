package ai.epitome.compress.archive;

import java.io.IOException;
import java.io.InputStream;

/// The bytes of an archive, in order, counted.
final class Source {
    private final InputStream in;
    private long position;

    Source(InputStream in) {
        this.in = in;
    }

    /// The next `length` bytes. Memory is taken as they come, so a length that lies costs no more than the archive
    /// has bytes.
    ///
    /// @param what they are, for the message
    /// @throws ArchiveException `TRUNCATED`
    byte[] exactly(int length, String what) throws IOException {
        byte[] bytes = atMost(length);
        if (bytes.length < length) {
            throw new ArchiveException(
                    Reason.TRUNCATED,
                    "the archive ends after %,d bytes, inside %s; get the whole file".formatted(position, what));
        }
        return bytes;
    }

    /// The next `length` bytes, or those up to the end.
    byte[] atMost(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        position += bytes.length;
        return bytes;
    }

    /// Bytes read so far.
    long position() {
        return position;
    }
}
