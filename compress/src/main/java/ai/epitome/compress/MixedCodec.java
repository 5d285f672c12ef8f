package ai.epitome.compress;

/// Codes bytes bit by bit with what a [BitPredictor] expects.
public final class MixedCodec implements BlockCodec {
    private final BitPredictor predictor;

    /// @param predictor one that has seen nothing, for this codec alone
    public MixedCodec(BitPredictor predictor) {
        this.predictor = predictor;
    }

    @Override
    public byte[] encode(byte[] plain) {
        RangeEncoder encoder = new RangeEncoder();
        for (byte value : plain) {
            for (int shift = 7; shift >= 0; shift--) {
                int bit = value >>> shift & 1;
                encoder.bit(bit, predictor.probability());
                predictor.update(bit);
            }
        }
        return encoder.finish();
    }

    @Override
    public byte[] decode(byte[] coded, int length) {
        RangeDecoder decoder = new RangeDecoder(coded);
        byte[] plain = new byte[length];
        for (int i = 0; i < length; i++) {
            int value = 0;
            for (int k = 0; k < 8; k++) {
                int bit = decoder.bit(predictor.probability());
                predictor.update(bit);
                value = value << 1 | bit;
            }
            plain[i] = (byte) value;
        }
        return plain;
    }

    @Override
    public void learn(byte[] plain) {
        for (byte value : plain) {
            for (int shift = 7; shift >= 0; shift--) {
                predictor.probability(); // a predictor may do its work here
                predictor.update(value >>> shift & 1);
            }
        }
    }
}
