package ai.epitome.compress.mix;

/// Mixes stretched probabilities by weights: `squash(w . x)`, learned by the gradient of the coding cost,
/// `w += rate * error * x` (Mahoney 2005, section 3.2; Mattern 2012). There are several *selectors*; each has a
/// weight set for each of its contexts and gives one mixed probability a bit.
final class Mixer {
    /// A weight of 1.
    static final int WEIGHT_ONE = 1 << 16;
    /// `|w| < 4` and `|x| < 4096` keep a product below `2^30`.
    private static final int GREATEST = 4 * WEIGHT_ONE - 1;
    /// Steps up to this move no weight: times any stretched probability they are below one half.
    private static final int STILL = (1 << 15) / (Logistic.LIMIT + 1);
    private static final int LANES = 16;

    private final int inputs;
    private final int width;
    private final int[] weights;
    private final int[] begins;
    private final int[] selected;
    private final int[] probabilities;
    private final int[] outputs;
    private final int rateAtStart;
    private final int rateAtEnd;
    private final int decay;
    private long bits;

    /// How fast to learn: falls from `start` to `end`, halfway there after `halfway` bits. In units of `2^-18`.
    record Rate(int start, int end, int halfway) {}

    /// @param contexts of each selector
    Mixer(int inputs, int[] contexts, Rate rate) {
        this.inputs = inputs;
        this.width = (inputs + LANES - 1) / LANES * LANES;
        this.begins = new int[contexts.length];
        int sets = 0;
        for (int s = 0; s < contexts.length; s++) {
            begins[s] = sets;
            sets += contexts[s];
        }
        this.weights = new int[sets * width];
        this.selected = new int[contexts.length];
        this.probabilities = new int[contexts.length];
        this.outputs = new int[contexts.length];
        this.rateAtStart = rate.start;
        this.rateAtEnd = rate.end;
        this.decay = rate.halfway;
    }

    /// Inputs, rounded up so that loops over them have no tail.
    int width() {
        return width;
    }

    /// Sets the weights of an input in all sets.
    void initialize(int input, int weight) {
        for (int w = input; w < weights.length; w += width) {
            weights[w] = weight;
        }
    }

    void select(int selector, int context) {
        selected[selector] = (begins[selector] + context) * width;
    }

    /// Mixes by each selector's set.
    void mix(int[] x) {
        int limit = Logistic.LIMIT << Logistic.FINE_BITS;
        for (int s = 0; s < selected.length; s++) {
            outputs[s] = Math.clamp(dot(x, weights, selected[s], width) >> 4, -limit, limit);
            probabilities[s] = Logistic.squash(outputs[s]);
        }
    }

    /// Stretched, by selector, after [#mix].
    int output(int selector) {
        return outputs[selector] >> Logistic.FINE_BITS;
    }

    /// In units of 1/4096, by selector, after [#mix].
    int fine(int selector) {
        return outputs[selector];
    }

    int probability(int selector) {
        return probabilities[selector];
    }

    void update(int[] x, int bit) {
        int rate = rateAtEnd + (int) ((long) (rateAtStart - rateAtEnd) * decay / (decay + bits));
        bits++;
        for (int s = 0; s < selected.length; s++) {
            int error = (bit << 16) - bit - probabilities[s];
            int step = (int) ((long) error * rate >> 10);
            if (Math.abs(step) > STILL) {
                train(x, weights, selected[s], width, step);
            }
        }
    }

    private static int dot(int[] x, int[] weights, int offset, int width) {
        int sum = 0;
        for (int i = 0; i < width; i++) {
            sum += x[i] * weights[offset + i] >> 8;
        }
        return sum;
    }

    private static void train(int[] x, int[] weights, int offset, int width, int step) {
        for (int i = 0; i < width; i++) {
            int weight = weights[offset + i] + (x[i] * step + (1 << 15) >> 16);
            weights[offset + i] = Math.min(Math.max(weight, -GREATEST), GREATEST);
        }
    }
}
