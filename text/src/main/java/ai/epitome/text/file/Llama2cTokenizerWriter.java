package ai.epitome.text.file;

import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;

/// Writes a `tokenizer.bin` of llama2.c, drawn at [Llama2cTokenizer]. The program knows the places of bytes and of the
/// tokens that begin and end texts, so other vocabularies are refused.
final class Llama2cTokenizerWriter {
    private static final int BEGIN = 1;
    private static final int END = 2;
    private static final int FIRST_BYTE = 3;

    private Llama2cTokenizerWriter() {}

    /// @param vocabulary ids of the model
    /// @throws IllegalArgumentException if llama2.c would read it as another one
    static byte[] write(Tokenizer tokenizer, int vocabulary) {
        if (!(tokenizer instanceof SentencePieceTokenizer own)) {
            throw new IllegalArgumentException(
                    "llama2.c reads SentencePiece's vocabularies, with scores; this tokenizer is of kind "
                            + tokenizer.kind());
        }
        List<VocabularyPiece> pieces = own.pieces();
        require(
                own.spacePrefix() && own.beginOfText().equals(OptionalInt.of(BEGIN)),
                "texts that begin with token 1 and a space");
        require(
                pieces.size() == vocabulary,
                "as many tokens as the model, %d, not %d".formatted(vocabulary, pieces.size()));
        var bytes = new ByteArrayOutputStream();
        int longest = 0;
        for (int id = 0; id < pieces.size(); id++) {
            requireInPlace(pieces.get(id), id);
            byte[] text = text(pieces.get(id), id).getBytes(StandardCharsets.UTF_8);
            longest = Math.max(longest, text.length);
            ByteBuffer entry =
                    four().putInt(Float.floatToRawIntBits(pieces.get(id).score()));
            bytes.writeBytes(entry.array());
            bytes.writeBytes(four().putInt(text.length).array());
            bytes.writeBytes(text);
        }
        byte[] body = bytes.toByteArray();
        return ByteBuffer.allocate(Integer.BYTES + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(longest)
                .put(body)
                .array();
    }

    private static ByteBuffer four() {
        return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(VocabularyPiece piece, int id) {
        return id == BEGIN || id == END
                ? "\n" + piece.text() + "\n"
                : piece.text().replace('\u2581', ' ');
    }

    private static void requireInPlace(VocabularyPiece piece, int id) {
        VocabularyPiece.Type expected = switch (id) {
            case 0 -> VocabularyPiece.Type.UNKNOWN;
            case BEGIN, END -> VocabularyPiece.Type.CONTROL;
            default -> id < FIRST_BYTE + 256 ? VocabularyPiece.Type.BYTE : VocabularyPiece.Type.NORMAL;
        };
        boolean value = piece.type() != VocabularyPiece.Type.BYTE || (piece.bytes()[0] & 0xFF) == id - FIRST_BYTE;
        require(
                piece.type() == expected && value,
                "unknown, begin and end as tokens 0 to 2, bytes from 3 on and text behind; token %d, '%s', is not in place"
                        .formatted(id, piece.text()));
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new IllegalArgumentException("llama2.c wants a vocabulary with " + what);
        }
    }
}
