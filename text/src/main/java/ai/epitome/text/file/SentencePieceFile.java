package ai.epitome.text.file;

import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// SentencePiece's `tokenizer.model`, a Protocol Buffers message:
///
/// ```
/// 1  pieces, repeated: { 1 text, 2 score f32, 3 type }
/// 2  training: { 3 kind (1 unigram, 2 BPE), 24 spaces end words, 41 id of the token that begins texts }
/// 3  normalisation: { 1 name, 2 its table, 3 space before texts, 4 spaces are dropped, 5 spaces become U+2581 }
/// ```
///
/// Only BPE that leaves text as it is can be read: Llama's, Mistral's, Gemma's.
///
/// Format: <https://github.com/google/sentencepiece>, `sentencepiece_model.proto`.
final class SentencePieceFile {
    /// The largest today have some four megabytes.
    private static final int MOST_BYTES = 1 << 26;

    private static final int BPE = 2;

    private final String where;
    private final List<VocabularyPiece> pieces = new ArrayList<>();
    private long kind = 1;
    private long begin = 1;
    private boolean spaceEndsWords;
    private boolean table;
    private boolean spacePrefix = true;
    private boolean dropsSpaces = true;
    private boolean escapesSpaces = true;

    private SentencePieceFile(String where) {
        this.where = where;
    }

    /// Whether a file may be one by its first bytes: a piece, which begins with its text.
    static boolean maybe(byte[] start) {
        return start.length > 2 && start[0] == 0x0A && start[1] > 0 && start[2] == 0x0A;
    }

    static Tokenizer read(InputStream input, String where) throws IOException {
        byte[] bytes = input.readNBytes(MOST_BYTES);
        if (input.read() >= 0) {
            throw new MalformedTokenizerException(where, "more than " + MOST_BYTES + " bytes");
        }
        var file = new SentencePieceFile(where);
        file.readModel(new ProtobufReader(bytes, where));
        return file.build();
    }

    private void readModel(ProtobufReader model) throws MalformedTokenizerException {
        while (model.next()) {
            switch (model.number()) {
                case 1 -> readPiece(model.message());
                case 2 -> readTraining(model.message());
                case 3 -> readNormalization(model.message());
                default -> model.skip();
            }
        }
    }

    private void readPiece(ProtobufReader message) throws MalformedTokenizerException {
        String text = "";
        float score = 0;
        long type = 1;
        while (message.next()) {
            switch (message.number()) {
                case 1 -> text = message.text();
                case 2 -> score = message.fourBytes();
                case 3 -> type = message.varint();
                default -> message.skip();
            }
        }
        require(pieces.size() < BytePairVocabulary.MOST_TOKENS, "more than " + BytePairVocabulary.MOST_TOKENS);
        try {
            pieces.add(new VocabularyPiece(text, score, VocabularyPiece.Type.of(type)));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, "token " + pieces.size() + ": " + e.getMessage());
        }
    }

    private void readTraining(ProtobufReader message) throws MalformedTokenizerException {
        while (message.next()) {
            switch (message.number()) {
                case 3 -> kind = message.varint();
                case 24 -> spaceEndsWords = message.varint() != 0;
                case 41 -> begin = message.varint();
                default -> message.skip();
            }
        }
    }

    private void readNormalization(ProtobufReader message) throws MalformedTokenizerException {
        while (message.next()) {
            switch (message.number()) {
                case 2 -> table = !message.text().isEmpty();
                case 3 -> spacePrefix = message.varint() != 0;
                case 4 -> dropsSpaces = message.varint() != 0;
                case 5 -> escapesSpaces = message.varint() != 0;
                default -> message.skip();
            }
        }
    }

    private Tokenizer build() throws MalformedTokenizerException {
        require(!pieces.isEmpty(), "no tokens; is this a SentencePiece model?");
        require(kind == BPE, "a SentencePiece model of kind " + kind + "; only BPE, 2, can be read");
        require(!table && !dropsSpaces, "it normalises text before it splits it, which is not supported");
        require(!spaceEndsWords && escapesSpaces, "spaces that are not written at the beginnings of words");
        boolean begins =
                begin >= 0 && begin < pieces.size() && pieces.get((int) begin).type() == VocabularyPiece.Type.CONTROL;
        try {
            return new SentencePieceTokenizer(
                    pieces, spacePrefix, begins ? OptionalInt.of((int) begin) : OptionalInt.empty());
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private void require(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw new MalformedTokenizerException(where, rule);
        }
    }
}
