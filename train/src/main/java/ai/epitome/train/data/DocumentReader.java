package ai.epitome.train.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads the documents of a [Corpus] one after another. Holds one document and a few buffers at a time.
/// Empty documents (an empty file, a line whose text is `""`) are passed over. Not safe for use by several threads.
public final class DocumentReader implements AutoCloseable {
    private static final int SAMPLE = 8192;

    private final List<Corpus.Source> sources;
    private final int pieceBytes;
    private final List<DataFile> filesRead = new ArrayList<>();
    private int nextSource;
    private OpenFile open;

    DocumentReader(List<Corpus.Source> sources, int pieceBytes) {
        this.sources = sources;
        this.pieceBytes = pieceBytes;
    }

    /// The next document, or null after the last.
    ///
    /// @throws CorpusException if a file cannot be read or unpacked, or a JSON line is broken
    public Document next() throws IOException {
        while (true) {
            if (open == null) {
                if (nextSource == sources.size()) {
                    return null;
                }
                open = new OpenFile(sources.get(nextSource++));
            }
            Document document = open.next();
            if (document != null) {
                return document;
            }
            filesRead.add(open.finish());
            close();
        }
    }

    /// The files that were read to their end, in order.
    List<DataFile> filesRead() {
        return filesRead;
    }

    @Override
    public void close() throws IOException {
        if (open != null) {
            OpenFile closing = open;
            open = null;
            closing.close();
        }
    }

    /// Whether bytes from the beginning of a file look like something other than text: a zero byte, or more than a
    /// tenth control characters that text does not use. Bytes above 127 say nothing, since any encoding is welcome.
    public static boolean looksBinary(byte[] beginning) {
        int odd = 0;
        for (byte b : beginning) {
            if (b == 0) {
                return true;
            }
            boolean control = b > 0 && b < ' ' && b != '\n' && b != '\r' && b != '\t' && b != '\f' && b != 27;
            odd += control || b == 127 ? 1 : 0;
        }
        return odd * 10 > beginning.length;
    }

    /// One source being read: unpacked and cut into documents.
    private final class OpenFile implements AutoCloseable {
        private final SourceFile file;
        private final JsonLines lines;
        private byte[] sample;
        private byte[] rest = {};
        private long position;

        OpenFile(Corpus.Source source) throws IOException {
            file = SourceFile.open(source);
            lines = FileFormat.isJsonLines(file.name())
                    ? new JsonLines(file.name(), file.unpacked(), pieceBytes)
                    : null;
        }

        Document next() throws IOException {
            try {
                Document document = lines == null ? nextPiece() : lines.next();
                if (sample == null && document != null) {
                    sample = Arrays.copyOf(document.text(), Math.min(SAMPLE, document.text().length));
                }
                return document;
            } catch (CorpusException e) {
                throw e;
            } catch (IOException e) {
                throw file.broken(e);
            }
        }

        private Document nextPiece() throws IOException {
            byte[] fresh = file.unpacked().readNBytes(pieceBytes - rest.length);
            byte[] all = rest.length == 0 ? fresh : join(rest, fresh);
            if (all.length == 0) {
                return null;
            }
            int cut = all.length < pieceBytes ? all.length : afterLastLineBreak(all);
            rest = Arrays.copyOfRange(all, cut, all.length);
            Document piece = new Document(cut == all.length ? all : Arrays.copyOf(all, cut), file.name(), position);
            position += cut;
            return piece;
        }

        DataFile finish() throws IOException {
            return file.finish(sample != null && looksBinary(sample));
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    private static int afterLastLineBreak(byte[] text) {
        for (int i = text.length; i > text.length / 2; i--) {
            if (text[i - 1] == '\n') {
                return i;
            }
        }
        return text.length;
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] joined = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, joined, a.length, b.length);
        return joined;
    }
}
