package ai.epitome.text;

import java.util.Arrays;

/// Merges the bytes of one piece into tokens: of all adjacent pairs the one of lowest rank first, the leftmost of
/// equals, until no pair has a merge (Sennrich et al., 2016, section 3.2).
///
/// Short pieces look for the lowest rank by a scan, which costs O(n^2) but runs in the first-level cache; long ones
/// keep the pairs in a heap over a linked list, O(n log n). Results of [#merge] are appended; not thread-safe.
final class PieceMerger {
    /// Where the heap overtakes the scan, measured on random letters.
    static final int LONGEST_SCAN = 96;

    private static final long NONE = Long.MAX_VALUE;

    private final BytePairVocabulary vocabulary;
    private final MergeTable merges;
    private final IntList output = new IntList(256);

    private int[] ids = new int[LONGEST_SCAN];
    /// `rank << 32 | merged` of the pair that starts here, [#NONE] if it has no merge.
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
            output.addAll(ids, 0, mergeByScan(length));
        } else {
            mergeByHeap(length);
            for (int i = 0; i < length; i = next[i]) {
                output.add(ids[i]);
            }
            dropLargeArrays();
        }
    }

    private long pair(int left, int right) {
        long found = merges.find(left, right);
        return found == MergeTable.ABSENT ? NONE : found;
    }

    /// Leaves the ids at the front of `ids` and returns how many.
    private int mergeByScan(int length) {
        int count = length;
        for (int i = 0; i + 1 < count; i++) {
            pair[i] = pair(ids[i], ids[i + 1]);
        }
        while (count > 1) {
            int best = 0;
            for (int i = 1; i + 1 < count; i++) {
                // Equal ranks have equal results, so comparing the packed values compares the ranks.
                if (pair[i] < pair[best]) {
                    best = i;
                }
            }
            if (pair[best] == NONE) {
                return count;
            }
            ids[best] = (int) pair[best];
            count--;
            System.arraycopy(ids, best + 2, ids, best + 1, count - best - 1);
            System.arraycopy(pair, best + 1, pair, best, count - best - 1);
            if (best > 0) {
                pair[best - 1] = pair(ids[best - 1], ids[best]);
            }
            if (best + 1 < count) {
                pair[best] = pair(ids[best], ids[best + 1]);
            }
        }
        return count;
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

    /// A binary heap of longs, smallest first.
    private static final class LongHeap {
        private long[] items = new long[256];
        private int size;

        boolean isEmpty() {
            return size == 0;
        }

        void clear() {
            size = 0;
        }

        void shrink() {
            items = new long[256];
        }

        void push(long item) {
            if (size == items.length) {
                items = Arrays.copyOf(items, size * 2);
            }
            int at = size++;
            while (at > 0 && items[at - 1 >> 1] > item) {
                items[at] = items[at - 1 >> 1];
                at = at - 1 >> 1;
            }
            items[at] = item;
        }

        long pop() {
            long top = items[0];
            long last = items[--size];
            int at = 0;
            while (2 * at + 1 < size) {
                int child = 2 * at + 1;
                if (child + 1 < size && items[child + 1] < items[child]) {
                    child++;
                }
                if (items[child] >= last) {
                    break;
                }
                items[at] = items[child];
                at = child;
            }
            items[at] = last;
            return top;
        }
    }
}
