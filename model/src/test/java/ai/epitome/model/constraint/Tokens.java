package ai.epitome.model.constraint;

import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/// A vocabulary for tests: all single bytes, some longer tokens, and one control token that ends a text.
record Tokens(List<byte[]> bytes) implements Tokenizer {
    static Tokens of(List<String> longer) {
        return ofBytes(
                longer.stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toList());
    }

    static Tokens ofBytes(List<byte[]> longer) {
        List<byte[]> all = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            all.add(new byte[] {(byte) value});
        }
        all.addAll(longer);
        all.add(new byte[0]);
        return new Tokens(all);
    }

    /// Pieces of `texts` cut anywhere, in the middle of characters too.
    static Tokens piecesOf(List<String> texts, int count, long seed) {
        Random random = new Random(seed);
        List<byte[]> pieces = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] text = texts.get(random.nextInt(texts.size())).getBytes(StandardCharsets.UTF_8);
            int from = random.nextInt(text.length);
            int to = Math.min(text.length, from + 2 + random.nextInt(8));
            pieces.add(java.util.Arrays.copyOfRange(text, from, to));
        }
        return ofBytes(pieces);
    }

    int end() {
        return bytes.size() - 1;
    }

    TokenVocabulary vocabulary() {
        return new TokenVocabulary(this, Set.of(end()));
    }

    @Override
    public int vocabularySize() {
        return bytes.size();
    }

    @Override
    public int[] encode(byte[] utf8) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int[] encode(MarkedText text) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] token(int id) {
        return bytes.get(id).clone();
    }

    @Override
    public byte[] decode(int... ids) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return Map.of("<end>", end());
    }

    @Override
    public OptionalInt endOfText() {
        return OptionalInt.of(end());
    }

    @Override
    public String kind() {
        return "test";
    }
}
