package ai.epitome.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;

/// Learns merges from counted words: see [BytePairTrainer].
///
/// All distinct words lie in one array, a slot for each byte. A token's id is in its first slot. Its last one holds
/// where it begins, negated, so that the neighbours on both sides are found without links; those between are negative,
/// too:
///
/// ```
/// END  t h e r e  END      "th" merged:  END  [th] ~1 e r e  END      then "the":  END  [the] ~1 ~1 r e  END
/// ```
///
/// A pair knows the places where it may stand. All of them are noted while the younger of its tokens is made: later
/// merges only take places away. So a merge costs as much as it has places, however long the words, and pairs wait in
/// a heap whose entries may overstate a count: one that turns out stale when it comes up goes back with its true count.
final class MergeLearner {
    private static final int BYTES = 256;
    /// Stands between words. No place is so high that its negation would be this.
    private static final int END = Integer.MIN_VALUE;

    /// A pair as it was when it entered the heap.
    private record Candidate(TokenPair pair, long count) {}

    private final byte[][] tokens;
    private int size = BYTES;
    private final int[] slots;
    private final int[] wordAt; // of each slot
    private final long[] counts; // of each word
    private final TokenPairs pairs = new TokenPairs();
    private final List<TokenPair> created = new ArrayList<>(); // by the merge under way
    private final PriorityQueue<Candidate> heap = new PriorityQueue<>(this::compare);
    private final IntList merges = new IntList(); // left, right of each

    /// @param most tokens, the bytes included
    /// @throws IllegalArgumentException if the words are too many for an array
    private MergeLearner(WordCounts words, int most) {
        tokens = new byte[most][];
        for (int b = 0; b < BYTES; b++) {
            tokens[b] = new byte[] {(byte) b};
        }
        long length = words.bytes() + words.size() + 1;
        if (length > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "the text has %,d different pieces of %,d bytes together, which is too much to learn a vocabulary from; give less text"
                            .formatted(words.size(), words.bytes()));
        }
        slots = new int[(int) length];
        wordAt = new int[slots.length];
        counts = new long[words.size()];
        layOut(words);
    }

    /// The merges of the most frequent pairs, until there are `most` tokens or no more pairs.
    static MergeLearner learn(WordCounts words, int most) {
        MergeLearner learner = new MergeLearner(words, most);
        learner.run();
        return learner;
    }

    /// The tokens in the order of their ids.
    byte[][] tokens() {
        return Arrays.copyOf(tokens, size);
    }

    /// Left and right of each merge, in turn.
    IntList merges() {
        return merges;
    }

    private void layOut(WordCounts words) {
        slots[0] = END;
        int[] next = {1, 0}; // slot, word
        words.forEach((word, count) -> {
            int from = next[0];
            for (int i = 0; i < word.length; i++) {
                slots[from + i] = word[i] & 0xFF;
                wordAt[from + i] = next[1];
            }
            slots[from + word.length] = END;
            counts[next[1]++] = count;
            next[0] += word.length + 1;
        });
    }

    private void run() {
        for (int place = 1; place + 1 < slots.length; place++) {
            if (slots[place] != END && slots[place + 1] != END) {
                count(slots[place], slots[place + 1], place, counts[wordAt[place]]);
            }
        }
        waitInHeap();
        while (size < tokens.length && !heap.isEmpty()) {
            Candidate best = heap.poll();
            if (best.count == best.pair.count) {
                merge(best.pair);
            } else if (best.pair.count > 0) {
                heap.add(new Candidate(best.pair, best.pair.count));
            }
        }
    }

    /// Notes that a pair stands somewhere.
    private void count(int left, int right, int place, long times) {
        TokenPair pair = pairs.get(left, right);
        if (pair == null) {
            pair = new TokenPair(left, right);
            pairs.add(pair);
            created.add(pair);
        }
        pair.places.add(place);
        pair.count += times;
    }

    private void waitInHeap() {
        for (TokenPair pair : created) {
            if (pair.count > 0) { // else a second merge beside the first has taken it away again
                heap.add(new Candidate(pair, pair.count));
            }
        }
        created.clear();
    }

    private void merge(TokenPair pair) {
        byte[] left = tokens[pair.left];
        byte[] right = tokens[pair.right];
        byte[] token = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, token, left.length, right.length);
        tokens[size] = token;
        merges.add(pair.left);
        merges.add(pair.right);
        for (int i = 0; i < pair.places.size(); i++) {
            int place = pair.places.get(i);
            if (slots[place] == pair.left && slots[place + left.length] == pair.right) {
                merge(place, place + left.length, place + token.length);
            }
        }
        pair.count = 0; // and its tokens never meet again
        pair.places.clear();
        size++;
        waitInHeap();
    }

    /// Makes one token of those at `first` and `second`, which end before `after`.
    private void merge(int first, int second, int after) {
        long times = counts[wordAt[first]];
        int before = slots[first - 1];
        int previous = before >= 0 ? first - 1 : ~before;
        if (before != END) {
            pairs.get(slots[previous], slots[first]).count -= times;
        }
        if (slots[after] != END) {
            pairs.get(slots[second], slots[after]).count -= times;
        }
        slots[first] = size;
        slots[second] = ~first;
        slots[after - 1] = ~first;
        if (before != END) {
            count(slots[previous], size, previous, times);
        }
        if (slots[after] != END) {
            count(size, slots[after], first, times);
        }
    }

    /// The most frequent first; among equals the greater in byte order, and of the same bytes the older.
    private int compare(Candidate a, Candidate b) {
        int order = Long.compare(b.count, a.count);
        if (order == 0) {
            order = Arrays.compareUnsigned(tokens[b.pair.left], tokens[a.pair.left]);
        }
        if (order == 0) {
            order = Arrays.compareUnsigned(tokens[b.pair.right], tokens[a.pair.right]);
        }
        if (order == 0) {
            order = Integer.compare(a.pair.left, b.pair.left);
        }
        return order == 0 ? Integer.compare(a.pair.right, b.pair.right) : order;
    }
}
