package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;

/// Predicts the bits of any bytes from the bytes before, by mixing: contexts of orders 0 to 8, words, skips, columns
/// ([Contexts]), matches, and, if given, a GPT's distribution over the next byte.
///
/// ```
/// contexts -> histories -> probabilities --stretch--.
/// matches, direct contexts, GPT ---------stretch----+-> Mixer, a weight set by each selector
///                                                       -> Mixer -> FinalEstimation -> p
/// ```
///
/// ```java
/// var predictor = new MixingPredictor(MixingSize.of(bytes.length));
/// for (byte b : bytes) {
///     for (int i = 7; i >= 0; i--) {
///         int p = predictor.probability(); // of a 1
///         predictor.update(b >> i & 1);
///     }
/// }
/// ```
/// Each bit's probability must be asked for before the bit is told. Not for several threads at once.
public final class MixingPredictor implements BitPredictor {
    private static final int[] MATCHES = {5, 8, 16};
    private static final int LONGEST = MATCHES.length - 1;

    private static final int MATCH_INPUTS = ContextModel.INPUTS_PER_CONTEXT * Contexts.COUNT;
    private static final int DIRECT_INPUTS = MATCH_INPUTS + MatchModel.INPUTS * MATCHES.length;
    private static final int MODEL_INPUTS = DIRECT_INPUTS + DirectModel.INPUTS;
    private static final int BIAS = MODEL_INPUTS + GivenModel.INPUTS;
    private static final int INPUTS = BIAS + 1;

    private final ByteHistory history;
    private final Contexts contexts;
    private final ContextModel contextModel;
    private final DirectModel direct;
    private final MatchModel[] matches = new MatchModel[MATCHES.length];
    private final GivenModel given;
    private final int[] inputs;
    private final MixerNetwork network;
    private final Refinement refinement;

    /// Bits of the byte so far under a leading one.
    private int partial = 1;
    private int bitPosition;
    private int found;
    private int probability;
    private boolean predicted;

    /// A predictor that has seen nothing, from contexts alone.
    public MixingPredictor(MixingSize size) {
        this(size, null);
    }

    /// @param model a further model, which is told of each byte, or null
    public MixingPredictor(MixingSize size, ByteDistribution model) {
        this.history = new ByteHistory(size.historyBits());
        this.contexts = new Contexts(history);
        this.contextModel = new ContextModel(Contexts.COUNT, size.slotBits());
        this.direct = new DirectModel(Math.min(22, size.slotBits() + 3));
        for (int m = 0; m < MATCHES.length; m++) {
            matches[m] = new MatchModel(history, MATCHES[m], Math.min(size.historyBits(), 20));
        }
        this.given = new GivenModel(model);
        this.network = new MixerNetwork(INPUTS, model != null);
        this.inputs = new int[network.width()];
        this.refinement = new Refinement(given);
        initializeWeights();
        contexts.advance(-1, 0);
        startNibble();
    }

    private void initializeWeights() {
        for (int i = 0; i < Contexts.COUNT; i++) {
            network.initialize(i, 160);
            network.initialize(Contexts.COUNT + i, 60);
        }
        for (int m = 0; m < MATCHES.length; m++) {
            network.initialize(MATCH_INPUTS + MatchModel.INPUTS * m, 200);
        }
        network.initialize(MODEL_INPUTS, 300);
    }

    @Override
    public int probability() {
        if (!predicted) {
            if (bitPosition == 0) {
                given.read(); // not before: the model may be told more than the byte
            }
            predict();
            predicted = true;
        }
        return probability;
    }

    @Override
    public void update(int bit) {
        refinement.update(bit);
        network.update(inputs, bit);
        contextModel.update(node(), bit);
        direct.update(bit);
        given.update(bit);
        for (MatchModel match : matches) {
            match.update(bit);
        }
        partial = partial << 1 | bit;
        bitPosition++;
        if (bitPosition == 8) {
            startByte(partial & 0xff);
        }
        if ((bitPosition & 3) == 0) {
            startNibble();
        }
        predicted = false;
    }

    private void startByte(int value) {
        history.append(value);
        partial = 1;
        bitPosition = 0;
        for (MatchModel match : matches) {
            match.advance();
        }
        MatchModel longest = longestMatch();
        contexts.advance(longest.expectedByte(), longest.lengthClass());
        direct.find(history.last(1), history.last(2));
        given.append(value);
    }

    private MatchModel longestMatch() {
        for (int m = LONGEST; m > 0; m--) {
            if (matches[m].lengthClass() > 0) {
                return matches[m];
            }
        }
        return matches[0];
    }

    private void startNibble() {
        found = contextModel.find(contexts.hashes(), partial, Contexts.ORDERS);
    }

    /// Number of the node in the tree of the nibble.
    private int node() {
        int bits = bitPosition & 3;
        return 1 << bits | partial & ((1 << bits) - 1);
    }

    private void predict() {
        contextModel.predict(node(), inputs);
        for (int m = 0; m < MATCHES.length; m++) {
            matches[m].predict(partial, bitPosition, inputs, MATCH_INPUTS + MatchModel.INPUTS * m);
        }
        direct.predict(partial, inputs, DIRECT_INPUTS);
        given.predict(partial, inputs, MODEL_INPUTS);
        inputs[BIAS] = 256;
        MatchModel match = longestMatch();
        network.select(
                partial,
                bitPosition,
                found,
                match.lengthClass(),
                match.expectedBit(),
                history,
                contexts.words(),
                given);
        int mixed = network.mix(inputs);
        probability =
                refinement.refine(mixed, network.fine(), partial, match.expectedByte(), match.lengthClass(), history);
    }
}
