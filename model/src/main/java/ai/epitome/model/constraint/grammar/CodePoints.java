package ai.epitome.model.constraint.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// A set of Unicode scalar values: never surrogates, which UTF-8 cannot spell.
public final class CodePoints {
    private static final int LAST = 0x10FFFF;
    static final CodePoints ALL = of(0, 0xD7FF, 0xE000, LAST);
    static final CodePoints NONE = of();

    /// First and last of each range; the ranges ascend and do not touch.
    private final int[] bounds;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
    }

    /// @param ranges first and last of each, in any order
    public static CodePoints of(int... ranges) {
        long[] sorted = new long[ranges.length / 2];
        for (int i = 0; i < sorted.length; i++) {
            sorted[i] = (long) ranges[2 * i] << 32 | ranges[2 * i + 1];
        }
        Arrays.sort(sorted);
        int[] merged = new int[ranges.length + 2];
        int count = 0;
        for (long range : sorted) {
            int from = (int) (range >>> 32);
            int to = (int) range;
            if (from > to) {
                continue;
            }
            if (count > 0 && from <= merged[count - 1] + 1) {
                merged[count - 1] = Math.max(merged[count - 1], to);
            } else {
                merged[count++] = from;
                merged[count++] = to;
            }
        }
        return withoutSurrogates(Arrays.copyOf(merged, count));
    }

    private static CodePoints withoutSurrogates(int[] bounds) {
        int[] kept = new int[bounds.length + 2];
        int count = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            count = add(kept, count, bounds[i], Math.min(bounds[i + 1], 0xD7FF));
            count = add(kept, count, Math.max(bounds[i], 0xE000), bounds[i + 1]);
        }
        return new CodePoints(Arrays.copyOf(kept, count));
    }

    private static int add(int[] target, int count, int from, int to) {
        if (from > to) {
            return count;
        }
        target[count] = from;
        target[count + 1] = to;
        return count + 2;
    }

    static CodePoints of(String characters) {
        return of(characters.codePoints().flatMap(c -> IntStream.of(c, c)).toArray());
    }

    /// All characters for which `member` says so; it is asked for each of Unicode's code points.
    public static CodePoints where(IntPredicate member) {
        int[] ranges = new int[64];
        int count = 0;
        int from = -1;
        for (int c = 0; c <= LAST + 1; c++) {
            boolean in = c <= LAST && member.test(c);
            if (in && from < 0) {
                from = c;
            } else if (!in && from >= 0) {
                if (count == ranges.length) {
                    ranges = Arrays.copyOf(ranges, 2 * count);
                }
                count = add(ranges, count, from, c - 1);
                from = -1;
            }
        }
        return of(Arrays.copyOf(ranges, count));
    }

    int ranges() {
        return bounds.length / 2;
    }

    int from(int range) {
        return bounds[2 * range];
    }

    int to(int range) {
        return bounds[2 * range + 1];
    }

    boolean isEmpty() {
        return bounds.length == 0;
    }

    public boolean contains(int c) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (c >= bounds[i] && c <= bounds[i + 1]) {
                return true;
            }
        }
        return false;
    }

    /// The ranges of the members in `[from, to]`.
    public List<int[]> within(int from, int to) {
        return within(bounds, from, to);
    }

    /// The same of any ranges that ascend and do not overlap.
    public static List<int[]> within(int[] bounds, int from, int to) {
        int at = Arrays.binarySearch(bounds, from);
        int first = at >= 0 ? at / 2 : (-at - 1) / 2;
        List<int[]> found = new ArrayList<>();
        for (int i = 2 * first; i < bounds.length && bounds[i] <= to; i += 2) {
            found.add(new int[] {Math.max(from, bounds[i]), Math.min(to, bounds[i + 1])});
        }
        return found;
    }

    CodePoints or(CodePoints other) {
        int[] both = Arrays.copyOf(bounds, bounds.length + other.bounds.length);
        System.arraycopy(other.bounds, 0, both, bounds.length, other.bounds.length);
        return of(both);
    }

    CodePoints not() {
        int[] gaps = new int[bounds.length + 2];
        int next = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            gaps[i] = next;
            gaps[i + 1] = bounds[i] - 1;
            next = bounds[i + 1] + 1;
        }
        gaps[bounds.length] = next;
        gaps[bounds.length + 1] = LAST;
        return of(gaps);
    }

    CodePoints and(CodePoints other) {
        return not().or(other.not()).not();
    }

    CodePoints minus(CodePoints other) {
        return not().or(other).not();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints set && Arrays.equals(bounds, set.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        return Arrays.toString(bounds);
    }
}
