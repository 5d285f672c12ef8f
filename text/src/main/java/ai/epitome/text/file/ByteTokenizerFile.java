package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Normalization;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import java.util.List;

/// A [ByteTokenizer] in a `tokenizer.json`: a BPE of 256 tokens without merges, token `b` being the byte `b`.
final class ByteTokenizerFile {
    private ByteTokenizerFile() {}

    /// The BPE that does what the byte tokenizer does.
    static BytePairTokenizer asBytePairTokenizer(ByteTokenizer tokenizer) {
        byte[][] tokens = new byte[256][];
        for (int b = 0; b < tokens.length; b++) {
            tokens[b] = new byte[] {(byte) b};
        }
        int[] none = {};
        return new BytePairTokenizer(
                BytePairVocabulary.ofMerges(tokens, none, none, none, false),
                Splitting.NONE,
                Normalization.NONE,
                tokenizer.addedTokens());
    }

    /// A byte tokenizer if the BPE is no more than that, else the BPE itself.
    static Tokenizer asByteTokenizer(BytePairTokenizer tokenizer) {
        BytePairVocabulary vocabulary = tokenizer.vocabulary();
        boolean bytes = vocabulary.size() == 256
                && vocabulary.mergeCount() == 0
                && tokenizer.splitting().equals(Splitting.NONE)
                && tokenizer.normalization() == Normalization.NONE
                && tokenizer.beginOfText().isEmpty();
        for (int b = 0; bytes && b < 256; b++) {
            bytes = vocabulary.idOfByte((byte) b) == b;
        }
        List<AddedToken> added = tokenizer.addedTokens();
        for (int i = 0; i < added.size(); i++) {
            bytes &= added.get(i).id() == 256 + i && added.get(i).special();
        }
        return bytes ? new ByteTokenizer(added.stream().map(AddedToken::content).toList()) : tokenizer;
    }
}
