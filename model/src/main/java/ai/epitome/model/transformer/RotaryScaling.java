package ai.epitome.model.transformer;

/// How the rotary frequencies of a model were changed to stretch its context.
public sealed interface RotaryScaling {
    /// Frequencies as trained.
    record None() implements RotaryScaling {}

    /// All frequencies divided by `factor` (Chen et al. 2023, position interpolation).
    record Linear(double factor) implements RotaryScaling {
        public Linear {
            requireFactor(factor);
        }
    }

    /// Llama 3.1: low frequencies divided by `factor`, high ones kept, those between interpolated.
    ///
    /// @param factor divisor of low frequencies
    /// @param lowFactor waves longer than `originalContext / lowFactor` are slowed in full
    /// @param highFactor waves shorter than `originalContext / highFactor` are kept
    /// @param originalContext context of the training before
    record Llama3(double factor, double lowFactor, double highFactor, int originalContext) implements RotaryScaling {
        public Llama3 {
            requireFactor(factor);
            if (!(lowFactor > 0 && highFactor > lowFactor) || originalContext < 1) {
                throw new IllegalArgumentException(
                        "llama3 rope scaling needs 0 < low factor < high factor and an original context, not "
                                + "%s, %s, %d".formatted(lowFactor, highFactor, originalContext));
            }
        }
    }

    /// YaRN (Peng et al. 2023): pairs that turn seldom within the original context are slowed by `factor`,
    /// those that turn often are kept, the pairs between go over from one to the other by their number;
    /// queries and keys become longer.
    ///
    /// @param factor divisor of low frequencies
    /// @param fast turns within the original context from which on a frequency is kept
    /// @param slow turns up to which it is divided in full
    /// @param originalContext context of the training before
    /// @param magnitude what rotated queries and keys are multiplied by
    record Yarn(double factor, double fast, double slow, int originalContext, double magnitude)
            implements RotaryScaling {
        /// What the paper multiplies by (equation 22, for queries and keys each).
        public static double magnitude(double factor) {
            return factor <= 1 ? 1 : 0.1 * StrictMath.log(factor) + 1;
        }

        public Yarn {
            requireFactor(factor);
            boolean ordered = slow > 0 && fast > slow && fast < Double.POSITIVE_INFINITY;
            if (!ordered || originalContext < 1 || !(magnitude > 0 && magnitude < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "yarn rope scaling needs 0 < slow < fast, an original context and a magnitude above 0, not "
                                + "%s, %s, %d, %s".formatted(slow, fast, originalContext, magnitude));
            }
        }

        /// How much of pair `i`'s frequency is kept.
        private double kept(int i, double theta, int headDimension) {
            double low = Math.max(0, Math.floor(pair(fast, theta, headDimension)));
            double high = Math.min(headDimension - 1.0, Math.ceil(pair(slow, theta, headDimension)));
            return 1 - Math.clamp((i - low) / Math.max(high - low, 1e-3), 0, 1);
        }

        /// The pair, with a fraction, that turns so often within the original context.
        private double pair(double turns, double theta, int headDimension) {
            return headDimension
                    * StrictMath.log(originalContext / (turns * 2 * Math.PI))
                    / (2 * StrictMath.log(theta));
        }
    }

    private static void requireFactor(double factor) {
        if (!(factor >= 1) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("a rope scaling factor must be 1 or more, not " + factor);
        }
    }

    /// What rotated queries and keys are multiplied by.
    default float scale() {
        return this instanceof Yarn yarn ? (float) yarn.magnitude : 1;
    }

    /// The angle by which each pair of channels turns from one position to the next, `headDimension / 2` of
    /// them: the same bits on every machine.
    default float[] inverseFrequencies(double theta, int headDimension) {
        float[] frequencies = new float[headDimension / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = StrictMath.pow(theta, -2.0 * i / headDimension);
            frequencies[i] = (float) scaled(frequency, i, theta, headDimension);
        }
        return frequencies;
    }

    private double scaled(double frequency, int i, double theta, int headDimension) {
        return switch (this) {
            case None() -> frequency;
            case Linear(double factor) -> frequency / factor;
            case Llama3(double factor, double low, double high, int original) -> {
                double turns = original * frequency / (2 * Math.PI); // of this pair within the original context
                double kept = Math.clamp((turns - low) / (high - low), 0, 1);
                yield (1 - kept) * frequency / factor + kept * frequency;
            }
            case Yarn yarn -> {
                double kept = yarn.kept(i, theta, headDimension);
                yield (1 - kept) * frequency / yarn.factor + kept * frequency;
            }
        };
    }
}
