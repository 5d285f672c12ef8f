package ai.epitome.text.split;

import java.util.Arrays;

/// Which kind of character starts at a byte, by table: what the hand-written splitters ask in place of a regular
/// expression's `\p{L}`, `\p{N}`, `\s`, and the cases of letters.
///
/// A two-level table over all code points (blocks of 256, equal blocks shared) holds one byte of them each. A byte
/// that starts no valid UTF-8 sequence (Unicode 16, table 3-7) is a character by itself, of kind [#OTHER].
final class CharacterClasses {
    static final int OTHER = 0;
    static final int LETTER = 1;
    static final int NUMBER = 2;
    /// White space other than `\r` and `\n`.
    static final int SPACE = 4;
    /// `\r` or `\n`.
    static final int NEWLINE = 8;

    static final int WHITE_SPACE = SPACE | NEWLINE;

    /// The kinds, of which a character has one.
    static final int KIND = 0x0F;

    /// Besides the kind: may stand among upper-case letters (`\p{Lu}`, `\p{Lt}`, and what has no case).
    static final int UPPER = 0x10;
    /// Besides the kind: may stand among lower-case letters (`\p{Ll}`, and what has no case).
    static final int LOWER = 0x20;
    /// Letters without case (`\p{Lm}`, `\p{Lo}`), and the marks that stand above and below letters (`\p{M}`, of kind
    /// [#OTHER]).
    private static final int CASELESS = UPPER | LOWER;

    /// Kind and case of the ASCII bytes; the negative marker tells that the byte is not ASCII.
    static final byte[] BYTE = new byte[256];

    static final byte NOT_ASCII = -1;

    /// In a result of [#at]: the character's length in bytes is `result >>> LENGTH_SHIFT`; kind and case are below.
    static final int LENGTH_SHIFT = 8;

    private static final int BLOCK_BITS = 8;
    private static final int BLOCK = 1 << BLOCK_BITS;
    private static final short[] BLOCK_OF = new short[(Character.MAX_CODE_POINT + 1) >> BLOCK_BITS];
    private static final byte[] BLOCKS;

    static {
        byte[] blocks = new byte[0];
        byte[] block = new byte[BLOCK];
        for (int b = 0; b < BLOCK_OF.length; b++) {
            for (int i = 0; i < BLOCK; i++) {
                block[i] = (byte) classify((b << BLOCK_BITS) + i);
            }
            int same = 0;
            while (same < blocks.length && !Arrays.equals(blocks, same, same + BLOCK, block, 0, BLOCK)) {
                same += BLOCK;
            }
            if (same == blocks.length) {
                blocks = Arrays.copyOf(blocks, same + BLOCK);
                System.arraycopy(block, 0, blocks, same, BLOCK);
            }
            BLOCK_OF[b] = (short) (same >> BLOCK_BITS);
        }
        BLOCKS = blocks;
        for (int b = 0; b < 256; b++) {
            BYTE[b] = b < 0x80 ? (byte) classify(b) : NOT_ASCII;
        }
    }

    private CharacterClasses() {}

    /// Length, kind and case of the character that starts at `text[at]`; `at < to`.
    static int at(byte[] text, int at, int to) {
        byte flags = BYTE[text[at] & 0xFF];
        return flags >= 0 ? 1 << LENGTH_SHIFT | flags : beyondAscii(text, at, to);
    }

    private static int beyondAscii(byte[] text, int at, int to) {
        int length = Utf8.sequenceLength(text, at, to);
        if (length == 0) {
            return 1 << LENGTH_SHIFT | OTHER;
        }
        return length << LENGTH_SHIFT | ofCodePoint(Utf8.codePoint(text, at, length));
    }

    private static int ofCodePoint(int point) {
        return BLOCKS[BLOCK_OF[point >> BLOCK_BITS] << BLOCK_BITS | point & BLOCK - 1];
    }

    private static int classify(int point) {
        return switch (Character.getType(point)) {
            case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> LETTER | UPPER;
            case Character.LOWERCASE_LETTER -> LETTER | LOWER;
            case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> LETTER | CASELESS;
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
                OTHER | CASELESS;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            // Unicode's White_Space property: the separators and six control characters.
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default ->
                switch (point) {
                    case '\n', '\r' -> NEWLINE;
                    case '\t', 0x0B, '\f', 0x85 -> SPACE;
                    default -> OTHER;
                };
        };
    }
}
