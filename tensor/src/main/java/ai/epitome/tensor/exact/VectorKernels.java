package ai.epitome.tensor.exact;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The kernels on registers of the Vector API: full registers, then single elements.
///
/// This class must only be loaded where the module `jdk.incubator.vector` is present ([ExactKernels#best]).
final class VectorKernels implements ExactKernels {
    private static final VectorSpecies<Float> FLOATS = VectorTiles.FLOATS;
    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final int WIDTH = FLOATS.length();
    /// What does the elements that are left over by full registers.
    private static final ScalarKernels REST = new ScalarKernels();

    // Constants are kept as registers: C2 stops inlining a kernel with too many broadcasts, and then boxes its vectors.
    private static final FloatVector ONE = FloatVector.broadcast(FLOATS, 1f);
    private static final FloatVector ROUNDING = FloatVector.broadcast(FLOATS, ExactMath.ROUND);
    private static final FloatVector LOG2_E = FloatVector.broadcast(FLOATS, ExactMath.LOG2_E);
    private static final FloatVector UPPER = FloatVector.broadcast(FLOATS, -ExactMath.LN2_UPPER);
    private static final FloatVector LOWER = FloatVector.broadcast(FLOATS, -ExactMath.LN2_LOWER);
    private static final FloatVector EXP_5 = FloatVector.broadcast(FLOATS, ExactMath.EXP_5);
    private static final FloatVector EXP_4 = FloatVector.broadcast(FLOATS, ExactMath.EXP_4);
    private static final FloatVector EXP_3 = FloatVector.broadcast(FLOATS, ExactMath.EXP_3);
    private static final FloatVector EXP_2 = FloatVector.broadcast(FLOATS, ExactMath.EXP_2);
    private static final FloatVector HALF = FloatVector.broadcast(FLOATS, 0.5f);
    private static final FloatVector SMALLEST = FloatVector.broadcast(FLOATS, ExactMath.SMALLEST);
    private static final FloatVector LARGEST = FloatVector.broadcast(FLOATS, ExactMath.LARGEST);
    private static final FloatVector ZERO = FloatVector.zero(FLOATS);
    private static final FloatVector INFINITY = FloatVector.broadcast(FLOATS, Float.POSITIVE_INFINITY);
    private static final FloatVector CUBIC = FloatVector.broadcast(FLOATS, ExactMath.GELU_CUBIC);

    @Override
    public void tile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        VectorTiles.tile(depth, a, aFrom, b, bFrom, c, cFrom, stride);
    }

    @Override
    public void smallTile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        VectorTiles.smallTile(depth, a, aFrom, b, bFrom, c, cFrom, stride);
    }

    @Override
    public void row(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, int panels, float[] c, int cFrom) {
        VectorTiles.row(depth, a, aFrom, b, bFrom, panelStride, panels, c, cFrom);
    }

    /// [ExactMath#exp].
    private static FloatVector exp(FloatVector x) {
        FloatVector shifted = x.fma(LOG2_E, ROUNDING);
        FloatVector n = shifted.sub(ROUNDING);
        FloatVector r = n.fma(LOWER, n.fma(UPPER, x));
        FloatVector p = r.fma(EXP_5, EXP_4)
                .fma(r, EXP_3)
                .fma(r, EXP_2)
                .fma(r, HALF)
                .fma(r, ONE)
                .fma(r, ONE);
        FloatVector scaled = p.reinterpretAsInts()
                .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                .reinterpretAsFloats();
        return scaled.blend(ZERO, x.compare(VectorOperators.LT, SMALLEST))
                .blend(INFINITY, x.compare(VectorOperators.GT, LARGEST));
    }

    private static FloatVector silu(FloatVector x) {
        return x.mul(ONE.div(exp(x.neg()).add(ONE)));
    }

    @Override
    public float sum(float[] x, int from, int count) {
        float[] lanes = new float[LANES];
        int bound = count / LANES * LANES;
        if (WIDTH == 16) {
            FloatVector sum = ZERO;
            for (int i = 0; i < bound; i += LANES) {
                sum = sum.add(FloatVector.fromArray(FLOATS, x, from + i));
            }
            sum.intoArray(lanes, 0);
        } else if (WIDTH == 8) {
            FloatVector low = ZERO;
            FloatVector high = ZERO;
            for (int i = 0; i < bound; i += LANES) {
                low = low.add(FloatVector.fromArray(FLOATS, x, from + i));
                high = high.add(FloatVector.fromArray(FLOATS, x, from + i + 8));
            }
            low.intoArray(lanes, 0);
            high.intoArray(lanes, 8);
        } else {
            bound = 0;
        }
        for (int i = bound; i < count; i++) {
            lanes[i % LANES] += x[from + i];
        }
        return ExactMath.tree(lanes);
    }

    @Override
    public float dot(float[] x, int xFrom, float[] y, int yFrom, int count) {
        float[] lanes = new float[LANES];
        int bound = count / LANES * LANES;
        if (WIDTH == 16) {
            FloatVector sum = ZERO;
            for (int i = 0; i < bound; i += LANES) {
                sum = FloatVector.fromArray(FLOATS, x, xFrom + i).fma(FloatVector.fromArray(FLOATS, y, yFrom + i), sum);
            }
            sum.intoArray(lanes, 0);
        } else if (WIDTH == 8) {
            FloatVector low = ZERO;
            FloatVector high = ZERO;
            for (int i = 0; i < bound; i += LANES) {
                low = FloatVector.fromArray(FLOATS, x, xFrom + i).fma(FloatVector.fromArray(FLOATS, y, yFrom + i), low);
                high = FloatVector.fromArray(FLOATS, x, xFrom + i + 8)
                        .fma(FloatVector.fromArray(FLOATS, y, yFrom + i + 8), high);
            }
            low.intoArray(lanes, 0);
            high.intoArray(lanes, 8);
        } else {
            bound = 0;
        }
        for (int i = bound; i < count; i++) {
            lanes[i % LANES] = Math.fma(x[xFrom + i], y[yFrom + i], lanes[i % LANES]);
        }
        return ExactMath.tree(lanes);
    }

    @Override
    public float maximum(float[] x, int from, int count) {
        int bound = FLOATS.loopBound(count);
        FloatVector maximum = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < bound; i += WIDTH) {
            maximum = maximum.max(FloatVector.fromArray(FLOATS, x, from + i));
        }
        float result = maximum.reduceLanes(VectorOperators.MAX); // the same in every order, unlike a sum
        return Math.max(result, REST.maximum(x, from + bound, count - bound));
    }

    @Override
    public void exponentials(float[] x, int from, int count, float scale, float shift) {
        int bound = FLOATS.loopBound(count);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector offset = FloatVector.broadcast(FLOATS, -shift);
        for (int i = from; i < from + bound; i += WIDTH) {
            exp(FloatVector.fromArray(FLOATS, x, i).fma(factor, offset)).intoArray(x, i);
        }
        REST.exponentials(x, from + bound, count - bound, scale, shift);
    }

    @Override
    public void quantisedExponentials(float[] x, int from, int count, float shift, int[] target) {
        int bound = FLOATS.loopBound(count);
        FloatVector offset = FloatVector.broadcast(FLOATS, shift);
        for (int i = 0; i < bound; i += WIDTH) {
            FloatVector e = exp(FloatVector.fromArray(FLOATS, x, from + i).sub(offset));
            IntVector q = (IntVector) e.mul(0x1p30f).convertShape(VectorOperators.F2I, INTS, 0);
            q.intoArray(target, i);
        }
        for (int i = bound; i < count; i++) {
            target[i] = (int) (ExactMath.exp(x[from + i] - shift) * 0x1p30f);
        }
    }

    @Override
    public void add(float[] x, int xFrom, float[] y, int yFrom, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = 0; i < bound; i += WIDTH) {
            FloatVector.fromArray(FLOATS, x, xFrom + i)
                    .add(FloatVector.fromArray(FLOATS, y, yFrom + i))
                    .intoArray(x, xFrom + i);
        }
        REST.add(x, xFrom + bound, y, yFrom + bound, count - bound);
    }

    @Override
    public void scale(float[] x, int xFrom, float factor, float[] y, int yFrom, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = 0; i < bound; i += WIDTH) {
            FloatVector.fromArray(FLOATS, x, xFrom + i).mul(factor).intoArray(y, yFrom + i);
        }
        REST.scale(x, xFrom + bound, factor, y, yFrom + bound, count - bound);
    }

    @Override
    public void scale(float[] x, int xFrom, float factor, float[] gain, float[] y, int yFrom, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = 0; i < bound; i += WIDTH) {
            FloatVector.fromArray(FLOATS, x, xFrom + i)
                    .mul(factor)
                    .mul(FloatVector.fromArray(FLOATS, gain, i))
                    .intoArray(y, yFrom + i);
        }
        for (int i = bound; i < count; i++) {
            y[yFrom + i] = x[xFrom + i] * factor * gain[i];
        }
    }

    @Override
    public void subtract(float[] x, int from, float value, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = from; i < from + bound; i += WIDTH) {
            FloatVector.fromArray(FLOATS, x, i).sub(value).intoArray(x, i);
        }
        REST.subtract(x, from + bound, value, count - bound);
    }

    @Override
    public void silu(float[] x, int from, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = from; i < from + bound; i += WIDTH) {
            silu(FloatVector.fromArray(FLOATS, x, i)).intoArray(x, i);
        }
        REST.silu(x, from + bound, count - bound);
    }

    @Override
    public void gelu(float[] x, int from, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = from; i < from + bound; i += WIDTH) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            FloatVector z = v.mul(v).fma(CUBIC, ONE).mul(v).mul(ExactMath.GELU_SCALE);
            v.mul(ONE.div(exp(z.neg()).add(ONE))).intoArray(x, i);
        }
        REST.gelu(x, from + bound, count - bound);
    }

    @Override
    public void reluSquared(float[] x, int from, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = from; i < from + bound; i += WIDTH) {
            FloatVector positive = FloatVector.fromArray(FLOATS, x, i).max(ZERO);
            positive.mul(positive).intoArray(x, i);
        }
        REST.reluSquared(x, from + bound, count - bound);
    }

    @Override
    public void gate(float[] gate, int gateFrom, float[] up, int upFrom, int count) {
        int bound = FLOATS.loopBound(count);
        for (int i = 0; i < bound; i += WIDTH) {
            silu(FloatVector.fromArray(FLOATS, gate, gateFrom + i))
                    .mul(FloatVector.fromArray(FLOATS, up, upFrom + i))
                    .intoArray(gate, gateFrom + i);
        }
        REST.gate(gate, gateFrom + bound, up, upFrom + bound, count - bound);
    }

    @Override
    public void rotate(float[] x, int from, float[] cosines, float[] sines, int at, int pairs) {
        int bound = FLOATS.loopBound(pairs);
        for (int i = 0; i < bound; i += WIDTH) {
            FloatVector cosine = FloatVector.fromArray(FLOATS, cosines, at + i);
            FloatVector sine = FloatVector.fromArray(FLOATS, sines, at + i);
            FloatVector a = FloatVector.fromArray(FLOATS, x, from + i);
            FloatVector b = FloatVector.fromArray(FLOATS, x, from + pairs + i);
            a.fma(cosine, b.mul(sine).neg()).intoArray(x, from + i);
            b.fma(cosine, a.mul(sine)).intoArray(x, from + pairs + i);
        }
        for (int i = bound; i < pairs; i++) {
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
        return "exact, Vector API, %d lanes".formatted(WIDTH);
    }
}
