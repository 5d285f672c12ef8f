package ai.epitome.model;

import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.OptionalInt;

/// One token a byte, and 256 for the end of a text.
public record Bytes() implements Tokenizer {
    @Override
    public int vocabularySize() {
        return 257;
    }

    @Override
    public int[] encode(byte[] utf8) {
        int[] ids = new int[utf8.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = utf8[i] & 0xFF;
        }
        return ids;
    }

    @Override
    public int[] encode(MarkedText text) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] token(int id) {
        return id == 256 ? new byte[0] : new byte[] {(byte) id};
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
    public Map<String, Integer> specialTokens() {
        return Map.of("<|endoftext|>", 256);
    }

    @Override
    public OptionalInt endOfText() {
        return OptionalInt.of(256);
    }

    @Override
    public String kind() {
        return "byte";
    }
}
