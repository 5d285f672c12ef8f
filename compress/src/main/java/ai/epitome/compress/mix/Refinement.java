package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;

/// Adaptive final estimation in contexts of orders 0, 1 and 2 and of the expected byte; their average with the mixed
/// probability.
final class Refinement {
    private static final int RATE = 5;
    private static final int HASH_BITS = 16;

    private final FinalEstimation orderZero = new FinalEstimation(256 * 16, RATE);
    private final FinalEstimation orderOne = new FinalEstimation(1 << 16, RATE);
    private final FinalEstimation orderTwo = new FinalEstimation(1 << HASH_BITS, RATE);
    private final FinalEstimation matched = new FinalEstimation(1 << HASH_BITS, RATE);

    private final GivenModel model;
    private final FinalEstimation expected = new FinalEstimation(1 << HASH_BITS, RATE);

    Refinement(GivenModel model) {
        this.model = model;
    }

    int refine(int stretched, int fine, int partial, int matchedByte, int lengthClass, ByteHistory history) {
        int last = history.last(1);
        int two = Contexts.hash(Contexts.hash(last, history.last(2)), partial) >>> (32 - HASH_BITS);
        int match =
                Contexts.hash(Contexts.hash(matchedByte, Math.min(lengthClass, 12) / 4), partial) >>> (32 - HASH_BITS);
        int mixed = Logistic.squash(fine);
        int sum = orderZero.refine(stretched, lengthClass << 8 | partial)
                + orderOne.refine(stretched, last << 8 | partial)
                + orderTwo.refine(stretched, two)
                + matched.refine(stretched, match);
        if (model.isPresent()) {
            int known =
                    Contexts.hash(Contexts.hash(model.expected(), model.confidence()), partial) >>> (32 - HASH_BITS);
            sum += expected.refine(stretched, known);
            return Math.clamp((5 * mixed + 3 * sum + 10) / 20, 1, BitPredictor.ONE - 1);
        }
        return Math.clamp((4 * mixed + 3 * sum + 8) >> 4, 1, BitPredictor.ONE - 1);
    }

    void update(int bit) {
        orderZero.update(bit);
        orderOne.update(bit);
        orderTwo.update(bit);
        matched.update(bit);
        if (model.isPresent()) {
            expected.update(bit);
        }
    }
}
