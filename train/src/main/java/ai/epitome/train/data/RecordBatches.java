package ai.epitome.train.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Rows that hold one [Example] each, for losses that compare whole texts. The rows of a record (a pair's two answers)
/// follow one another, and all of a record is in one batch.
///
/// ```
/// record 7 | prompt and one answer      |filler|
///          | prompt and another |filler        |
/// record 2 | ...
/// ```
///
/// The cursor counts records. As with [BatchStream] a batch is a function of the records, the seed and the cursor;
/// each epoch has an order of its own. A batch is as long as its longest row, so records of like length are put
/// together: an epoch's order is cut into stretches of [#STRETCH] batches, and each is sorted.
public final class RecordBatches {
    /// Batches whose records are sorted by length. Padding falls; the order stays random from stretch to stretch.
    private static final int STRETCH = 16;
    /// Rows have a multiple of this many tokens: products work on blocks.
    private static final int BLOCK = 16;

    private final List<List<Example>> records;
    private final TokenTable table;
    private final long seed;
    private final int batchRecords;

    /// @param records of one example or more, and of equally many each
    /// @param table of the tokenizer
    /// @param seed of the order
    /// @param batchRecords how many records are in a batch
    /// @throws CorpusException if there is no record
    public RecordBatches(List<List<Example>> records, TokenTable table, long seed, int batchRecords)
            throws CorpusException {
        if (records.isEmpty()) {
            throw new CorpusException("there is no record to learn from");
        }
        this.records = List.copyOf(records);
        this.table = table;
        this.seed = seed;
        this.batchRecords = batchRecords;
    }

    /// Records in one epoch.
    public int count() {
        return records.size();
    }

    /// The batch from a cursor on, which is a multiple of the batch's records.
    public Batch batch(long cursor) {
        long size = (long) STRETCH * batchRecords;
        long stretch = cursor / size;
        List<Integer> numbers = new ArrayList<>();
        for (long place = stretch * size; place < (stretch + 1) * size; place++) {
            long epoch = place / records.size();
            numbers.add((int) new Permutation(records.size(), seed, epoch).apply(place % records.size()));
        }
        numbers.sort(Comparator.comparingInt(this::longest)); // stable
        long chunk = new Permutation(STRETCH, seed, stretch).apply(cursor % size / batchRecords);
        int from = (int) chunk * batchRecords;
        return of(numbers.subList(from, from + batchRecords));
    }

    /// The records from `from` up to below `to` in their own order, for scoring them.
    public Batch inOrder(int from, int to) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = from; i < to; i++) {
            numbers.add(i);
        }
        return of(numbers);
    }

    private int longest(int record) {
        return records.get(record).stream()
                .mapToInt(example -> example.tokens().length)
                .max()
                .orElseThrow();
    }

    private Batch of(List<Integer> numbers) {
        int longest = numbers.stream().mapToInt(this::longest).max().orElseThrow();
        int length = Math.ceilDiv(longest, BLOCK) * BLOCK;
        int each = records.getFirst().size();
        int rows = numbers.size() * each;
        int[] inputs = new int[rows * length];
        int[] targets = new int[rows * length];
        int[] starts = new int[rows * length];
        int[] numberOfRow = new int[rows];
        Arrays.fill(inputs, table.endOfText().orElse(0));
        Arrays.fill(targets, Batch.NO_TARGET);
        long bytes = 0;
        for (int row = 0; row < rows; row++) {
            numberOfRow[row] = numbers.get(row / each);
            Example example = records.get(numberOfRow[row]).get(row % each);
            bytes += fill(example, row, length, inputs, targets, starts);
        }
        return new Batch(rows, length, inputs, targets, starts, bytes, numberOfRow);
    }

    /// Puts an example into a row. Returns the bytes of its targets.
    private long fill(Example example, int row, int length, int[] inputs, int[] targets, int[] starts) {
        int[] tokens = example.tokens();
        System.arraycopy(tokens, 0, inputs, row * length, tokens.length);
        long bytes = 0;
        for (int t = 0; t + 1 < tokens.length; t++) {
            if (example.learned()[t + 1]) {
                targets[row * length + t] = tokens[t + 1];
                bytes += table.byteLengths()[tokens[t + 1]];
            }
        }
        for (int t = tokens.length; t < length; t++) {
            starts[row * length + t] = t; // filler sees itself alone
        }
        return bytes;
    }
}
