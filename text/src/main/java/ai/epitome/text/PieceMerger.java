package ai.epitome.text;

/// Merges the bytes of one piece into tokens: of all adjacent pairs the one of lowest rank first, the leftmost of
/// equals, until no pair has a merge (Sennrich et al., 2016, section 3.2).
///
/// Short pieces look for the lowest rank by a scan, which costs O(n^2) but runs in the first-level cache; long ones
/// keep the pairs in a heap over a linked list, O(n log n). Results of [#merge] are appended; not thread-safe.
final class PieceMerger {
    private static final int PLACE_BITS = 6;

    /// About where the heap overtakes the scan.
    static final int LONGEST_SCAN = 1 << PLACE_BITS;

    private final BytePairVocabulary vocabulary;
    private final MergeTable merges;
    private final IntList output = new IntList(256);

    private int[] ids = new int[LONGEST_SCAN];
    /// What [MergeTable#find] gives for the pair that starts here.
    private final long[] pair = new long[LONGEST_SCAN];

    private int[] next = {};
    private int[] previous = {};
    private final LongHeap heap = new LongHeap();

    PieceMerger(BytePairVocabulary vocabulary) {
        this.vocabulary = vocabulary;
        this.merges = vocabulary.merges();
    }

    /// All ids appended since [#clear].
    IntList output() {
        return output;
    }

    void clear() {
        output.truncate(0);
    }

    int size() {
        return output.size();
    }

    int id(int index) {
        return output.get(index);
    }

    /// Appends the ids of the piece `text[from, to)`.
    void merge(byte[] text, int from, int to) {
        int length = to - from;
        if (ids.length < length) {
            ids = new int[length];
        }
        for (int i = 0; i < length; i++) {
            ids[i] = vocabulary.idOfByte(text[from + i]);
        }
        if (length <= LONGEST_SCAN) {
            for (int i = 0; i + 1 < length; i++) {
                pair[i] = merges.ofBytes(text[from + i], text[from + i + 1]);
            }
            output.addAll(ids, 0, mergeByScan(length));
        } else {
            mergeByHeap(length);
            for (int i = 0; i < length; i = next[i]) {
                output.add(ids[i]);
            }
            dropLargeArrays();
        }
    }

    /// Leaves the ids at the front of `ids` and returns how many.
    private int mergeByScan(int length) {
        int count = length;
        while (count > 1) {
            int least = leastRank(count);
            if (least >>> PLACE_BITS == MergeTable.NO_RANK) {
                return count;
            }
            int at = least & LONGEST_SCAN - 1;
            ids[at] = (int) pair[at];
            count--;
            System.arraycopy(ids, at + 2, ids, at + 1, count - at - 1);
            System.arraycopy(pair, at + 1, pair, at, count - at - 1);
            if (at > 0) {
                pair[at - 1] = merges.find(ids[at - 1], ids[at]);
            }
            if (at + 1 < count) {
                pair[at] = merges.find(ids[at], ids[at + 1]);
            }
        }
        return count;
    }

    /// `rank << PLACE_BITS | place` of the pair of lowest rank, the leftmost of equals: a minimum without branches.
    private int leastRank(int count) {
        int least = Integer.MAX_VALUE;
        for (int i = 0; i + 1 < count; i++) {
            least = Math.min(least, (int) (pair[i] >>> Integer.SIZE) << PLACE_BITS | i);
        }
        return least;
    }

    /// Leaves the ids in `ids` at 0, next[0], next[next[0]], ... up to `length`.
    private void mergeByHeap(int length) {
        next = new int[length];
        previous = new int[length];
        heap.clear();
        for (int i = 0; i < length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        for (int i = 0; i + 1 < length; i++) {
            offer(i, i + 1);
        }
        while (!heap.isEmpty()) {
            long best = heap.pop();
            int at = (int) best;
            int rank = (int) (best >>> Integer.SIZE);
            int after = next[at];
            // An entry is out of date when its left half was swallowed or the pair there is another by now.
            if (ids[at] < 0 || after >= length) {
                continue;
            }
            long found = merges.find(ids[at], ids[after]);
            if (found == MergeTable.ABSENT || (int) (found >>> Integer.SIZE) != rank) {
                continue;
            }
            ids[at] = (int) found;
            ids[after] = -1;
            next[at] = next[after];
            if (next[at] < length) {
                previous[next[at]] = at;
                offer(at, next[at]);
            }
            if (previous[at] >= 0) {
                offer(previous[at], at);
            }
        }
    }

    private void offer(int at, int after) {
        long found = merges.find(ids[at], ids[after]);
        if (found != MergeTable.ABSENT) {
            heap.push(found >>> Integer.SIZE << Integer.SIZE | at);
        }
    }

    /// One huge piece must not pin its memory for ever.
    private void dropLargeArrays() {
        if (ids.length > 1 << 16) {
            ids = new int[LONGEST_SCAN];
            heap.shrink();
        }
        next = new int[0];
        previous = new int[0];
    }
}
