package ai.epitome.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

public class VectorMathTest {
    @Test
    void expIsWithinTwoUnitsInTheLastPlace() {
        assertThat(worstUlps(VectorMath::exp, Math::exp, -87.3f, 88.7f)).isLessThan(2);
    }

    @Test
    void sigmoidAndTanhAreWithinAFewUnits() {
        DoubleUnaryOperator sigmoid = x -> 1 / (1 + Math.exp(-x));
        assertThat(worstUlps(VectorMath::sigmoid, sigmoid, -80f, 80f)).isLessThan(4);
        assertThat(worstUlps(VectorMath::tanh, Math::tanh, -20f, 20f)).isLessThan(4);
        assertThat(worstUlps(VectorMath::tanh, Math::tanh, -1f, 1f)).isLessThan(4);
    }

    @Test
    public void extremesAreExact() {
        assertThat(VectorMath.exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(VectorMath.exp(-1e30f)).isZero();
        assertThat(VectorMath.exp(-88f)).isZero();
        assertThat(VectorMath.exp(0f)).isOne();
        assertThat(VectorMath.exp(89f)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(VectorMath.exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(VectorMath.exp(Float.NaN)).isNaN();
        assertThat(one(VectorMath::sigmoid, -200f)).isZero();
        assertThat(one(VectorMath::sigmoid, 200f)).isOne();
        assertThat(one(VectorMath::tanh, -200f)).isEqualTo(-1f);
        assertThat(one(VectorMath::tanh, Float.POSITIVE_INFINITY)).isOne();
        assertThat(one(VectorMath::tanh, 0f)).isZero();
        assertThat(one(VectorMath::tanh, Float.NaN)).isNaN();
    }

    @Test
    public void sumAddsEveryLaneOnce() {
        float[] values = new float[VectorMath.LANES];
        float expected = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = 1 << i;
            expected += 1 << i;
        }
        assertThat(VectorMath.sum(FloatVector.fromArray(VectorMath.FLOATS, values, 0)))
                .isEqualTo(expected);
    }

    private static float one(UnaryOperator<FloatVector> function, float x) {
        return function.apply(FloatVector.broadcast(VectorMath.FLOATS, x)).lane(0);
    }

    private static double worstUlps(
            UnaryOperator<FloatVector> function, DoubleUnaryOperator exact, float from, float to) {
        double worst = 0;
        for (int i = 0; i <= 100_000; i++) {
            float x = from + (to - from) * i / 100_000f;
            double expected = exact.applyAsDouble(x);
            worst = Math.max(worst, Math.abs(one(function, x) - expected) / Math.ulp((float) expected));
        }
        return worst;
    }
}
