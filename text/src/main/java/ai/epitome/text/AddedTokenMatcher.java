package ai.epitome.text;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/// Finds added tokens in text: the leftmost one, and of those that start there the longest.
final class AddedTokenMatcher {
    /// Bytes by id, null for ids that are not looked for.
    private final byte[][] tokens;

    private final TokenTable table;
    /// The lengths of the tokens that start with a byte, longest first.
    private final int[][] lengthsByFirstByte = new int[256][];

    AddedTokenMatcher(List<AddedToken> tokens) {
        int ids = tokens.stream().mapToInt(AddedToken::id).max().orElse(-1) + 1;
        this.tokens = new byte[ids][];
        for (AddedToken token : tokens) {
            this.tokens[token.id()] = token.bytes();
        }
        this.table = new TokenTable(this.tokens);
        var lengths = new HashMap<Byte, TreeSet<Integer>>();
        for (AddedToken token : tokens) {
            byte[] bytes = this.tokens[token.id()];
            lengths.computeIfAbsent(bytes[0], first -> new TreeSet<>(Comparator.reverseOrder()))
                    .add(bytes.length);
        }
        Arrays.fill(lengthsByFirstByte, new int[0]);
        lengths.forEach((first, set) -> lengthsByFirstByte[first & 0xFF] =
                set.stream().mapToInt(Integer::intValue).toArray());
    }

    /// Walks over `text[from, to)` from left to right: what lies between tokens goes to `plain`, their ids to `found`.
    void walk(byte[] text, int from, int to, RangeSink plain, IntConsumer found) {
        walk(text, from, to, (_, _) -> true, plain, found);
    }

    /// The same with all of a marked text, of which only tokens count that the template wrote.
    void walk(MarkedText.Bytes text, RangeSink plain, IntConsumer found) {
        walk(text.bytes(), 0, text.bytes().length, text::isTemplate, plain, found);
    }

    private void walk(byte[] text, int from, int to, RangeTest counts, RangeSink plain, IntConsumer found) {
        int done = from;
        int at = from;
        while (at < to) {
            int id = idAt(text, at, to, counts);
            if (id == TokenTable.ABSENT) {
                at++;
                continue;
            }
            if (at > done) {
                plain.range(done, at);
            }
            found.accept(id);
            at += tokens[id].length;
            done = at;
        }
        if (to > done) {
            plain.range(done, to);
        }
    }

    /// The id of the longest token that starts at `text[at]`, or [TokenTable#ABSENT].
    private int idAt(byte[] text, int at, int to, RangeTest counts) {
        for (int length : lengthsByFirstByte[text[at] & 0xFF]) {
            int id = length <= to - at && counts.test(at, at + length)
                    ? table.find(text, at, at + length)
                    : TokenTable.ABSENT;
            if (id != TokenTable.ABSENT) {
                return id;
            }
        }
        return TokenTable.ABSENT;
    }

    /// Whether what is found in `[from, to)` counts.
    @FunctionalInterface
    private interface RangeTest {
        boolean test(int from, int to);
    }

    /// A range of plain text, `[from, to)`.
    @FunctionalInterface
    interface RangeSink {
        void range(int from, int to);
    }
}
