package ai.epitome.text;

import ai.epitome.text.split.Utf8;
import java.util.Arrays;

/// Joins characters into tokens as SentencePiece's BPE does (Kudo and Richardson, 2018): of all adjacent pairs whose
/// joined text is a token, the one of the highest score first, the leftmost of equals, until no two make a token.
///
/// Unlike byte-level merges, a pair is found by its text and not by its halves, which need not be tokens themselves.
/// A heap over a linked list, O(n log n). Not thread-safe.
final class ScoreMerger {
    private static final int GONE = -2;

    private final TokenTable table;
    private final int[] rank;
    private final LongHeap heap = new LongHeap();
    private byte[] text = {};
    /// Where each symbol begins; the text's end follows the last.
    private int[] start = new int[64];

    private int[] next = new int[64];
    private int[] previous = new int[64];
    private int count;

    /// What becomes of a symbol that nothing was joined to and that is no token.
    @FunctionalInterface
    interface Unspelled {
        void range(int from, int to);
    }

    /// @param table tokens that may be made
    /// @param rank of each id: lower is joined first
    ScoreMerger(TokenTable table, int[] rank) {
        this.table = table;
        this.rank = rank;
    }

    /// Appends the ids of `text[from, to)`.
    void merge(byte[] text, int from, int to, IntList output, Unspelled unspelled) {
        this.text = text;
        split(from, to);
        heap.clear();
        for (int i = 0; i + 1 < count; i++) {
            offer(i);
        }
        while (!heap.isEmpty()) {
            join(heap.pop());
        }
        for (int i = 0; i < count; i = next[i]) {
            int id = table.find(text, start[i], start[next[i]]);
            if (id == TokenTable.ABSENT) {
                unspelled.range(start[i], start[next[i]]);
            } else {
                output.add(id);
            }
        }
    }

    /// One symbol for each character, and for each byte that is in none.
    private void split(int from, int to) {
        count = 0;
        for (int at = from; at < to; at += Math.max(1, Utf8.sequenceLength(text, at, to))) {
            if (count + 1 == start.length) {
                grow();
            }
            start[count] = at;
            next[count] = count + 1;
            previous[count] = count - 1;
            count++;
        }
        start[count] = to;
    }

    private void grow() {
        int length = Math.addExact(start.length, start.length >> 1);
        start = Arrays.copyOf(start, length);
        next = Arrays.copyOf(next, length);
        previous = Arrays.copyOf(previous, length);
    }

    /// The token that the symbol and the one after it make, or [TokenTable#ABSENT].
    private int pairAt(int left) {
        int right = next[left];
        return right >= count ? TokenTable.ABSENT : table.find(text, start[left], start[next[right]]);
    }

    private void offer(int left) {
        int id = pairAt(left);
        if (id != TokenTable.ABSENT) {
            heap.push((long) rank[id] << Integer.SIZE | left);
        }
    }

    private void join(long entry) {
        int left = (int) entry;
        if (previous[left] == GONE) {
            return;
        }
        int id = pairAt(left);
        if (id == TokenTable.ABSENT || rank[id] != (int) (entry >>> Integer.SIZE)) {
            return; // the pair here is another by now
        }
        int right = next[left];
        previous[right] = GONE;
        next[left] = next[right];
        if (next[left] < count) {
            previous[next[left]] = left;
            offer(left);
        }
        if (previous[left] >= 0) {
            offer(previous[left]);
        }
    }
}
