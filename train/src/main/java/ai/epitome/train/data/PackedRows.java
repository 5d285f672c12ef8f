package ai.epitome.train.data;

import java.util.Arrays;

/// Rows that hold segments of documents side by side.
///
/// A document whose pairs (input, next token) are more than T is cut into pieces of T from its beginning.
/// Pieces share rows as [Packing] says. Rows are the same in each epoch. Takes 16 bytes of memory a
/// segment.
///
/// With an end-of-text token `E` a document's inputs begin with `E` and its last target is the next `E`.
/// Without one, its last token is only a target.
final class PackedRows implements BatchStream.Rows {
    private final TokenShards shards;
    private final int length;
    private final int filler;
    // Segments of row r: rowStart[r] .. rowStart[r + 1] - 1.
    private final int[] rowStart;
    private final long[] firstToken;
    private final int[] segmentLength;

    private PackedRows(TokenShards shards, int length, int[] rowStart, long[] firstToken, int[] segmentLength) {
        this.shards = shards;
        this.length = length;
        this.filler = shards.table().endOfText().orElse(0);
        this.rowStart = rowStart;
        this.firstToken = firstToken;
        this.segmentLength = segmentLength;
    }

    static PackedRows of(TokenShards shards, int length) throws CorpusException {
        Segments segments = Segments.of(shards, length);
        if (segments.count == 0) {
            throw new CorpusException("the training text has no document with a token to predict; give more text");
        }
        Packing packing = Packing.bestFit(Arrays.copyOf(segments.length, segments.count), length);
        long[] firstToken = new long[segments.count];
        int[] segmentLength = new int[segments.count];
        for (int place = 0; place < segments.count; place++) {
            int segment = packing.segments()[place];
            firstToken[place] = segments.first[segment];
            segmentLength[place] = segments.length[segment];
        }
        return new PackedRows(shards, length, packing.rowStart(), firstToken, segmentLength);
    }

    @Override
    public long count() {
        return rowStart.length - 1;
    }

    @Override
    public boolean hasSegments() {
        return true;
    }

    @Override
    public void fill(long epoch, long row, int[] inputs, int[] targets, int[] starts, int offset) {
        int at = 0;
        for (int i = rowStart[(int) row]; i < rowStart[(int) row + 1]; i++) {
            int size = segmentLength[i];
            shards.read(firstToken[i], size, inputs, offset + at);
            shards.read(firstToken[i] + 1, size, targets, offset + at);
            Arrays.fill(starts, offset + at, offset + at + size, at);
            at += size;
        }
        for (; at < length; at++) {
            inputs[offset + at] = filler;
            targets[offset + at] = Batch.NO_TARGET;
            // Sees itself alone: attention over nothing would divide by zero.
            starts[offset + at] = at;
        }
    }

    /// All segments in the order of the text.
    private static final class Segments {
        private long[] first = new long[1024];
        private int[] length = new int[1024];
        private int count;

        static Segments of(TokenShards shards, int rowLength) throws CorpusException {
            Segments segments = new Segments();
            boolean endOfText = shards.table().endOfText().isPresent();
            long start = shards.documentStart(0);
            for (long document = 0; document < shards.documents(); document++) {
                long end = shards.documentStart(document + 1);
                long pairs = end - start - (endOfText ? 0 : 1);
                for (long done = 0; done < pairs; done += rowLength) {
                    segments.add(start + done, (int) Math.min(rowLength, pairs - done));
                }
                start = end;
            }
            return segments;
        }

        private void add(long firstToken, int size) throws CorpusException {
            if (count == first.length) {
                if (count > 1 << 29) {
                    throw new CorpusException(
                            "more than %,d segments to pack; train on windows instead".formatted(count));
                }
                first = Arrays.copyOf(first, 2 * count);
                length = Arrays.copyOf(length, 2 * count);
            }
            first[count] = firstToken;
            length[count++] = size;
        }
    }
}
