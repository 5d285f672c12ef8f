package ai.epitome.tensor.exact;

/// Loops over floats that give the same bits wherever they run: on registers of any width, on single elements,
/// interpreted or compiled. Arrays in, arrays out; no kernel starts a thread.
///
/// Three rules fix every result:
/// - **products**: an element of `A B` is one chain of fused multiply-adds over ascending depth that begins at 0;
/// - **sums along a row**: 16 logical lanes, element i goes to lane i mod 16 in ascending order, then a fixed tree;
/// - **functions**: the operations of `ExactMath`, in its order.
///
/// Products read packed operands. B lies in panels of [#COLUMNS] columns, `depth` steps of 32 floats each; A in panels
/// of 12 or 6 rows, `depth` steps of as many floats. The layout is the same on every machine.
public sealed interface ExactKernels permits ScalarKernels, VectorKernels {
    /// Columns of a panel of B.
    int COLUMNS = 32;
    /// Rows of a large panel of A.
    int ROWS = 12;
    /// Rows of a small panel of A.
    int FEW_ROWS = 6;
    /// Logical lanes of a sum.
    int LANES = 16;

    /// The fastest on this machine: registers where it has them, the module `jdk.incubator.vector` is present, and code
    /// is compiled.
    static ExactKernels best() {
        boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        boolean interpreted = System.getProperty("java.vm.info", "").contains("interpreted");
        return present && !interpreted && VectorTiles.registersAreWide() ? vector() : scalar();
    }

    /// Element by element.
    static ExactKernels scalar() {
        return new ScalarKernels();
    }

    /// On registers; needs the module `jdk.incubator.vector`.
    static ExactKernels vector() {
        return new VectorKernels();
    }

    /// `c[12 rows][32 columns] = a b`, rows of c `stride` apart.
    void tile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride);

    /// The same for 6 rows.
    void smallTile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride);

    /// One row times `panels` panels of B, which begin `panelStride` apart; their results follow each other in c.
    void row(int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, int panels, float[] c, int cFrom);

    float sum(float[] x, int from, int count);

    float dot(float[] x, int xFrom, float[] y, int yFrom, int count);

    /// What a root-mean-square norm multiplies a row by: `1 / sqrt(x x / count + epsilon)`.
    default float inverseRootMeanSquare(float[] x, int from, int count, float epsilon) {
        return 1f / (float) Math.sqrt(dot(x, from, x, from, count) / count + epsilon);
    }

    /// The largest of `count` elements; negative infinity of none.
    float maximum(float[] x, int from, int count);

    /// `x = exp(x * scale - shift)`, the difference rounded once.
    void exponentials(float[] x, int from, int count, float scale, float shift);

    /// `target = floor(2^30 exp(x - shift))` for x at most `shift`.
    void quantisedExponentials(float[] x, int from, int count, float shift, int[] target);

    /// `x += y`.
    void add(float[] x, int xFrom, float[] y, int yFrom, int count);

    /// `y = x * factor`.
    void scale(float[] x, int xFrom, float factor, float[] y, int yFrom, int count);

    /// `y = x * factor * gain`, in this order.
    void scale(float[] x, int xFrom, float factor, float[] gain, float[] y, int yFrom, int count);

    /// `x -= value`.
    void subtract(float[] x, int from, float value, int count);

    void silu(float[] x, int from, int count);

    void gelu(float[] x, int from, int count);

    void reluSquared(float[] x, int from, int count);

    /// `gate = silu(gate) * up`.
    void gate(float[] gate, int gateFrom, float[] up, int upFrom, int count);

    /// Turns `pairs` pairs of channels, `pairs` apart, by the angles whose cosines and sines begin at `at`:
    /// `a cos - (b sin)`, `b cos + (a sin)`, the product in brackets rounded first, the rest fused.
    void rotate(float[] x, int from, float[] cosines, float[] sines, int at, int pairs);

    /// What they run on.
    String describe();
}
