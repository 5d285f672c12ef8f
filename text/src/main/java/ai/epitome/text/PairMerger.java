package ai.epitome.text;

import ai.epitome.text.split.Utf8;
import java.util.Arrays;

/// Joins characters into tokens as Hugging Face's BPE does with SentencePiece's vocabularies: what is no token becomes
/// its bytes first, then of all adjacent pairs that have a merge the one of lowest rank is joined, the leftmost of
/// equals, until none has.
///
/// Unlike [ScoreMerger], halves have to be tokens. A heap over a linked list, O(n log n). Not thread-safe.
final class PairMerger {
    private static final int GONE = -1;

    private final TokenTable characters;
    private final int[] idOfByte;
    private final int unknown;
    private final MergeTable merges;
    private final LongHeap heap = new LongHeap();
    private int[] ids = new int[64];
    private int[] next = new int[64];
    private int[] previous = new int[64];
    private int count;

    /// @param characters where characters are found
    /// @param idOfByte tokens of single bytes, -1 where there is none
    /// @param unknown token of characters without either
    PairMerger(TokenTable characters, int[] idOfByte, int unknown, MergeTable merges) {
        this.characters = characters;
        this.idOfByte = idOfByte;
        this.unknown = unknown;
        this.merges = merges;
    }

    /// Appends the ids of `text[from, to)`.
    void merge(byte[] text, int from, int to, IntList output) {
        count = 0;
        for (int at = from; at < to; ) {
            int end = at + Math.max(1, Utf8.sequenceLength(text, at, to));
            character(text, at, end);
            at = end;
        }
        link();
        while (!heap.isEmpty()) {
            join(heap.pop());
        }
        for (int i = 0; i < count; i = next[i]) {
            output.add(ids[i]);
        }
    }

    private void character(byte[] text, int from, int to) {
        int id = characters.find(text, from, to);
        if (id != TokenTable.ABSENT) {
            add(id);
            return;
        }
        boolean bytes = true;
        for (int at = from; at < to; at++) {
            bytes &= idOfByte[text[at] & 0xFF] >= 0;
        }
        if (bytes) {
            for (int at = from; at < to; at++) {
                add(idOfByte[text[at] & 0xFF]);
            }
        } else if (count == 0 || ids[count - 1] != unknown) {
            add(unknown); // one for a whole run
        }
    }

    private void add(int id) {
        if (count == ids.length) {
            int length = Math.addExact(count, count >> 1);
            ids = Arrays.copyOf(ids, length);
            next = Arrays.copyOf(next, length);
            previous = Arrays.copyOf(previous, length);
        }
        ids[count++] = id;
    }

    private void link() {
        heap.clear();
        for (int i = 0; i < count; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        for (int i = 0; i + 1 < count; i++) {
            offer(i);
        }
    }

    private long pairAt(int left) {
        return next[left] >= count ? MergeTable.ABSENT : merges.find(ids[left], ids[next[left]]);
    }

    private void offer(int left) {
        long found = pairAt(left);
        if (found != MergeTable.ABSENT) {
            heap.push(found >>> Integer.SIZE << Integer.SIZE | left);
        }
    }

    private void join(long entry) {
        int left = (int) entry;
        if (ids[left] == GONE) {
            return;
        }
        long found = pairAt(left);
        if (found == MergeTable.ABSENT || found >>> Integer.SIZE != entry >>> Integer.SIZE) {
            return; // the pair here is another by now
        }
        int right = next[left];
        ids[left] = (int) found;
        ids[right] = GONE;
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
