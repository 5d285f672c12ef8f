package ai.epitome.tensor.block;

import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.format.BlockFormat;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Products with quantised weights in the Vector API: whole numbers as floats, which are exact up to 2^24. A register
/// holds one channel of as many tokens as it has lanes.
public final class VectorBlockProduct implements BlockProduct {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final int BLOCK = BlockActivations.BLOCK;

    /// Weight rows of a register tile.
    private static final int TILE = 4;

    /// Tokens side by side.
    ///
    /// @param numbers (in, lanes)
    /// @param scales (blocks, lanes)
    /// @param sums (blocks, lanes)
    private record Tokens(float[] numbers, float[] scales, float[] sums) {
        static Tokens read(Tensor x, int first, int count) {
            int columns = x.columns();
            int blocks = columns / BLOCK;
            Tokens tokens =
                    new Tokens(new float[columns * LANES], new float[blocks * LANES], new float[blocks * LANES]);
            BlockActivations row = new BlockActivations(columns);
            for (int t = 0; t < count; t++) {
                row.read(x, first + t);
                for (int i = 0; i < columns; i++) {
                    tokens.numbers[i * LANES + t] = row.numbers[i];
                }
                for (int b = 0; b < blocks; b++) {
                    tokens.scales[b * LANES + t] = row.scales[b];
                    tokens.sums[b * LANES + t] = row.sums[b];
                }
            }
            return tokens;
        }
    }

    /// What one thread needs for 16 weight rows.
    private static final class Panel {
        private final BlockRows row;
        final float[] numbers;
        final float[][] scales;
        final float[][] least;
        final float[] results = new float[BlockMatrix.GROUP * LANES];
        final float[] line = new float[BlockMatrix.GROUP];

        Panel(int columns) {
            row = new BlockRows(columns);
            numbers = new float[BlockMatrix.GROUP * columns];
            scales = new float[BlockMatrix.GROUP][columns / 16];
            least = new float[BlockMatrix.GROUP][columns / 16];
        }

        void read(BlockMatrix.Group group) {
            int columns = row.columns();
            for (int r = 0; r < group.rows(); r++) {
                row.read(
                        group.run().format(),
                        group.run().data(),
                        group.offset() + r * group.run().stride());
                for (int i = 0; i < columns; i++) {
                    numbers[r * columns + i] = row.numbers[i];
                }
                System.arraycopy(row.scales, 0, scales[r], 0, row.scales.length);
                System.arraycopy(row.least, 0, least[r], 0, row.least.length);
            }
        }
    }

    @Override
    public void multiply(Tensor x, BlockMatrix w, Tensor bias, Tensor y, Workers workers) {
        int count = (x.rows() + LANES - 1) / LANES;
        Tokens[] tokens = new Tokens[count];
        workers.run(count, (i, _) -> tokens[i] = Tokens.read(x, i * LANES, Math.min(LANES, x.rows() - i * LANES)));
        BlockMatrix.Group[] groups = w.groups();
        workers.rows(groups.length, 1, (from, to, _) -> {
            Panel panel = new Panel(w.columns());
            for (int g = from; g < to; g++) {
                panel.read(groups[g]);
                w.raiseFaults();
                for (int i = 0; i < count; i++) {
                    group(groups[g], panel, tokens[i], bias);
                    store(groups[g], panel, y, i * LANES);
                }
            }
        });
    }

    private static void group(BlockMatrix.Group group, Panel panel, Tokens tokens, Tensor bias) {
        int columns = panel.row.columns();
        for (int r = 0; r < group.rows(); r += TILE) {
            for (int i = r; i < r + TILE; i++) {
                boolean given = bias != null && i < group.rows();
                float start = given ? bias.get(group.target() + i) : 0;
                FloatVector.broadcast(FLOATS, start).intoArray(panel.results, i * LANES);
            }
            BlockFormat format = group.run().format();
            if (format.group() == BLOCK) {
                tile(panel, r, columns, tokens, panel.results, BLOCK, format.hasLeast());
            } else {
                tile(panel, r, columns, tokens, panel.results, 16, false);
            }
        }
    }

    private static void tile(
            Panel panel, int r, int columns, Tokens tokens, float[] results, int group, boolean hasLeast) {
        float[] w = panel.numbers;
        float[] x = tokens.numbers;
        FloatVector y0 = FloatVector.fromArray(FLOATS, results, r * LANES);
        FloatVector y1 = FloatVector.fromArray(FLOATS, results, (r + 1) * LANES);
        FloatVector y2 = FloatVector.fromArray(FLOATS, results, (r + 2) * LANES);
        FloatVector y3 = FloatVector.fromArray(FLOATS, results, (r + 3) * LANES);
        int at = r * columns;
        for (int from = 0, g = 0; from < columns; from += group, g++) {
            FloatVector s0 = FloatVector.zero(FLOATS);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            for (int i = from; i < from + group; i++) {
                FloatVector v = FloatVector.fromArray(FLOATS, x, i * LANES);
                s0 = v.fma(FloatVector.broadcast(FLOATS, w[at + i]), s0);
                s1 = v.fma(FloatVector.broadcast(FLOATS, w[at + columns + i]), s1);
                s2 = v.fma(FloatVector.broadcast(FLOATS, w[at + 2 * columns + i]), s2);
                s3 = v.fma(FloatVector.broadcast(FLOATS, w[at + 3 * columns + i]), s3);
            }
            FloatVector d = FloatVector.fromArray(FLOATS, tokens.scales, from / BLOCK * LANES);
            y0 = s0.mul(d).fma(FloatVector.broadcast(FLOATS, panel.scales[r][g]), y0);
            y1 = s1.mul(d).fma(FloatVector.broadcast(FLOATS, panel.scales[r + 1][g]), y1);
            y2 = s2.mul(d).fma(FloatVector.broadcast(FLOATS, panel.scales[r + 2][g]), y2);
            y3 = s3.mul(d).fma(FloatVector.broadcast(FLOATS, panel.scales[r + 3][g]), y3);
            if (hasLeast) {
                FloatVector sum = FloatVector.fromArray(FLOATS, tokens.sums, from / BLOCK * LANES);
                y0 = sum.fma(FloatVector.broadcast(FLOATS, panel.least[r][g]), y0);
                y1 = sum.fma(FloatVector.broadcast(FLOATS, panel.least[r + 1][g]), y1);
                y2 = sum.fma(FloatVector.broadcast(FLOATS, panel.least[r + 2][g]), y2);
                y3 = sum.fma(FloatVector.broadcast(FLOATS, panel.least[r + 3][g]), y3);
            }
        }
        y0.intoArray(results, r * LANES);
        y1.intoArray(results, (r + 1) * LANES);
        y2.intoArray(results, (r + 2) * LANES);
        y3.intoArray(results, (r + 3) * LANES);
    }

    private static void store(BlockMatrix.Group group, Panel panel, Tensor y, int first) {
        int count = Math.min(LANES, y.rows() - first);
        for (int t = 0; t < count; t++) {
            for (int r = 0; r < group.rows(); r++) {
                panel.line[r] = panel.results[r * LANES + t];
            }
            Rows.store(panel.line, y, (long) (first + t) * y.columns() + group.target(), group.rows());
        }
    }
}
