package ai.epitome.model.constraint.automaton;

import ai.epitome.model.constraint.grammar.JsonText;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.Utf8Stream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A tokenizer's tokens as constraints see them: bytes in tries, apart from those that end a text. Tokens
/// without bytes, control tokens among them, belong to no text.
///
/// Most tokens are whole characters that a JSON string holds as they are ([JsonText#PLAIN]). Those lie in
/// tries of their own, by their number of characters: where a text may go on with any characters for that
/// long, all of them are allowed at once, without a look at each.
///
/// Immutable, for use by any number of threads.
public final class TokenVocabulary {
    /// The most characters of the tokens of each trie of plain tokens; longer ones count as others.
    private static final int[] LENGTHS = {4, 8, 16, 32};

    /// Plain tokens of similar length.
    ///
    /// @param most characters of one
    /// @param members as a mask
    record Plain(int most, TokenTrie trie, long[] members) {}

    private final int size;
    private final Set<Integer> endOfText;
    private final byte[][] bytes;
    private final List<Plain> plain = new ArrayList<>();
    private final TokenTrie others;
    private final TokenTrie all;

    /// @param endOfText the tokens that end a text, whatever bytes they have
    public TokenVocabulary(Tokenizer tokenizer, Set<Integer> endOfText) {
        this.size = tokenizer.vocabularySize();
        this.endOfText = Set.copyOf(endOfText);
        this.bytes = new byte[size][];
        Set<Integer> controls = new HashSet<>(tokenizer.specialTokens().values());
        controls.addAll(endOfText);
        List<List<Integer>> byLength = new ArrayList<>();
        for (int i = 0; i <= LENGTHS.length; i++) {
            byLength.add(new ArrayList<>());
        }
        List<Integer> texts = new ArrayList<>();
        for (int id = 0; id < size; id++) {
            bytes[id] = controls.contains(id) ? new byte[0] : tokenizer.token(id);
            if (bytes[id].length > 0) {
                byLength.get(group(bytes[id])).add(id);
                texts.add(id);
            }
        }
        for (int i = 0; i < LENGTHS.length; i++) {
            List<Integer> ids = byLength.get(i);
            if (!ids.isEmpty()) {
                plain.add(new Plain(LENGTHS[i], new TokenTrie(ids, bytes), mask(ids)));
            }
        }
        others = new TokenTrie(byLength.getLast(), bytes);
        all = new TokenTrie(texts, bytes);
    }

    private long[] mask(List<Integer> ids) {
        long[] mask = new long[(size + 63) / 64];
        for (int id : ids) {
            mask[id >> 6] |= 1L << id;
        }
        return mask;
    }

    /// Where a token belongs: the index of its length, or behind them.
    private static int group(byte[] bytes) {
        Utf8Stream stream = new Utf8Stream();
        String text = stream.push(bytes);
        boolean whole = stream.finish().isEmpty() && text.indexOf('\uFFFD') < 0;
        if (whole && text.codePoints().allMatch(JsonText.PLAIN::contains)) {
            int characters = text.codePointCount(0, text.length());
            for (int i = 0; i < LENGTHS.length; i++) {
                if (characters <= LENGTHS[i]) {
                    return i;
                }
            }
        }
        return LENGTHS.length;
    }

    int size() {
        return size;
    }

    Set<Integer> endOfText() {
        return endOfText;
    }

    /// What a token adds to a text; empty for one that adds nothing.
    byte[] bytes(int token) {
        return bytes[token];
    }

    List<Plain> plain() {
        return plain;
    }

    /// The tokens that are not plain.
    TokenTrie others() {
        return others;
    }

    /// Every token that has bytes.
    TokenTrie all() {
        return all;
    }
}
