package ai.epitome.model;

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

    private static void requireFactor(double factor) {
        if (!(factor >= 1) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("a rope scaling factor must be 1 or more, not " + factor);
        }
    }

    /// The angle by which each pair of channels turns from one position to the next, `headDimension / 2` of them: the
    /// same bits on every machine.
    default float[] inverseFrequencies(double theta, int headDimension) {
        float[] frequencies = new float[headDimension / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) scaled(StrictMath.pow(theta, -2.0 * i / headDimension));
        }
        return frequencies;
    }

    private double scaled(double frequency) {
        return switch (this) {
            case None() -> frequency;
            case Linear(double factor) -> frequency / factor;
            case Llama3(double factor, double low, double high, int original) -> {
                double turns = original * frequency / (2 * Math.PI); // of this pair within the original context
                double kept = Math.clamp((turns - low) / (high - low), 0, 1);
                yield (1 - kept) * frequency / factor + kept * frequency;
            }
        };
    }
}
