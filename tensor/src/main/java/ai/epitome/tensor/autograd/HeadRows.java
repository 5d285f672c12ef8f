package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.backend.Panels;
import ai.epitome.tensor.backend.Tile12;
import ai.epitome.tensor.backend.Tile6;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Rows of one head, one after another in an array of floats: copied from memory once, in its order and with nothing to
/// do in between, and packed from there for each product that reads them. Panels are those of [Panels].
///
/// Rows are whole registers. There is a register of rows more than are used, with anything in them.
final class HeadRows {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final Panels panels = new Panels();
    private float[] rows = new float[0];
    private int count;
    private int channels;

    /// Copies all rows of `x`.
    HeadRows load(Matrix x) {
        count = x.rows();
        channels = x.columns();
        int size = (count + LANES) * channels;
        rows = rows.length < size ? new float[size] : rows;
        for (int r = 0; r < count; r++) {
            long from = x.offset() + (long) r * x.stride();
            if (x.dtype() == DType.F32) {
                loadFloats(x.data(), from, rows, r * channels, channels);
            } else {
                loadBf16(x.data(), from, rows, r * channels, channels);
            }
        }
        return this;
    }

    private static void loadFloats(MemorySegment data, long from, float[] target, int at, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector.fromMemorySegment(FLOATS, data, (from + i) * 4, ORDER).intoArray(target, at + i);
        }
    }

    private static void loadBf16(MemorySegment data, long from, float[] target, int at, int count) {
        for (int i = 0; i < count; i += LANES) {
            Bf16.vector(data, from + i).intoArray(target, at + i);
        }
    }

    /// Panels of `width` rows, a step for each channel: of [Tile12#ROWS] rows, the last one of [Tile6#ROWS] where that
    /// is enough, or of two registers.
    void packAcross(int width, float[] target) {
        for (int first = 0; first < count; first += width) {
            int panel = width == Tile12.ROWS && count - first <= Tile6.ROWS ? Tile6.ROWS : width;
            for (int group = (panel - 1) / LANES * LANES; group >= 0; group -= LANES) {
                if (first + group < count) {
                    packGroup(first + group, target, first * channels + group, panel);
                }
            }
        }
    }

    private void packGroup(int first, float[] target, int at, int width) {
        for (int p = 0; p < channels; p += LANES) {
            panels.transpose(rows, first * channels + p, channels, target, at + p * width, width);
        }
    }

    /// Panels of `width` channels, a step for each row; widths as in [#packAcross].
    void packAlong(int width, float[] target) {
        for (int first = 0; first < channels; first += width) {
            int panel = width == Tile12.ROWS && channels - first <= Tile6.ROWS ? Tile6.ROWS : width;
            packAlong(rows, first, count, channels, panel, target, first * count);
        }
    }

    /// Registers that spill over are written before the next row's.
    private static void packAlong(float[] rows, int from, int count, int channels, int width, float[] target, int at) {
        for (int r = 0; r < count; r++) {
            for (int i = 0; i < width; i += LANES) {
                FloatVector.fromArray(FLOATS, rows, from + r * channels + i).intoArray(target, at + r * width + i);
            }
        }
    }

    /// `sum(x * y)` of each row and the same row of `y`.
    void dots(HeadRows y, float[] target) {
        for (int r = 0; r < count; r++) {
            target[r] = RowKernels.dot(rows, r * channels, y.rows, r * channels, channels);
        }
    }
}
