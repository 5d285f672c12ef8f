package ai.epitome.train.data;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;

/// A body of text: files and folders in a fixed order, read as a stream of [Document]s with bounded memory.
///
/// | name ends in | read as |
/// |---|---|
/// | `.jsonl`, `.ndjson` | a document a line: the string in the field `text` |
/// | anything else | one document (in pieces of at most [#PIECE_BYTES] when the file is longer), byte for byte |
/// | `.gz` `.zst` `.xz` `.bz2` after either | the same, unpacked on the way |
///
/// Folders are read recursively, files sorted by their path inside the folder; names that begin with a dot are skipped.
///
/// ```java
/// Corpus corpus = Corpus.of(List.of(Path.of("texts"), Path.of("more.jsonl.zst")));
/// try (DocumentReader reader = corpus.open()) {
///     for (Document document = reader.next(); document != null; document = reader.next()) { ... }
/// }
/// ```
public final class Corpus {
    /// Longest document in memory. Longer plain files are cut after a line break before this many bytes.
    public static final int PIECE_BYTES = 64 << 20;

    /// Where documents come from: a file, or bytes that are already here.
    sealed interface Source {
        String name();

        record OfFile(Path path) implements Source {
            @Override
            public String name() {
                return path.toString();
            }
        }

        record OfBytes(String name, byte[] text) implements Source {}
    }

    private final List<Source> sources;
    private final int pieceBytes;

    private Corpus(List<Source> sources, int pieceBytes) {
        this.sources = List.copyOf(sources);
        this.pieceBytes = pieceBytes;
    }

    /// The files and folders, in the given order.
    ///
    /// @throws CorpusException if a path does not exist or cannot be read, or a folder holds no files
    public static Corpus of(List<Path> paths) throws IOException {
        List<Source> sources = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                filesOf(path).forEach(file -> sources.add(new Source.OfFile(file)));
            } else {
                sources.add(new Source.OfFile(readable(path)));
            }
        }
        if (sources.isEmpty()) {
            throw new CorpusException("no text was given: name at least one file or folder");
        }
        return new Corpus(sources, PIECE_BYTES);
    }

    /// A corpus of one text that is already in memory.
    public static Corpus of(String name, byte[] text) {
        return new Corpus(List.of(new Source.OfBytes(name, text)), PIECE_BYTES);
    }

    /// A corpus of texts that are already in memory.
    public static Corpus ofTexts(List<byte[]> texts) {
        List<Source> sources = new ArrayList<>();
        texts.forEach(text -> sources.add(new Source.OfBytes("text " + sources.size(), text)));
        return new Corpus(sources, PIECE_BYTES);
    }

    /// The sizes of its files, in bytes as they are stored, in order.
    public List<Long> sizes() throws IOException {
        List<Long> sizes = new ArrayList<>();
        for (Source source : sources) {
            sizes.add(
                    switch (source) {
                        case Source.OfFile file -> Files.size(file.path());
                        case Source.OfBytes bytes -> (long) bytes.text().length;
                    });
        }
        return sizes;
    }

    /// Whether a file is one of its files, by whatever name.
    public boolean contains(Path file) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        for (Source source : sources) {
            if (source instanceof Source.OfFile(Path own) && Files.isSameFile(own, file)) {
                return true;
            }
        }
        return false;
    }

    /// The same corpus with plain files cut into documents of at most `bytes`.
    Corpus withPieces(int bytes) {
        return new Corpus(sources, bytes);
    }

    /// Opens the documents from the first one on.
    public DocumentReader open() {
        return new DocumentReader(sources, pieceBytes);
    }

    /// Opens the JSON objects of its files from the first one on, whatever the files are called.
    public RecordReader openRecords() {
        return new RecordReader(sources, pieceBytes);
    }

    /// Reads everything once: counts and hashes.
    ///
    /// @throws CorpusException if there is not a single byte of text, or a file is broken
    public CorpusSummary scan() throws IOException {
        MessageDigest all = Document.newSha256();
        long documents = 0;
        long bytes = 0;
        try (DocumentReader reader = open()) {
            for (Document document = reader.next(); document != null; document = reader.next()) {
                documents++;
                bytes += document.text().length;
                all.update(document.sha256());
            }
            if (documents == 0) {
                String first = sources.getFirst().name();
                throw new CorpusException((sources.size() == 1
                                ? first + " is empty"
                                : "all %,d files are empty, %s and the others".formatted(sources.size(), first))
                        + ": there is not one byte of text; give a file that holds some");
            }
            return new CorpusSummary(
                    reader.filesRead(), documents, bytes, HexFormat.of().formatHex(all.digest()));
        }
    }

    private static Path readable(Path path) throws CorpusException {
        if (!Files.exists(path)) {
            throw new CorpusException("no such file or folder: " + path);
        }
        if (!Files.isReadable(path)) {
            throw new CorpusException("no permission to read " + path);
        }
        return path;
    }

    private static List<Path> filesOf(Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(
                folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path inner, BasicFileAttributes attributes) {
                        boolean skip = !inner.equals(folder) && isHidden(inner);
                        return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                        if (attributes.isRegularFile() && !isHidden(file)) {
                            files.add(readable(file));
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException cause) throws IOException {
                        throw new CorpusException("cannot read " + file + " in the folder " + folder, cause);
                    }
                });
        if (files.isEmpty()) {
            throw new CorpusException(
                    "the folder " + folder + " holds no files (names beginning with a dot are skipped)");
        }
        // Compared as strings with one separator, so that the order is the same on every system.
        files.sort(
                Comparator.comparing(file -> folder.relativize(file).toString().replace('\\', '/')));
        return files;
    }

    private static boolean isHidden(Path path) {
        return path.getFileName() != null && path.getFileName().toString().startsWith(".");
    }
}
