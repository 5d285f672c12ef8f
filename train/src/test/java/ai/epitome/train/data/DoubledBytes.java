package ai.epitome.train.data;

import java.util.Arrays;
import java.util.OptionalInt;

/// A small tokenizer for tests: a token a byte, and one for each byte that is doubled. Ids are spread over
/// `vocabulary`,
/// so that shards of both widths are met.
record DoubledBytes(int vocabulary, boolean withEndOfText) implements Tokenizer {
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
        return Arrays.copyOf(ids, count);
    }

    @Override
    public byte[] token(int id) {
        byte b = (byte) (id < 256 ? id : id - vocabulary + 257);
        boolean doubled = id >= vocabulary - 257 && id < vocabulary - 1;
        return doubled ? new byte[] {b, b} : new byte[] {b};
    }

    @Override
    public OptionalInt endOfText() {
        return withEndOfText ? OptionalInt.of(vocabulary - 1) : OptionalInt.empty();
    }
}
