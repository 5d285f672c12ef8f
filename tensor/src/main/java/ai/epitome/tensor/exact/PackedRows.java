package ai.epitome.tensor.exact;

import static ai.epitome.tensor.exact.ExactKernels.FEW_ROWS;
import static ai.epitome.tensor.exact.ExactKernels.ROWS;

/// The left operand of products, packed for [ExactKernels]: panels of 12 rows, and one of 6 where that is
/// enough for the rest. A single row lies as it is. Rows that fill up the last panel are whatever was
/// there; their results mean nothing.
public final class PackedRows {
    private float[] values = new float[0];
    private int count;
    private int depth;

    /// Rows that results need room for.
    public static int padded(int count) {
        return count == 1 ? 1 : largePanels(count) * ROWS + (count > largePanels(count) * ROWS ? FEW_ROWS : 0);
    }

    private static int largePanels(int count) {
        int rest = count % ROWS;
        return count / ROWS + (rest > FEW_ROWS ? 1 : 0);
    }

    /// Takes `count` rows of `depth` elements that begin `stride` apart.
    public void pack(float[] source, int from, int stride, int count, int depth) {
        reserve(count, depth);
        if (count == 1) {
            System.arraycopy(source, from, values, 0, depth);
            return;
        }
        int full = largePanels() * ROWS;
        for (int panel = 0; panel < count; panel += panel < full ? ROWS : FEW_ROWS) {
            int width = panel < full ? ROWS : FEW_ROWS;
            int used = Math.min(width, count - panel);
            pack(source, from + panel * stride, stride, used, depth, values, panel * depth, width);
        }
    }

    /// Packs `count` rows as one panel of `width`, 12 or 6, at `to` of `target`.
    public static void pack(
            float[] source, int from, int stride, int count, int depth, float[] target, int to, int width) {
        for (int row = 0; row < count; row++) {
            int start = from + row * stride;
            for (int k = 0; k < depth; k++) {
                target[to + k * width + row] = source[start + k];
            }
        }
    }

    /// Takes the transpose of a (depth, count) matrix whose rows begin `stride` apart.
    public void packTransposed(float[] source, int from, int stride, int count, int depth) {
        reserve(count, depth);
        if (count == 1) {
            for (int k = 0; k < depth; k++) {
                values[k] = source[from + k * stride];
            }
            return;
        }
        int full = largePanels() * ROWS;
        for (int panel = 0; panel < count; panel += panel < full ? ROWS : FEW_ROWS) {
            int width = panel < full ? ROWS : FEW_ROWS;
            int used = Math.min(width, count - panel);
            for (int k = 0; k < depth; k++) {
                System.arraycopy(source, from + k * stride + panel, values, panel * depth + k * width, used);
            }
        }
    }

    private void reserve(int count, int depth) {
        this.count = count;
        this.depth = depth;
        int size = padded(count) * depth;
        if (values.length < size) {
            values = new float[size];
        }
    }

    /// Rows that it holds, without those that fill up the last panel.
    public int count() {
        return count;
    }

    int depth() {
        return depth;
    }

    int largePanels() {
        return largePanels(count);
    }

    float[] values() {
        return values;
    }
}
