package ai.epitome.model.transformer;

import ai.epitome.tensor.Tensor;
import java.lang.foreign.ValueLayout;

/// How the weights of a new model are drawn. Every parameter has numbers of its own, made from the seed and its place,
/// so that they depend neither on threads nor on the machine. Gains start at 1, biases at 0.
///
/// @param seed of all numbers
/// @param matrices the distribution of the matrices in the blocks
/// @param outputs what is different about the matrices that write to the residual stream
/// @param embeddingDeviation standard deviation of embeddings (and of a head tied to them), normal
/// @param headDeviation standard deviation of a head of its own, normal
public record Initialization(
        long seed, Matrices matrices, Outputs outputs, float embeddingDeviation, float headDeviation) {

    /// Distributions of matrices.
    public enum Matrices {
        /// Normal with standard deviation 0.02 (Radford et al. 2018).
        NORMAL,
        /// Uniform with standard deviation `1 / sqrt(columns)`, which keeps the variance of what passes through.
        FAN_IN_UNIFORM
    }

    /// What is different about the last matrix of attention and MLP.
    public enum Outputs {
        /// Nothing.
        PLAIN,
        /// Divided by `sqrt(2 * layers)`, so that the residual stream's variance does not grow with depth (Radford et
        /// al. 2019).
        SCALED,
        /// Zeros: at first every block passes its input on.
        ZERO
    }

    /// As GPT-2 was.
    public static Initialization gpt2(long seed) {
        return new Initialization(seed, Matrices.NORMAL, Outputs.SCALED, 0.02f, 0.02f);
    }

    /// Fan-in uniform matrices, zero outputs: what new models start from unless told otherwise.
    public static Initialization modern(long seed) {
        return new Initialization(seed, Matrices.FAN_IN_UNIFORM, Outputs.ZERO, 0.02f, 0.02f);
    }

    /// Draws all weights of `model`.
    public void apply(Transformer model) {
        SplitMix64 random = new SplitMix64(seed);
        float scale = outputs == Outputs.SCALED
                ? (float) (1 / Math.sqrt(2.0 * model.config().layers()))
                : 1f;
        for (int place = 0; place < model.parameters().size(); place++) {
            var parameter = model.parameters().get(place);
            Tensor value = parameter.value();
            SplitMix64 own = random.split(place);
            switch (model.role(parameter)) {
                case GAIN -> fill(value, 1f);
                case BIAS -> fill(value, 0f);
                case EMBEDDING -> normal(value, embeddingDeviation, own);
                case HEAD -> normal(value, headDeviation, own);
                case MATRIX -> matrix(value, 1f, own);
                case OUTPUT_MATRIX -> {
                    if (outputs == Outputs.ZERO) {
                        fill(value, 0f);
                    } else {
                        matrix(value, scale, own);
                    }
                }
            }
            parameter.changed();
        }
    }

    private void matrix(Tensor value, float factor, SplitMix64 random) {
        switch (matrices) {
            case NORMAL -> normal(value, 0.02f * factor, random);
            case FAN_IN_UNIFORM -> {
                double limit = factor * Math.sqrt(3.0 / value.columns());
                for (long i = 0; i < value.size(); i++) {
                    put(value, i, (2 * random.nextDouble() - 1) * limit);
                }
            }
        }
    }

    /// Box and Muller 1958, two at a time; StrictMath gives the same bits everywhere.
    private static void normal(Tensor value, float deviation, SplitMix64 random) {
        for (long i = 0; i < value.size(); i += 2) {
            double radius = deviation * Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
            double angle = 2 * Math.PI * random.nextDouble();
            put(value, i, radius * StrictMath.cos(angle));
            if (i + 1 < value.size()) {
                put(value, i + 1, radius * StrictMath.sin(angle));
            }
        }
    }

    private static void fill(Tensor value, float number) {
        for (long i = 0; i < value.size(); i++) {
            put(value, i, number);
        }
    }

    private static void put(Tensor value, long index, double number) {
        value.data().set(ValueLayout.JAVA_FLOAT_UNALIGNED, index * 4, (float) number);
    }
}
