package ai.epitome.train.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/// A file being read: its raw bytes are counted and hashed, and unpacked on the way.
final class SourceFile implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final String name;
    private final MessageDigest digest;
    private final CountingStream raw;
    private final InputStream unpacked;

    private SourceFile(String name, MessageDigest digest, CountingStream raw, InputStream unpacked) {
        this.name = name;
        this.digest = digest;
        this.raw = raw;
        this.unpacked = unpacked;
    }

    /// @throws CorpusException if it cannot be read, or its beginning is not what its name says
    static SourceFile open(Corpus.Source source) throws IOException {
        String name = source.name();
        MessageDigest digest = Document.newSha256();
        InputStream in = null;
        CountingStream raw = null;
        try {
            in = switch (source) {
                case Corpus.Source.OfFile file -> Files.newInputStream(file.path());
                case Corpus.Source.OfBytes bytes -> new ByteArrayInputStream(bytes.text());
            };
            raw = new CountingStream(new BufferedInputStream(new DigestInputStream(in, digest), BUFFER));
            return new SourceFile(name, digest, raw, FileFormat.unpack(name, raw));
        } catch (IOException e) {
            if (in != null) {
                in.close();
            }
            throw broken(name, raw, e);
        }
    }

    String name() {
        return name;
    }

    /// The contents.
    InputStream unpacked() {
        return unpacked;
    }

    /// What is recorded of the file, once its contents were read to their end.
    DataFile finish(boolean looksBinary) throws IOException {
        // What follows the packed data still belongs to the file's hash.
        raw.transferTo(OutputStream.nullOutputStream());
        return new DataFile(name, raw.count, HexFormat.of().formatHex(digest.digest()), looksBinary);
    }

    /// What to throw when reading failed.
    CorpusException broken(IOException e) {
        return broken(name, raw, e);
    }

    private static CorpusException broken(String name, CountingStream raw, IOException e) {
        String where = raw == null ? "" : " near byte " + raw.count;
        String what = FileFormat.isPacked(name)
                ? " (expected whole " + FileFormat.packingOf(name)
                        + " data; the file may be truncated: fetch or pack it again)"
                : "";
        return new CorpusException(
                "cannot read " + name + where + ": " + (e.getMessage() == null ? e : e.getMessage()) + what, e);
    }

    @Override
    public void close() throws IOException {
        unpacked.close();
    }

    private static final class CountingStream extends FilterInputStream {
        private long count;

        CountingStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = super.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int n = super.read(target, offset, length);
            count += Math.max(0, n);
            return n;
        }
    }
}
