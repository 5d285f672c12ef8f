package ai.epitome.tensor.backend;

import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Tensor;

/// The product as the definition has it, in double precision: the twin of every fast one.
public final class NaiveProduct implements MatrixProduct {
    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Tensor target = whole(c);
        for (int i = 0; i < c.rows(); i++) {
            for (int j = 0; j < c.columns(); j++) {
                double sum = accumulate ? get(c, i, j) : 0;
                for (int k = 0; k < a.columns(); k++) {
                    sum += (double) get(a, i, k) * get(b, k, j);
                }
                target.set(index(c, i, j), (float) sum);
            }
        }
    }

    public static float get(Matrix m, int i, int j) {
        return whole(m).get(index(m, i, j));
    }

    private static Tensor whole(Matrix m) {
        return Tensor.of(
                m.data(), m.dtype(), (int) (m.data().byteSize() / m.dtype().bytes()));
    }

    private static long index(Matrix m, int i, int j) {
        return m.offset() + (m.transposed() ? (long) j * m.stride() + i : (long) i * m.stride() + j);
    }

    @Override
    public String describe() {
        return "naive";
    }
}
