package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.PackedMatrix;
import ai.epitome.tensor.exact.PackedRows;
import java.util.Arrays;

/// A parameter of a learner: values, gradient, and the moments of Adam (Kingma and Ba 2015). All loops are
/// element by element in IEEE arithmetic, so the compiler may vectorise them and the bits stay.
final class LearnedParameter {
    private static final float DECAY_1 = 0.9f;
    private static final float DECAY_2 = 0.98f;
    private static final float EPSILON = 1e-8f;

    final int rows;
    final int columns;
    final float[] value; // (rows, columns)
    final float[] gradient; // with rows that a product may fill up
    private final float[] first;
    private final float[] second;
    private final PackedMatrix forward; // of y = x Wᵀ; null for a vector or a table
    private final PackedMatrix backward; // of dx = dy W
    private final PackedMatrix publishedMatrix; // a copy of `forward` to predict by
    private final float[] published; // a copy of `value` of a vector or a table

    private LearnedParameter(int rows, int columns, boolean matrix) {
        this.rows = rows;
        this.columns = columns;
        value = new float[rows * columns];
        gradient = new float[PackedRows.padded(rows) * columns];
        first = new float[value.length];
        second = new float[value.length];
        forward = matrix ? new PackedMatrix(columns, rows) : null;
        backward = matrix ? new PackedMatrix(rows, columns) : null;
        publishedMatrix = matrix ? new PackedMatrix(columns, rows) : null;
        published = matrix ? null : new float[value.length];
    }

    static LearnedParameter matrix(int out, int in) {
        return new LearnedParameter(out, in, true);
    }

    static LearnedParameter table(int rows, int columns) {
        return new LearnedParameter(rows, columns, false);
    }

    static LearnedParameter gain(int columns) {
        LearnedParameter gain = new LearnedParameter(1, columns, false);
        Arrays.fill(gain.value, 1f);
        return gain;
    }

    /// Draws values uniformly from `-bound` to `bound`.
    LearnedParameter draw(LearnerRandom random, double bound) {
        for (int i = 0; i < value.length; i++) {
            value[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
        return this;
    }

    PackedMatrix forward() {
        return forward;
    }

    PackedMatrix backward() {
        return backward;
    }

    /// A copy to predict by while this one learns on, of a matrix.
    PackedMatrix publishedMatrix() {
        return publishedMatrix;
    }

    /// The same of a vector or a table.
    float[] published() {
        return published;
    }

    void publish() {
        if (publishedMatrix != null) {
            publishedMatrix.copy(forward);
        } else {
            System.arraycopy(value, 0, published, 0, value.length);
        }
    }

    /// Makes products read the values as they are now.
    void pack() {
        if (forward != null) {
            forward.packTransposed(value, 0);
            backward.pack(value, 0, columns);
        }
    }

    /// One step of Adam; the corrections are `1 / (1 - decay^t)`.
    void update(float rate, float correction1, float correction2) {
        for (int i = 0; i < value.length; i++) {
            float g = gradient[i];
            float m = Math.fma(DECAY_1, first[i], (1 - DECAY_1) * g);
            float v = Math.fma(DECAY_2, second[i], (1 - DECAY_2) * (g * g));
            first[i] = m;
            second[i] = v;
            float deviation = (float) Math.sqrt(v * correction2) + EPSILON;
            value[i] -= rate * (m * correction1) / deviation;
        }
    }

    /// Corrections of the moments' bias before step `t`, kept as running powers: no library function.
    static final class Corrections {
        private double power1 = 1;
        private double power2 = 1;

        void step() {
            power1 *= DECAY_1;
            power2 *= DECAY_2;
        }

        float first() {
            return (float) (1 / (1 - power1));
        }

        float second() {
            return (float) (1 / (1 - power2));
        }
    }
}
