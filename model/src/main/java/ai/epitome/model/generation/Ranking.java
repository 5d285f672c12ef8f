package ai.epitome.model.generation;

import java.util.Arrays;

/// Token ids by falling logit, the lower id first among equals. Only as many as asked for are ever sorted: vocabularies
/// are large and few candidates matter.
final class Ranking {
    /// Each key orders as (logit, -id): the logit's bits made monotonic in the upper half, the complemented id below.
    private final long[] keys;
    /// Keys before this index are the largest, in falling order.
    private int sorted;

    Ranking(float[] logits) {
        keys = new long[logits.length];
        for (int id = 0; id < logits.length; id++) {
            int bits = Float.floatToIntBits(logits[id] + 0f); // +0 makes -0 equal to 0
            int monotonic = bits ^ (bits >> 31 & 0x7FFF_FFFF);
            keys[id] = (long) monotonic << 32 | (~id & 0xFFFF_FFFFL);
        }
    }

    int size() {
        return keys.length;
    }

    /// The id of rank `rank`, 0 for the largest logit.
    int id(int rank) {
        if (rank >= sorted) {
            sort(Math.min(keys.length, Math.max(64, 4 * (rank + 1))));
        }
        return ~(int) keys[rank];
    }

    private void sort(int count) {
        select(sorted, keys.length, count);
        Arrays.sort(keys, sorted, count);
        for (int i = sorted, j = count - 1; i < j; i++, j--) {
            swap(i, j);
        }
        sorted = count;
    }

    /// Moves the largest keys of `[from, to)` before index `count` (Hoare 1961, quickselect with the median of three).
    private void select(int from, int to, int count) {
        int low = from;
        int high = to - 1;
        while (low < high) {
            long pivot = median(keys[low], keys[(low + high) >>> 1], keys[high]);
            int i = low;
            int j = high;
            while (i <= j) {
                while (keys[i] > pivot) {
                    i++;
                }
                while (keys[j] < pivot) {
                    j--;
                }
                if (i <= j) {
                    swap(i++, j--);
                }
            }
            if (count - 1 <= j) {
                high = j;
            } else if (count - 1 >= i) {
                low = i;
            } else {
                return;
            }
        }
    }

    private static long median(long a, long b, long c) {
        return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    }

    private void swap(int i, int j) {
        long key = keys[i];
        keys[i] = keys[j];
        keys[j] = key;
    }
}
