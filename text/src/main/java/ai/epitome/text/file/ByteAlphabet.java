package ai.epitome.text.file;

import java.util.Arrays;

/// The printable stand-ins for bytes that GPT-2 introduced and every byte-level `tokenizer.json` uses: bytes that
/// are printable in Latin-1 stand for themselves, the other 68 follow from U+0100 on in byte order (a space becomes
/// `Ġ`, a newline `Ċ`).
final class ByteAlphabet {
    private static final int CHARACTERS = 256 + 68;
    private static final char[] CHARACTER_OF = new char[256];
    private static final short[] BYTE_OF = new short[CHARACTERS];

    static {
        Arrays.fill(BYTE_OF, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            CHARACTER_OF[b] = (char) (printable ? b : next++);
            BYTE_OF[CHARACTER_OF[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    static String toText(byte[] bytes) {
        char[] characters = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            characters[i] = CHARACTER_OF[bytes[i] & 0xFF];
        }
        return new String(characters);
    }

    /// The bytes that the text stands for, or null if it holds a character outside the alphabet.
    static byte[] toBytes(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = text.charAt(i);
            if (c >= CHARACTERS || BYTE_OF[c] < 0) {
                return null;
            }
            bytes[i] = (byte) BYTE_OF[c];
        }
        return bytes;
    }
}
