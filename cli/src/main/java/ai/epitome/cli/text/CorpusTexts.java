package ai.epitome.cli.text;

import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.Document;
import ai.epitome.train.data.DocumentReader;
import ai.epitome.train.data.HeldOut;
import ai.epitome.train.data.SplitReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/// The texts of a corpus one after another, as an iterator that must be closed.
public final class CorpusTexts implements Iterator<byte[]>, AutoCloseable {
    /// Gives the next text, or null at the end.
    @FunctionalInterface
    private interface Source {
        byte[] next() throws IOException;
    }

    /// What is closed at the end.
    @FunctionalInterface
    private interface Closing {
        void close() throws IOException;
    }

    private final Source source;
    private final Closing closing;
    private byte[] next;

    private CorpusTexts(Source source, Closing closing) throws IOException {
        this.source = source;
        this.closing = closing;
        this.next = source.next();
    }

    /// Every document.
    public static CorpusTexts all(Corpus corpus) throws IOException {
        DocumentReader reader = corpus.open();
        return new CorpusTexts(
                () -> {
                    Document document = reader.next();
                    return document == null ? null : document.text();
                },
                reader::close);
    }

    /// The first documents of files; none where there are no files.
    public static List<byte[]> first(List<Path> files, int most) throws IOException {
        List<byte[]> read = new ArrayList<>();
        if (files.isEmpty()) {
            return read;
        }
        try (CorpusTexts texts = all(Corpus.of(files))) {
            while (read.size() < most && texts.hasNext()) {
                read.add(texts.next());
            }
        }
        return read;
    }

    /// What a rule leaves to train on.
    public static CorpusTexts forTraining(Corpus corpus, HeldOut rule) throws IOException {
        SplitReader reader = rule.open(corpus);
        return new CorpusTexts(
                () -> {
                    SplitReader.Piece piece = reader.next();
                    while (piece != null && piece.heldOut()) {
                        piece = reader.next();
                    }
                    return piece == null ? null : piece.text();
                },
                reader::close);
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public byte[] next() {
        if (next == null) {
            throw new NoSuchElementException();
        }
        byte[] text = next;
        try {
            next = source.next();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text;
    }

    @Override
    public void close() throws IOException {
        closing.close();
    }
}
