package ai.epitome.compress.gpt;

import ai.epitome.text.Tokenizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// The tokens that stand for bytes, in the order of these: those that begin with the same bytes stand side by side, and
/// among them first what is no more than these bytes.
final class SortedTokens {
    private final int[] ids;
    private final byte[][] bytes;

    /// @param symbols ids below this count
    SortedTokens(Tokenizer tokenizer, int symbols) {
        byte[][] all = new byte[symbols][];
        Arrays.setAll(all, tokenizer::token);
        ids = IntStream.range(0, symbols)
                .filter(id -> all[id].length > 0)
                .boxed()
                .sorted(Comparator.comparing((Integer id) -> all[id], Arrays::compareUnsigned)
                        .thenComparing(Comparator.naturalOrder()))
                .mapToInt(Integer::intValue)
                .toArray();
        bytes = new byte[ids.length][];
        Arrays.setAll(bytes, i -> all[ids[i]]);
    }

    int size() {
        return ids.length;
    }

    int id(int place) {
        return ids[place];
    }

    /// Bytes of the token at a place.
    int length(int place) {
        return bytes[place].length;
    }

    /// The byte at `depth` of the token at a place, which has one there.
    int at(int place, int depth) {
        return bytes[place][depth] & 0xff;
    }

    /// The first place from `low` to `high` whose byte at `depth` is `value` or more: `high` where there is none. All
    /// these tokens begin with the same `depth` bytes and have one more.
    int find(int low, int high, int depth, int value) {
        int from = low;
        int to = high;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (at(middle, depth) < value) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }
}
