package ai.epitome.train.data;

import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;

/// A small tokenizer for tests: a token a byte, and one for each byte that is doubled. Ids are spread over
/// `vocabulary`, so that shards of both widths are met. A lossy one forgets the last byte.
record DoubledBytes(int vocabulary, boolean withEndOfText, boolean lossy) implements Tokenizer {
    DoubledBytes(int vocabulary, boolean withEndOfText) {
        this(vocabulary, withEndOfText, false);
    }

    @Override
    public int vocabularySize() {
        return vocabulary;
    }

    @Override
    public int[] encode(byte[] text) {
        int[] ids = new int[text.length];
        int count = 0;
        for (int i = 0; i < text.length; i++) {
            boolean doubled = i + 1 < text.length && text[i] == text[i + 1];
            ids[count++] = Byte.toUnsignedInt(text[i]) + (doubled ? vocabulary - 257 : 0);
            i += doubled ? 1 : 0;
        }
        return Arrays.copyOf(ids, lossy ? count - 1 : count);
    }

    @Override
    public byte[] token(int id) {
        if (withEndOfText && id == vocabulary - 1) {
            return new byte[0];
        }
        byte b = (byte) (id < 256 ? id : id - vocabulary + 257);
        boolean doubled = id >= vocabulary - 257 && id < vocabulary - 1;
        return doubled ? new byte[] {b, b} : new byte[] {b};
    }

    @Override
    public OptionalInt endOfText() {
        return withEndOfText ? OptionalInt.of(vocabulary - 1) : OptionalInt.empty();
    }

    @Override
    public byte[] decode(int... ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(token(id));
        }
        return bytes.toByteArray();
    }

    @Override
    public int[] encode(MarkedText text) {
        return encode(text.characters());
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return Map.of();
    }

    @Override
    public String kind() {
        return "doubled bytes";
    }
}
