package ai.epitome.train.data;

import ai.epitome.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.OptionalInt;

/// What the data needs to know of a tokenizer: how many bytes of text each token stands for, and which one it is.
///
/// @param byteLengths bytes of text by token id; 0 for the end-of-text token, which stands for no text
/// @param endOfText the token that separates documents, where the tokenizer has one
/// @param sha256 identifies the tokenizer (hexadecimal): over its tokens and over how it cuts a fixed probe text
public record TokenTable(int[] byteLengths, OptionalInt endOfText, String sha256) {
    // Letters, digits, spaces, line breaks, other scripts and stray bytes: splitters differ on these.
    private static final byte[] PROBE =
            "Hello, world! It's 1234567 o'clock;\n\n  we'LL go\tnow...   \r\n naïve 東京タワー здравствуй 🙂\u0000\u007f"
                    .getBytes(StandardCharsets.UTF_8);

    /// Reads the table off a tokenizer.
    public static TokenTable of(Tokenizer tokenizer) {
        int[] lengths = new int[tokenizer.vocabularySize()];
        MessageDigest digest = Document.newSha256();
        for (int id = 0; id < lengths.length; id++) {
            byte[] token = tokenizer.token(id);
            lengths[id] = token.length;
            update(digest, token.length);
            digest.update(token);
        }
        int end = tokenizer.endOfText().orElse(-1);
        if (end >= 0) {
            lengths[end] = 0;
        }
        update(digest, end);
        for (int id : tokenizer.encode(PROBE)) {
            update(digest, id);
        }
        return new TokenTable(lengths, tokenizer.endOfText(), HexFormat.of().formatHex(digest.digest()));
    }

    /// How many tokens there are.
    public int vocabularySize() {
        return byteLengths.length;
    }

    private static void update(MessageDigest digest, int value) {
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(value).flip());
    }
}
