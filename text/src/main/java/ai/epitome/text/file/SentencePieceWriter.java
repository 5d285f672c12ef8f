package ai.epitome.text.file;

import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.VocabularyPiece;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Writes SentencePiece's `tokenizer.model`, drawn at [SentencePieceFile].
final class SentencePieceWriter {
    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FOUR_BYTES = 5;
    private static final int BPE = 2;

    private SentencePieceWriter() {}

    static byte[] write(SentencePieceTokenizer tokenizer) {
        var model = new ByteArrayOutputStream();
        int unknown = -1;
        for (int id = 0; id < tokenizer.pieces().size(); id++) {
            VocabularyPiece piece = tokenizer.pieces().get(id);
            unknown = unknown < 0 && piece.type() == VocabularyPiece.Type.UNKNOWN ? id : unknown;
            message(model, 1, piece(piece));
        }
        message(model, 2, training(tokenizer, unknown));
        message(model, 3, normalization(tokenizer));
        return model.toByteArray();
    }

    private static byte[] piece(VocabularyPiece piece) {
        var message = new ByteArrayOutputStream();
        message(message, 1, piece.escaped().getBytes(StandardCharsets.UTF_8));
        varint(message, 2 << 3 | FOUR_BYTES);
        message.writeBytes(ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(piece.score())
                .array());
        number(message, 3, piece.type().number());
        return message.toByteArray();
    }

    private static byte[] training(SentencePieceTokenizer tokenizer, int unknown) {
        var message = new ByteArrayOutputStream();
        number(message, 3, BPE);
        number(message, 4, tokenizer.vocabularySize());
        number(message, 35, tokenizer.spellsAllBytes() ? 1 : 0);
        number(message, 40, unknown);
        number(message, 41, tokenizer.beginOfText().orElse(-1));
        number(message, 42, tokenizer.endOfText().orElse(-1));
        number(message, 43, -1);
        return message.toByteArray();
    }

    private static byte[] normalization(SentencePieceTokenizer tokenizer) {
        var message = new ByteArrayOutputStream();
        message(message, 1, "identity".getBytes(StandardCharsets.UTF_8));
        number(message, 3, tokenizer.spacePrefix() ? 1 : 0);
        number(message, 4, 0);
        number(message, 5, 1);
        return message.toByteArray();
    }

    private static void message(ByteArrayOutputStream output, int field, byte[] content) {
        varint(output, field << 3 | BYTES);
        varint(output, content.length);
        output.writeBytes(content);
    }

    private static void number(ByteArrayOutputStream output, int field, long value) {
        varint(output, field << 3 | VARINT);
        varint(output, value);
    }

    private static void varint(ByteArrayOutputStream output, long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            output.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        output.write((int) rest);
    }
}
