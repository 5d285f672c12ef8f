package ai.epitome.compress.gpt;

import ai.epitome.text.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Tokens that stand for given bytes and for nothing else.
///
/// A tokenizer that normalises Unicode changes some texts. What it would change is halved until the parts come back as
/// they were; a single byte that does not becomes the token of that byte.
record LosslessTokens(Tokenizer tokenizer) {
    /// The tokens of `bytes`: their bytes, joined, are `bytes`.
    ///
    /// @throws IllegalArgumentException when a byte has no token
    int[] encode(byte[] bytes) {
        int[] tokens = tokenizer.encode(bytes);
        if (Arrays.equals(tokenizer.decode(tokens), bytes)) {
            return tokens;
        }
        if (bytes.length == 1) {
            return new int[] {tokenOf(bytes)};
        }
        int half = bytes.length / 2;
        int[] first = encode(Arrays.copyOf(bytes, half));
        int[] second = encode(Arrays.copyOfRange(bytes, half, bytes.length));
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    private int tokenOf(byte[] single) {
        return IntStream.range(0, tokenizer.vocabularySize())
                .filter(id -> Arrays.equals(tokenizer.token(id), single))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "the model's tokenizer has no token for byte 0x%02x".formatted(single[0])));
    }
}
