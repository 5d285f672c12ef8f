package ai.epitome.compress.gpt;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.RangeDecoder;
import ai.epitome.compress.RangeEncoder;

/// Codes bytes bit by bit with a predictor that mixes in what a [TokenWalk] expects, and between bytes whether a token
/// ends.
///
/// @param predictor is told of all bits, and tells the walk of bytes
record TokenCodec(LosslessTokens tokens, TokenWalk walk, BitPredictor predictor) implements BlockCodec {
    /// Codes a decision.
    @FunctionalInterface
    private interface Decisions {
        /// @param bit what it is, where that is known
        /// @param probability of a 1
        /// @return what it is
        int code(int bit, int probability);
    }

    @Override
    public byte[] encode(byte[] plain) {
        RangeEncoder encoder = new RangeEncoder();
        code(plain.clone(), ends(plain), (bit, probability) -> {
            encoder.bit(bit, probability);
            return bit;
        });
        return encoder.finish();
    }

    @Override
    public byte[] decode(byte[] coded, int length) {
        RangeDecoder decoder = new RangeDecoder(coded);
        byte[] plain = new byte[length];
        code(plain, new boolean[length], (_, probability) -> decoder.bit(probability));
        return plain;
    }

    @Override
    public void learn(byte[] plain) {
        code(plain.clone(), ends(plain), (bit, _) -> bit);
    }

    /// Which bytes are the last of a token.
    private boolean[] ends(byte[] plain) {
        boolean[] ends = new boolean[plain.length];
        int length = 0;
        for (int token : tokens.encode(plain)) {
            length += tokens.tokenizer().token(token).length;
            ends[length - 1] = true;
        }
        return ends;
    }

    /// The last token ends with the bytes: nothing is coded of that.
    private void code(byte[] plain, boolean[] ends, Decisions decisions) {
        for (int i = 0; i < plain.length; i++) {
            int value = 0;
            for (int shift = 7; shift >= 0; shift--) {
                int bit = decisions.code(plain[i] >>> shift & 1, predictor.probability());
                predictor.update(bit);
                value = value << 1 | bit;
            }
            plain[i] = (byte) value;
            boolean certain = i + 1 == plain.length || walk.mustEnd();
            if (certain || walk.mayEnd() && decisions.code(ends[i] ? 1 : 0, walk.endProbability()) == 1) {
                walk.end();
            }
        }
    }
}
