package ai.epitome.train.data;

import java.util.Arrays;
import java.util.BitSet;

/// Rows that hold segments of documents side by side.
///
/// A document whose pairs (input, next token) are more than T is cut into pieces of T from its beginning. What is
/// shorter than T, longest first, goes to the row with the least room that still takes it, else to a new row: best-fit
/// decreasing, as in Ding et al., "Fewer Truncations Improve Language Modeling" (2024). Rows are the same in each
/// epoch.
/// Takes 16 bytes of memory a segment.
///
/// With an end-of-text token `E` a document's inputs begin with `E` and its last target is the next `E`. Without one,
/// its
/// last token is only a target.
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
        int[] order = segments.longestFirst(length);
        int[] rowOf = bestFit(segments, order, length);
        int rows = Arrays.stream(rowOf).max().getAsInt() + 1;
        int[] rowStart = new int[rows + 1];
        for (int row : rowOf) {
            rowStart[row + 1]++;
        }
        Arrays.parallelPrefix(rowStart, Integer::sum);
        int[] next = Arrays.copyOf(rowStart, rows);
        long[] firstToken = new long[segments.count];
        int[] segmentLength = new int[segments.count];
        for (int i : order) {
            int place = next[rowOf[i]]++;
            firstToken[place] = segments.first[i];
            segmentLength[place] = segments.length[i];
        }
        return new PackedRows(shards, length, rowStart, firstToken, segmentLength);
    }

    /// The row of each segment.
    private static int[] bestFit(Segments segments, int[] order, int length) {
        int[] rowOf = new int[segments.count];
        // Rows with the same room left form a chain: newest[room], then older[row], ending with -1.
        int[] newest = new int[length + 1];
        int[] older = new int[segments.count];
        Arrays.fill(newest, -1);
        BitSet rooms = new BitSet(length + 1);
        int rows = 0;
        for (int i : order) {
            int size = segments.length[i];
            int room = rooms.nextSetBit(size);
            int row;
            if (room < 0) {
                room = length;
                row = rows++;
            } else {
                row = newest[room];
                newest[room] = older[row];
                rooms.set(room, newest[room] >= 0);
            }
            rowOf[i] = row;
            older[row] = newest[room - size];
            newest[room - size] = row;
            rooms.set(room - size);
        }
        return rowOf;
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

        /// Indices sorted by falling length, equal ones in the order of the text (counting sort).
        int[] longestFirst(int rowLength) {
            int[] place = new int[rowLength + 2];
            for (int i = 0; i < count; i++) {
                place[rowLength - length[i] + 1]++;
            }
            Arrays.parallelPrefix(place, Integer::sum);
            int[] order = new int[count];
            for (int i = 0; i < count; i++) {
                order[place[rowLength - length[i]]++] = i;
            }
            return order;
        }
    }
}
