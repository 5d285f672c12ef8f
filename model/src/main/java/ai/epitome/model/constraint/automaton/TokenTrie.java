package ai.epitome.model.constraint.automaton;

import java.util.Arrays;
import java.util.List;

/// Tokens by their bytes, as a trie in preorder: a subtree that cannot be entered is jumped over.
///
/// | array | of node i |
/// |---|---|
/// | `value` | the byte that leads to it |
/// | `depth` | its depth, 1 for a first byte |
/// | `end` | the node behind its subtree |
/// | `firstToken` | where its tokens begin in `tokens`; they end where the next node's begin |
final class TokenTrie {
    final byte[] value;
    final int[] depth;
    final int[] end;
    final int[] firstToken;
    final int[] tokens;
    final int deepest;

    /// @param ids of the tokens
    /// @param bytes by id; none is empty
    TokenTrie(List<Integer> ids, byte[][] bytes) {
        Integer[] sorted = ids.toArray(Integer[]::new);
        Arrays.sort(sorted, (x, y) -> Arrays.compareUnsigned(bytes[x], bytes[y]));
        int size = count(sorted, bytes);
        value = new byte[size];
        depth = new int[size];
        end = new int[size];
        firstToken = new int[size + 1];
        tokens = Arrays.stream(sorted).mapToInt(id -> id).toArray();
        deepest = fill(sorted, bytes);
    }

    private static int count(Integer[] sorted, byte[][] bytes) {
        int size = 0;
        byte[] before = {};
        for (int id : sorted) {
            size += bytes[id].length - common(before, bytes[id]);
            before = bytes[id];
        }
        return size;
    }

    private static int common(byte[] x, byte[] y) {
        int mismatch = Arrays.mismatch(x, y);
        return mismatch < 0 ? x.length : mismatch;
    }

    private int fill(Integer[] sorted, byte[][] bytes) {
        int node = 0;
        int most = 0;
        byte[] before = {};
        int[] open = new int[16]; // nodes of the path, by depth
        for (int i = 0; i < sorted.length; i++) {
            byte[] own = bytes[sorted[i]];
            int common = common(before, own);
            for (int d = common; d < before.length; d++) {
                end[open[d]] = node;
            }
            if (own.length > open.length) {
                open = Arrays.copyOf(open, 2 * own.length);
            }
            for (int d = common; d < own.length; d++) {
                open[d] = node;
                value[node] = own[d];
                depth[node] = d + 1;
                firstToken[node] = i;
                node++;
            }
            most = Math.max(most, own.length);
            before = own;
        }
        for (int d = 0; d < before.length; d++) {
            end[open[d]] = node;
        }
        firstToken[node] = sorted.length;
        return most;
    }

    int size() {
        return value.length;
    }

    /// The fewest tokens that spell `text`; null when none do.
    int[] fewest(byte[] text) {
        int[] needed = new int[text.length + 1];
        int[] first = new int[text.length];
        int[] length = new int[text.length];
        for (int from = text.length - 1; from >= 0; from--) {
            needed[from] = Integer.MAX_VALUE;
            int node = child(-1, text[from]);
            for (int to = from + 1; node >= 0; to++) {
                boolean isToken = firstToken[node] < firstToken[node + 1];
                if (isToken && needed[to] < needed[from] - 1) {
                    needed[from] = needed[to] + 1;
                    first[from] = tokens[firstToken[node]];
                    length[from] = to - from;
                }
                node = to == text.length ? -1 : child(node, text[to]);
            }
        }
        if (needed[0] == Integer.MAX_VALUE) {
            return null;
        }
        int[] result = new int[needed[0]];
        int at = 0;
        for (int i = 0; i < result.length; i++) {
            result[i] = first[at];
            at += length[at];
        }
        return result;
    }

    /// The node below `node` (-1 for the root) that `next` leads to; -1 for none.
    private int child(int node, byte next) {
        int last = node < 0 ? size() : end[node];
        for (int child = node + 1; child < last; child = end[child]) {
            if (value[child] == next) {
                return child;
            }
        }
        return -1;
    }
}
