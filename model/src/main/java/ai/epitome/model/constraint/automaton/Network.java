package ai.epitome.model.constraint.automaton;

import java.util.Arrays;

/// A grammar as nodes over bytes: a recursive transition network (Woods 1970). Every rule, and the body of
/// every counted repetition, is a fragment that ends at [#END].
///
/// | kind | `a` | `b` | edges |
/// |---|---|---|---|
/// | END | | | |
/// | BYTES | | | `low | high << 8`, target: a byte leads to each target whose range holds it |
/// | SPLIT | | | targets: goes on at each without a byte |
/// | CALL | first node of the other rule | node to return to | |
/// | LOOP | first node of the body | node behind it | smallest and largest number of rounds |
///
/// Counted repetitions are nodes with a counter instead of copies of their body, so that `x{1,1000000}` costs nothing
/// before it is used.
public final class Network {
    static final int END = 0;

    /// Kinds of nodes.
    enum Kind {
        END,
        BYTES,
        SPLIT,
        CALL,
        LOOP
    }

    /// A distance that no text has: nothing leads to the end.
    static final long NEVER = Long.MAX_VALUE / 4;

    final Kind[] kind;
    final int[] a;
    final int[] b;
    /// Where a node's edges begin; they end where the next node's begin.
    final int[] firstEdge;
    final int[] edges;
    final int start;
    /// Bytes of the shortest text from a node to the end of its fragment.
    final long[] distance;
    /// Bytes that no edge tells apart have the same class.
    final byte[] classOf = new byte[256];
    /// One byte of each class.
    final int[] byteOf;

    Network(Kind[] kind, int[] a, int[] b, int[] firstEdge, int[] edges, int start) {
        this.kind = kind;
        this.a = a;
        this.b = b;
        this.firstEdge = firstEdge;
        this.edges = edges;
        this.start = start;
        this.distance = new ShortestTexts(this).distances();
        this.byteOf = classify();
    }

    private int[] classify() {
        boolean[] begins = new boolean[257];
        for (int node = 0; node < kind.length; node++) {
            if (kind[node] == Kind.BYTES) {
                for (int e = firstEdge[node]; e < firstEdge[node + 1]; e += 2) {
                    begins[edges[e] & 0xFF] = true;
                    begins[(edges[e] >> 8) + 1] = true;
                }
            }
        }
        int[] first = new int[256];
        int count = 0;
        for (int value = 0; value < 256; value++) {
            if (value == 0 || begins[value]) {
                first[count++] = value;
            }
            classOf[value] = (byte) (count - 1);
        }
        return Arrays.copyOf(first, count);
    }

    int size() {
        return kind.length;
    }

    /// Bytes of the shortest text.
    public long shortest() {
        return distance[start];
    }

    int minimum(int loop) {
        // empty rounds would count: a body that may be empty can do any number of them without a byte
        return distance[a[loop]] == 0 ? 0 : edges[firstEdge[loop]];
    }

    int maximum(int loop) {
        return edges[firstEdge[loop] + 1];
    }
}
