package ai.epitome.train.data;

import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/// Turns a split corpus into token shards: one thread reads, several tokenise, the reading thread writes in order.
final class DatasetBuilder {
    /// A shard is closed at the end of the document with which it reaches this many tokens.
    private static final long SHARD_TOKENS = 1L << 26;

    // Small documents travel together, so that handing them over costs little beside tokenising them.
    private static final int GROUP_BYTES = 1 << 18;
    // Text waiting to be tokenised or written, over all threads. Its tokens take four times as much.
    private static final long BYTES_IN_FLIGHT = 64L << 20;

    private record Tokenised(boolean heldOut, int[] ids) {}

    private record Group(long bytes, Future<List<Tokenised>> result) {}

    private final Path folder;
    private final TokenTable table;
    private final String content;
    private final int threads;
    private final LongConsumer progress;
    private long bytesDone;

    DatasetBuilder(Path folder, TokenTable table, String content, int threads, LongConsumer progress) {
        this.folder = folder;
        this.table = table;
        this.content = content;
        this.threads = threads;
        this.progress = progress;
    }

    void build(Corpus corpus, HeldOut rule, Tokenizer tokenizer) throws IOException {
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("tokenise-", 0).factory());
        try (Side train = new Side("train");
                Side heldOut = new Side("held-out");
                SplitReader reader = rule.open(corpus)) {
            ArrayDeque<Group> groups = new ArrayDeque<>();
            long inFlight = 0;
            for (List<SplitReader.Piece> pieces = nextGroup(reader); !pieces.isEmpty(); pieces = nextGroup(reader)) {
                List<SplitReader.Piece> work = pieces;
                long bytes =
                        work.stream().mapToLong(piece -> piece.text().length).sum();
                groups.add(new Group(bytes, pool.submit(() -> tokenise(work, tokenizer))));
                inFlight += bytes;
                while (inFlight > BYTES_IN_FLIGHT && groups.size() > 1 || groups.size() > 8 * threads) {
                    inFlight -= write(groups.remove(), train, heldOut);
                }
            }
            while (!groups.isEmpty()) {
                write(groups.remove(), train, heldOut);
            }
            train.finish();
            heldOut.finish();
        } finally {
            pool.shutdownNow();
        }
    }

    private static List<SplitReader.Piece> nextGroup(SplitReader reader) throws IOException {
        List<SplitReader.Piece> pieces = new ArrayList<>();
        long bytes = 0;
        while (bytes < GROUP_BYTES) {
            SplitReader.Piece piece = reader.next();
            if (piece == null) {
                break;
            }
            pieces.add(piece);
            bytes += piece.text().length;
        }
        return pieces;
    }

    private List<Tokenised> tokenise(List<SplitReader.Piece> pieces, Tokenizer tokenizer) throws CorpusException {
        List<Tokenised> done = new ArrayList<>(pieces.size());
        for (SplitReader.Piece piece : pieces) {
            int[] ids = tokenizer.encode(piece.text());
            long bytes = 0;
            for (int id : ids) {
                bytes += table.byteLengths()[id];
            }
            if (bytes != piece.text().length) {
                throw new CorpusException(
                        "the tokenizer does not keep text byte for byte: it turned a text of %,d bytes into tokens of %,d bytes, so bits per byte would be wrong; use one that does (a byte-level BPE without normalisation)"
                                .formatted(piece.text().length, bytes));
            }
            done.add(new Tokenised(piece.heldOut(), ids));
        }
        return done;
    }

    private long write(Group group, Side train, Side heldOut) throws IOException {
        try {
            for (Tokenised document : group.result.get()) {
                (document.heldOut ? heldOut : train).write(document.ids);
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while tokenising", e);
        }
        bytesDone += group.bytes;
        progress.accept(bytesDone);
        return group.bytes;
    }

    /// The shards of one side, written one after another.
    private final class Side implements AutoCloseable {
        private final String name;
        private TokenShardWriter shard;
        private int shards;

        Side(String name) {
            this.name = name;
        }

        void write(int[] ids) throws IOException {
            if (shard != null && shard.tokens() >= SHARD_TOKENS) {
                shard.finish();
                close();
            }
            if (shard == null) {
                shard = new TokenShardWriter(
                        folder.resolve("%s-%05d.tokens".formatted(name, shards++)), table, content);
            }
            shard.beginDocument();
            writeEndOfText();
            shard.write(ids);
        }

        void finish() throws IOException {
            if (shard == null) {
                throw new CorpusException("the held-out rule leaves no text on the side \"" + name
                        + "\"; give more text, or another held-out fraction");
            }
            writeEndOfText();
            shard.finish();
        }

        private void writeEndOfText() throws IOException {
            if (table.endOfText().isPresent()) {
                shard.write(table.endOfText().getAsInt());
            }
        }

        @Override
        public void close() throws IOException {
            if (shard != null) {
                shard.close();
                shard = null;
            }
        }
    }
}
