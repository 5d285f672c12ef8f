package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.PieceMerges;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.SpaceRule;
import ai.epitome.text.VocabularyPiece;
import ai.epitome.text.split.Splitting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// Collects a vocabulary and merges written in GPT-2's alphabet, as `tokenizer.json`, GPT-2's own files and GGUF have
/// them, in any order, and makes a tokenizer of them.
final class MergeListBuilder {
    private final String where;
    private final Map<String, Integer> idByText = new HashMap<>();
    private String[] textById = new String[1024];
    private int size;
    private final List<String[]> merges = new ArrayList<>();

    /// @param where the file, for error messages
    MergeListBuilder(String where) {
        this.where = where;
    }

    void token(String text, long id) throws MalformedTokenizerException {
        if (id < 0 || id >= BytePairVocabulary.MOST_TOKENS) {
            throw malformed("token '" + text + "' has id " + id + "; ids must be from 0 to "
                    + (BytePairVocabulary.MOST_TOKENS - 1));
        }
        if (text.length() > BytePairVocabulary.LONGEST_TOKEN) {
            throw malformed("token " + id + " has " + text.length() + " bytes; at most "
                    + BytePairVocabulary.LONGEST_TOKEN + " are allowed");
        }
        if (id >= textById.length) {
            textById = Arrays.copyOf(textById, (int) Math.max(id + 1, 2L * textById.length));
        }
        if (textById[(int) id] != null) {
            throw malformed("id " + id + " is given to both '" + textById[(int) id] + "' and '" + text + "'");
        }
        if (idByText.putIfAbsent(text, (int) id) != null) {
            throw malformed("token '" + text + "' has two ids, " + idByText.get(text) + " and " + id);
        }
        textById[(int) id] = text;
        size = Math.max(size, (int) id + 1);
    }

    /// A merge in one string, the two sides separated by a space.
    void merge(String line) throws MalformedTokenizerException {
        int space = line.indexOf(' ');
        if (space <= 0 || space == line.length() - 1 || line.indexOf(' ', space + 1) >= 0) {
            throw malformed("merge " + merges.size() + ", '" + line + "', is not two tokens separated by one space");
        }
        merge(line.substring(0, space), line.substring(space + 1));
    }

    void merge(String left, String right) throws MalformedTokenizerException {
        if (merges.size() == BytePairVocabulary.MOST_MERGES) {
            throw malformed("more than " + BytePairVocabulary.MOST_MERGES + " merges");
        }
        merges.add(new String[] {left, right});
    }

    /// @param wholePieces `ignore_merges` of `tokenizer.json`
    BytePairTokenizer build(
            Splitting splitting, Normalization normalization, List<AddedToken> addedTokens, boolean wholePieces)
            throws MalformedTokenizerException {
        try {
            int[][] ids = mergesAsIds();
            var vocabulary = BytePairVocabulary.ofMerges(tokens(addedTokens), ids[0], ids[1], ids[2], wholePieces);
            return new BytePairTokenizer(vocabulary, splitting, normalization, addedTokens);
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    /// The same with a vocabulary of SentencePiece's kind, whose order of merges takes the place of scores.
    ///
    /// @param unknown the token of what cannot be spelled, or the empty text
    /// @param bytes whether tokens such as `<0x0A>` are bytes
    SentencePieceTokenizer buildPieces(
            SpaceRule spaces, List<AddedToken> addedTokens, OptionalInt beginOfText, String unknown, boolean bytes)
            throws MalformedTokenizerException {
        int[][] ids = mergesAsIds();
        float[] scores = new float[size];
        Arrays.fill(scores, -merges.size() - 1);
        for (int i = merges.size() - 1; i >= 0; i--) {
            scores[ids[2][i]] = -i;
        }
        var pieces = new ArrayList<VocabularyPiece>();
        try {
            for (int id = 0; id < size; id++) {
                String text = textById[id] == null ? "" : textById[id];
                pieces.add(new VocabularyPiece(text, scores[id], type(text, unknown, bytes)));
            }
            for (AddedToken token : addedTokens) {
                while (pieces.size() <= token.id()) {
                    pieces.add(new VocabularyPiece("", 0, VocabularyPiece.Type.UNUSED));
                }
                if (!token.content().equals(unknown)) {
                    pieces.set(
                            token.id(),
                            new VocabularyPiece(
                                    token.content(),
                                    0,
                                    token.special()
                                            ? VocabularyPiece.Type.CONTROL
                                            : VocabularyPiece.Type.USER_DEFINED));
                }
            }
            return new SentencePieceTokenizer(
                    pieces, spaces, beginOfText, Optional.of(new PieceMerges(ids[0], ids[1], ids[2])));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private static VocabularyPiece.Type type(String text, String unknown, boolean bytes) {
        if (text.isEmpty()) {
            return VocabularyPiece.Type.UNUSED;
        }
        if (text.equals(unknown)) {
            return VocabularyPiece.Type.UNKNOWN;
        }
        return bytes && text.matches("<0x[0-9A-F]{2}>") ? VocabularyPiece.Type.BYTE : VocabularyPiece.Type.NORMAL;
    }

    private int[][] mergesAsIds() throws MalformedTokenizerException {
        int[][] ids = new int[3][merges.size()];
        for (int i = 0; i < merges.size(); i++) {
            String left = merges.get(i)[0];
            String right = merges.get(i)[1];
            ids[0][i] = idOf(left, i);
            ids[1][i] = idOf(right, i);
            ids[2][i] = idOf(left + right, i);
        }
        return ids;
    }

    private int idOf(String text, int merge) throws MalformedTokenizerException {
        Integer id = idByText.get(text);
        if (id == null) {
            throw malformed("merge " + merge + " needs the token '" + text + "', which is not in the vocabulary");
        }
        return id;
    }

    /// Bytes by id; null for control tokens, which some files list in the vocabulary too.
    private byte[][] tokens(List<AddedToken> addedTokens) throws MalformedTokenizerException {
        Map<Integer, AddedToken> added = addedTokens.stream()
                .collect(Collectors.toMap(AddedToken::id, token -> token, (first, second) -> first));
        byte[][] tokens = new byte[size][];
        for (int id = 0; id < size; id++) {
            String text = textById[id];
            AddedToken token = added.get(id);
            if (text == null
                    || token != null && (token.control() || token.content().equals(text))) {
                continue;
            }
            tokens[id] = ByteAlphabet.toBytes(text);
            if (tokens[id] == null || tokens[id].length == 0) {
                throw malformed("token " + id + ", '" + text + "', is not written in the byte-level alphabet; only"
                        + " byte-level BPE vocabularies can be read");
            }
        }
        return tokens;
    }

    private MalformedTokenizerException malformed(String rule) {
        return new MalformedTokenizerException(where, rule);
    }
}
