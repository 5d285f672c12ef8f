package ai.epitome.text.file;

import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The `tokenizer.bin` of llama2.c, a SentencePiece vocabulary without its types:
///
/// ```
/// longest i32                                     bytes of the longest token
/// tokens x { score f32, length i32, UTF-8 bytes }  little-endian, up to the end of the file
/// ```
///
/// Ids 0, 1 and 2 are `<unk>`, `<s>` and `</s>`, the last two between line breaks; 3 to 258 are the bytes. All texts
/// begin with `<s>`.
///
/// Format: <https://github.com/karpathy/llama2.c>, `tokenizer.py`.
final class Llama2cTokenizer {
    private static final int UNKNOWN = 0;
    private static final int BEGIN = 1;
    private static final int END = 2;
    private static final int FIRST_BYTE = 3;
    private static final int FIRST_TEXT = FIRST_BYTE + 256;

    private final InputStream input;
    private final String where;
    private long offset;

    private Llama2cTokenizer(InputStream input, String where) {
        this.input = input;
        this.where = where;
    }

    /// Whether a file may be one by its first 16 bytes: the first token's length is within the longest's.
    static boolean maybe(byte[] start) {
        if (start.length < 16) {
            return false;
        }
        ByteBuffer buffer = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
        int longest = buffer.getInt(0);
        return longest >= 1
                && longest <= BytePairVocabulary.LONGEST_TOKEN
                && buffer.getInt(8) >= 1
                && buffer.getInt(8) <= longest;
    }

    static Tokenizer read(InputStream input, String where) throws IOException {
        return new Llama2cTokenizer(input, where).read();
    }

    private Tokenizer read() throws IOException {
        int longest = number(bytes(Integer.BYTES, false));
        check(
                longest >= 1 && longest <= BytePairVocabulary.LONGEST_TOKEN,
                "the longest token has " + longest + " bytes, expected 1 to " + BytePairVocabulary.LONGEST_TOKEN);
        List<VocabularyPiece> pieces = new ArrayList<>();
        for (byte[] score = bytes(Float.BYTES, true); score.length > 0; score = bytes(Float.BYTES, true)) {
            check(pieces.size() < BytePairVocabulary.MOST_TOKENS, "more than " + BytePairVocabulary.MOST_TOKENS);
            int length = number(bytes(Integer.BYTES, false));
            check(
                    length >= 0 && length <= longest,
                    "token " + pieces.size() + " has " + length + " bytes, expected 0 to " + longest);
            String text = new String(bytes(length, false), StandardCharsets.UTF_8);
            pieces.add(piece(pieces.size(), text, Float.intBitsToFloat(number(score))));
        }
        check(pieces.size() > FIRST_TEXT, pieces.size() + " tokens, expected more than " + FIRST_TEXT);
        try {
            return new SentencePieceTokenizer(pieces, true, OptionalInt.of(BEGIN));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private VocabularyPiece piece(int id, String text, float score) throws MalformedTokenizerException {
        try {
            return switch (id) {
                case UNKNOWN -> new VocabularyPiece(text, score, VocabularyPiece.Type.UNKNOWN);
                case BEGIN, END -> new VocabularyPiece(text.strip(), score, VocabularyPiece.Type.CONTROL);
                default ->
                    new VocabularyPiece(
                            text, score, id < FIRST_TEXT ? VocabularyPiece.Type.BYTE : VocabularyPiece.Type.NORMAL);
            };
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    /// @param mayEnd whether the file may end here, which gives no bytes
    private byte[] bytes(int length, boolean mayEnd) throws IOException {
        byte[] bytes = input.readNBytes(length);
        if (bytes.length < length && !(mayEnd && bytes.length == 0)) {
            throw new MalformedTokenizerException(
                    where, new EOFException("the file ends within a token, behind byte " + offset));
        }
        offset += bytes.length;
        return bytes;
    }

    private static int number(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    private void check(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw new MalformedTokenizerException(where, rule + " (before byte " + offset + ")");
        }
    }
}
