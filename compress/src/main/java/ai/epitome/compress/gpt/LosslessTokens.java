package ai.epitome.compress.gpt;

import ai.epitome.text.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Tokens that stand for given bytes and for nothing else.
///
/// A tokenizer that normalises Unicode changes some texts. What it would change is halved until the parts come back as
/// they were; a single byte that does not becomes the token of that byte.
///
/// @param single the token of each byte
record LosslessTokens(Tokenizer tokenizer, int[] single) {
    private static final int BYTES = 256;

    /// @throws IllegalArgumentException when a byte has no token
    static LosslessTokens of(Tokenizer tokenizer) {
        int[] single = new int[BYTES];
        Arrays.fill(single, -1);
        for (int id = tokenizer.vocabularySize() - 1; id >= 0; id--) {
            byte[] bytes = tokenizer.token(id);
            if (bytes.length == 1) {
                single[bytes[0] & 0xff] = id;
            }
        }
        for (int value = 0; value < BYTES; value++) {
            if (single[value] < 0) {
                throw new IllegalArgumentException(
                        "the tokenizer has no token for byte 0x%02x, so it cannot give back all files"
                                .formatted(value));
            }
        }
        return new LosslessTokens(tokenizer, single);
    }

    /// The tokens of `bytes`: their bytes, joined, are `bytes`.
    int[] encode(byte[] bytes) {
        int[] tokens = tokenizer.encodeContinuation(bytes);
        if (standFor(tokens, bytes)) {
            return tokens;
        }
        if (bytes.length == 1) {
            return new int[] {single[bytes[0] & 0xff]};
        }
        int half = bytes.length / 2;
        int[] first = encode(Arrays.copyOf(bytes, half));
        int[] second = encode(Arrays.copyOfRange(bytes, half, bytes.length));
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    private boolean standFor(int[] tokens, byte[] bytes) {
        int at = 0;
        for (int id : tokens) {
            byte[] token = tokenizer.token(id);
            if (token.length > bytes.length - at
                    || !Arrays.equals(token, 0, token.length, bytes, at, at + token.length)) {
                return false;
            }
            at += token.length;
        }
        return at == bytes.length;
    }
}
