package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Normalization;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import ai.epitome.text.split.Splitting;
import java.util.ArrayList;
import java.util.List;

/// A tokenizer as metadata of a GGUF file, in the keys that [GgufTokenizer] reads: byte-level BPE as `gpt2`,
/// SentencePiece's BPE as `llama`. Such a file has as many tokens as the model has rows of embeddings: ids without a
/// token become `[PAD7]`, unused.
///
/// Files name their splitting, and llama.cpp knows the names' patterns; a splitting without a name is refused.
final class GgufTokenizerWriter {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final float PADDING_SCORE = -10_000;

    private final GgufMetadataWriter metadata;
    private final int vocabulary;
    private final List<String> notes = new ArrayList<>();

    private GgufTokenizerWriter(GgufMetadataWriter metadata, int vocabulary) {
        this.metadata = metadata;
        this.vocabulary = vocabulary;
    }

    /// Adds it to `metadata` and returns what a reader of the file should know: where llama.cpp differs.
    ///
    /// @param vocabulary ids of the model, at least the tokenizer's
    /// @throws IllegalArgumentException if the format has no way to say it
    static List<String> write(Tokenizer tokenizer, int vocabulary, GgufMetadataWriter metadata) {
        var writer = new GgufTokenizerWriter(metadata, vocabulary);
        switch (tokenizer) {
            case SentencePieceTokenizer pieces -> writer.sentencePiece(pieces);
            case BytePairTokenizer pairs -> writer.bytePairs(pairs);
            case ByteTokenizer bytes -> writer.bytePairs(ByteTokenizerFile.asBytePairTokenizer(bytes));
            default ->
                throw new IllegalArgumentException("GGUF has no way to hold a tokenizer of kind " + tokenizer.kind());
        }
        metadata.flag(PREFIX + "add_bos_token", tokenizer.beginOfText().isPresent());
        tokenizer.beginOfText().ifPresent(id -> metadata.integer(PREFIX + "bos_token_id", id));
        return writer.notes;
    }

    private void bytePairs(BytePairTokenizer tokenizer) {
        metadata.text(PREFIX + "model", "gpt2");
        metadata.text(PREFIX + "pre", splittingName(tokenizer));
        BytePairVocabulary pairs = tokenizer.vocabulary();
        String[] tokens = new String[vocabulary];
        int[] types = padding(tokens);
        for (int id = 0; id < pairs.size(); id++) {
            if (pairs.token(id) != null) {
                tokens[id] = ByteAlphabet.toText(pairs.token(id));
                types[id] = VocabularyPiece.Type.NORMAL.number();
            }
        }
        for (AddedToken token : tokenizer.addedTokens()) {
            tokens[token.id()] = token.content();
            types[token.id()] =
                    (token.special() ? VocabularyPiece.Type.CONTROL : VocabularyPiece.Type.USER_DEFINED).number();
        }
        metadata.texts(PREFIX + "tokens", List.of(tokens));
        metadata.integers(PREFIX + "token_type", types);
        metadata.texts(PREFIX + "merges", merges(pairs));
    }

    private int[] padding(String[] tokens) {
        int[] types = new int[tokens.length];
        for (int id = 0; id < tokens.length; id++) {
            tokens[id] = "[PAD" + id + "]";
            types[id] = VocabularyPiece.Type.UNUSED.number();
        }
        return types;
    }

    private static List<String> merges(BytePairVocabulary vocabulary) {
        var merges = new ArrayList<String>(vocabulary.mergeCount());
        for (int i = 0; i < vocabulary.mergeCount(); i++) {
            merges.add(ByteAlphabet.toText(vocabulary.token(vocabulary.left(i))) + " "
                    + ByteAlphabet.toText(vocabulary.token(vocabulary.right(i))));
        }
        return merges;
    }

    /// llama.cpp's name of the splitting. Whole pieces that no merges lead to are joined by one of them only.
    private String splittingName(BytePairTokenizer tokenizer) {
        Splitting splitting = tokenizer.splitting();
        Normalization normalization = tokenizer.normalization();
        boolean whole = tokenizer.vocabulary().needsWholePieces();
        if (tokenizer.mergeCount() == 0 && !whole) {
            return "gpt-2"; // single bytes, wherever text is cut
        }
        if (splitting.equals(Splitting.GPT4)) {
            noteNormalization(normalization);
            return whole ? "llama-bpe" : "dbrx";
        }
        if (whole) {
            throw new IllegalArgumentException(
                    "GGUF has no way to hold this tokenizer: pieces that are tokens stay whole though no merges lead to"
                            + " them, which llama.cpp knows of Llama 3's splitting alone");
        }
        if (splitting.equals(Splitting.QWEN2) && normalization == Normalization.NFC) {
            return "qwen2"; // which its readers know to go with NFC, llama.cpp without doing it
        }
        noteNormalization(normalization);
        if (splitting.equals(Splitting.GPT4O)) {
            notes.add(
                    "llama.cpp splits letters beyond ASCII in another way than GPT-4o's pattern says: such text may get"
                            + " other tokens there");
            return "gpt-4o";
        }
        return name(splitting);
    }

    private static String name(Splitting splitting) {
        if (splitting.equals(Splitting.GPT2)) {
            return "gpt-2";
        }
        if (splitting.equals(Splitting.GPT2_DIGITS)) {
            return "smollm";
        }
        if (splitting.equals(Splitting.QWEN2)) {
            return "stablelm2";
        }
        if (splitting.equals(Splitting.DEEPSEEK_LLM)) {
            return "deepseek-llm";
        }
        throw new IllegalArgumentException(
                "GGUF files name their splitting, and llama.cpp has no name for the one of this tokenizer: "
                        + splitting.patterns());
    }

    private void noteNormalization(Normalization normalization) {
        if (normalization != Normalization.NONE) {
            notes.add("llama.cpp does not normalise text, as this tokenizer does (" + normalization
                    + "): text that is not normalised gets other tokens there");
        }
    }

    private void sentencePiece(SentencePieceTokenizer tokenizer) {
        if (tokenizer.merges().isPresent()) {
            notes.add("this tokenizer joins pairs of tokens, llama.cpp whatever makes a token: rare texts may get other"
                    + " tokens there");
        }
        metadata.text(PREFIX + "model", "llama");
        metadata.text(PREFIX + "pre", "default");
        List<VocabularyPiece> pieces = tokenizer.pieces();
        String[] tokens = new String[vocabulary];
        int[] types = padding(tokens);
        float[] scores = new float[vocabulary];
        for (int id = 0; id < vocabulary; id++) {
            scores[id] = PADDING_SCORE;
            if (id < pieces.size()) {
                VocabularyPiece piece = pieces.get(id);
                tokens[id] = piece.escaped();
                types[id] = piece.type().number();
                scores[id] = piece.score();
                if (piece.type() == VocabularyPiece.Type.UNKNOWN && !metadata.has(PREFIX + "unknown_token_id")) {
                    metadata.integer(PREFIX + "unknown_token_id", id);
                }
            }
        }
        metadata.texts(PREFIX + "tokens", List.of(tokens));
        metadata.numbers(PREFIX + "scores", scores);
        metadata.integers(PREFIX + "token_type", types);
        metadata.flag(PREFIX + "add_space_prefix", tokenizer.spacePrefix());
    }
}
