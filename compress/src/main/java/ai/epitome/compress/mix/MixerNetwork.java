package ai.epitome.compress.mix;

import java.util.Arrays;

/// The two layers of mixers: the first mixes all inputs by several selected weight sets, the second what these say.
final class MixerNetwork {
    private static final int CLASSES = Words.CLASSES * Words.CLASSES * Words.CLASSES;
    private static final int[] SELECTORS = {
        256, 256, 256, 16 * 8 * 3, (Contexts.ORDERS + 1) * 8, CLASSES, GivenModel.CLASSES * 8
    };
    private static final int[] FINAL_SELECTORS = {256, 256};
    private static final Mixer.Rate RATE = new Mixer.Rate(3000, 150, 100_000);
    private static final Mixer.Rate FINAL_RATE = new Mixer.Rate(1500, 400, 100_000);

    /// With a given model its likeliest byte selects too.
    private static final int[] GIVEN_SELECTORS = Arrays.copyOf(SELECTORS, SELECTORS.length + 1);

    static {
        GIVEN_SELECTORS[SELECTORS.length] = 256;
    }

    private final int selectors;
    private final Mixer first;
    private final Mixer second;
    private final int[] between;
    private int fine;

    /// @param given whether a model is given
    MixerNetwork(int inputs, boolean given) {
        int[] contexts = given ? GIVEN_SELECTORS : SELECTORS;
        selectors = contexts.length;
        first = new Mixer(inputs, contexts, RATE);
        second = new Mixer(selectors, FINAL_SELECTORS, FINAL_RATE);
        between = new int[second.width()];
        for (int s = 0; s < selectors; s++) {
            second.initialize(s, Mixer.WEIGHT_ONE / selectors);
        }
    }

    int width() {
        return first.width();
    }

    /// @param thousandths of a weight of 1
    void initialize(int input, int thousandths) {
        first.initialize(input, Mixer.WEIGHT_ONE / 1000 * thousandths);
    }

    void select(
            int partial,
            int bitPosition,
            int found,
            int lengthClass,
            int expectedBit,
            ByteHistory history,
            Words words,
            GivenModel given) {
        first.select(0, partial);
        first.select(1, history.last(1));
        first.select(2, history.last(2));
        first.select(3, (lengthClass * 3 + expectedBit) * 8 + bitPosition);
        first.select(4, found * 8 + bitPosition);
        first.select(5, words.classes(3));
        first.select(6, given.confidence() * 8 + bitPosition);
        if (given.isPresent()) {
            first.select(7, given.expected());
        }
        second.select(0, partial);
        second.select(1, history.last(1));
    }

    /// Stretched probability.
    int mix(int[] inputs) {
        first.mix(inputs);
        for (int s = 0; s < selectors; s++) {
            between[s] = first.output(s);
        }
        second.mix(between);
        fine = 0;
        for (int s = 0; s < FINAL_SELECTORS.length; s++) {
            fine += second.fine(s);
        }
        fine /= FINAL_SELECTORS.length;
        return fine >> Logistic.FINE_BITS;
    }

    /// What [#mix] found, in units of 1/4096.
    int fine() {
        return fine;
    }

    void update(int[] inputs, int bit) {
        first.update(inputs, bit);
        second.update(between, bit);
    }
}
