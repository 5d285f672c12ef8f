package ai.epitome.text.file;

import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.VocabularyPiece;
import ai.epitome.text.VocabularyPiece.Type;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// A small SentencePiece vocabulary as lists and as files.
final class Pieces {
    private Pieces() {}

    /// Unknown, begin, end, the bytes, and then tokens of falling scores.
    static List<VocabularyPiece> with(String... texts) {
        List<VocabularyPiece> pieces = new ArrayList<>();
        pieces.add(new VocabularyPiece("<unk>", 0, Type.UNKNOWN));
        pieces.add(new VocabularyPiece("<s>", 0, Type.CONTROL));
        pieces.add(new VocabularyPiece("</s>", 0, Type.CONTROL));
        for (int b = 0; b < 256; b++) {
            pieces.add(new VocabularyPiece("<0x%02X>".formatted(b), 0, Type.BYTE));
        }
        for (int i = 0; i < texts.length; i++) {
            pieces.add(new VocabularyPiece(texts[i], -i, Type.NORMAL));
        }
        return pieces;
    }

    static List<VocabularyPiece> small() {
        return with(
                "\u2581t", "he", "\u2581the", "\u2581", "h", "t", "e", "x", "S", "\u4eac", "\u6771\u4eac", "o", "m");
    }

    static SentencePieceTokenizer tokenizer(String... texts) {
        return new SentencePieceTokenizer(with(texts), true, OptionalInt.of(1));
    }

    /// The small vocabulary as llama2.c writes it.
    static byte[] llama2c() {
        ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(27);
        for (VocabularyPiece piece : small()) {
            String text = piece.type() == Type.CONTROL ? "\n" + piece.text() + "\n" : piece.text();
            byte[] bytes = text.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
            file.putFloat(piece.score()).putInt(bytes.length).put(bytes);
        }
        return Arrays.copyOf(file.array(), file.position());
    }

    /// The small vocabulary in the metadata of a GGUF file.
    static byte[] gguf() {
        ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        file.put("GGUF".getBytes(StandardCharsets.US_ASCII))
                .putInt(3)
                .putLong(0)
                .putLong(5);
        string(string(file, "tokenizer.ggml.model").putInt(8), "llama");
        List<VocabularyPiece> pieces = small();
        string(file, "tokenizer.ggml.tokens").putInt(9).putInt(8).putLong(pieces.size());
        pieces.forEach(piece -> string(file, piece.text()));
        string(file, "tokenizer.ggml.scores").putInt(9).putInt(6).putLong(pieces.size());
        pieces.forEach(piece -> file.putFloat(piece.score()));
        string(file, "tokenizer.ggml.token_type").putInt(9).putInt(5).putLong(pieces.size());
        pieces.forEach(piece -> file.putInt(piece.type().ordinal() + 1));
        string(file, "tokenizer.ggml.bos_token_id").putInt(4).putInt(1);
        return Arrays.copyOf(file.array(), file.position());
    }

    private static ByteBuffer string(ByteBuffer file, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return file.putLong(bytes.length).put(bytes);
    }

    /// The small vocabulary as SentencePiece writes it.
    ///
    /// @param kind of model
    /// @param dropsSpaces whether repeated spaces are taken out of texts
    static byte[] model(int kind, boolean dropsSpaces) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        for (VocabularyPiece piece : small()) {
            byte[] text = piece.text().getBytes(StandardCharsets.UTF_8);
            ByteBuffer message = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            message.put((byte) 0x0A).put((byte) text.length).put(text);
            message.put((byte) 0x15).putFloat(piece.score());
            message.put((byte) 0x18).put((byte) (piece.type().ordinal() + 1));
            file.write(0x0A);
            file.write(message.position());
            file.write(message.array(), 0, message.position());
        }
        byte drops = (byte) (dropsSpaces ? 1 : 0);
        file.writeBytes(new byte[] {0x12, 2, 0x18, (byte) kind, 0x1A, 4, 0x18, 1, 0x20, drops});
        return file.toByteArray();
    }
}
