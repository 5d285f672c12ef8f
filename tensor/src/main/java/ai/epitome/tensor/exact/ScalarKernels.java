package ai.epitome.tensor.exact;

/// The kernels element by element: what they mean, and what runs without the Vector API.
final class ScalarKernels implements ExactKernels {
    @Override
    public void tile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        rows(ROWS, depth, a, aFrom, b, bFrom, c, cFrom, stride);
    }

    @Override
    public void smallTile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        rows(FEW_ROWS, depth, a, aFrom, b, bFrom, c, cFrom, stride);
    }

    private static void rows(
            int rows, int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        for (int r = 0; r < rows; r++) {
            panel(depth, a, aFrom + r, rows, b, bFrom, c, cFrom + r * stride);
        }
    }

    /// One row of a panel of A, whose elements are `aStride` apart, times one panel of B.
    private static void panel(
            int depth, float[] a, int aFrom, int aStride, float[] b, int bFrom, float[] c, int cFrom) {
        for (int j = 0; j < COLUMNS; j++) {
            c[cFrom + j] = 0f;
        }
        for (int k = 0; k < depth; k++) {
            float value = a[aFrom + k * aStride];
            int at = bFrom + k * COLUMNS;
            for (int j = 0; j < COLUMNS; j++) {
                c[cFrom + j] = Math.fma(value, b[at + j], c[cFrom + j]);
            }
        }
    }

    @Override
    public void row(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, int panels, float[] c, int cFrom) {
        for (int p = 0; p < panels; p++) {
            panel(depth, a, aFrom, 1, b, bFrom + p * panelStride, c, cFrom + p * COLUMNS);
        }
    }

    @Override
    public float sum(float[] x, int from, int count) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < count; i++) {
            lanes[i % LANES] += x[from + i];
        }
        return ExactMath.tree(lanes);
    }

    @Override
    public float dot(float[] x, int xFrom, float[] y, int yFrom, int count) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < count; i++) {
            lanes[i % LANES] = Math.fma(x[xFrom + i], y[yFrom + i], lanes[i % LANES]);
        }
        return ExactMath.tree(lanes);
    }

    @Override
    public float maximum(float[] x, int from, int count) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            maximum = Math.max(maximum, x[from + i]);
        }
        return maximum;
    }

    @Override
    public void exponentials(float[] x, int from, int count, float scale, float shift) {
        for (int i = from; i < from + count; i++) {
            x[i] = ExactMath.exp(Math.fma(x[i], scale, -shift));
        }
    }

    @Override
    public void quantisedExponentials(float[] x, int from, int count, float shift, int[] target) {
        for (int i = 0; i < count; i++) {
            target[i] = (int) (ExactMath.exp(x[from + i] - shift) * 0x1p30f);
        }
    }

    @Override
    public void add(float[] x, int xFrom, float[] y, int yFrom, int count) {
        for (int i = 0; i < count; i++) {
            x[xFrom + i] += y[yFrom + i];
        }
    }

    @Override
    public void scale(float[] x, int xFrom, float factor, float[] y, int yFrom, int count) {
        for (int i = 0; i < count; i++) {
            y[yFrom + i] = x[xFrom + i] * factor;
        }
    }

    @Override
    public void scale(float[] x, int xFrom, float factor, float[] gain, float[] y, int yFrom, int count) {
        for (int i = 0; i < count; i++) {
            y[yFrom + i] = x[xFrom + i] * factor * gain[i];
        }
    }

    @Override
    public void subtract(float[] x, int from, float value, int count) {
        for (int i = from; i < from + count; i++) {
            x[i] -= value;
        }
    }

    @Override
    public void silu(float[] x, int from, int count) {
        for (int i = from; i < from + count; i++) {
            x[i] = ExactMath.silu(x[i]);
        }
    }

    @Override
    public void gelu(float[] x, int from, int count) {
        for (int i = from; i < from + count; i++) {
            x[i] = ExactMath.gelu(x[i]);
        }
    }

    @Override
    public void reluSquared(float[] x, int from, int count) {
        for (int i = from; i < from + count; i++) {
            x[i] = ExactMath.reluSquared(x[i]);
        }
    }

    @Override
    public void gate(float[] gate, int gateFrom, float[] up, int upFrom, int count) {
        for (int i = 0; i < count; i++) {
            gate[gateFrom + i] = ExactMath.silu(gate[gateFrom + i]) * up[upFrom + i];
        }
    }

    @Override
    public void rotate(float[] x, int from, float[] cosines, float[] sines, int at, int pairs) {
        for (int i = 0; i < pairs; i++) {
            float cosine = cosines[at + i];
            float sine = sines[at + i];
            float a = x[from + i];
            float b = x[from + pairs + i];
            x[from + i] = Math.fma(a, cosine, -(b * sine));
            x[from + pairs + i] = Math.fma(b, cosine, a * sine);
        }
    }

    @Override
    public String describe() {
        return "exact, single elements";
    }
}
