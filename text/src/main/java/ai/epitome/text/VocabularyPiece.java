package ai.epitome.text;

import java.nio.charset.StandardCharsets;

/// One entry of a SentencePiece vocabulary, as its `.model`, GGUF and llama2.c files have it.
///
/// @param text what it stands for; in most files U+2581 stands for a space in it
/// @param score of two pairs that could be joined, the one whose result has the higher score is
/// @param type what the entry is for
public record VocabularyPiece(String text, float score, Type type) {
    private static final char SPACE = '\u2581';

    /// What an entry is for, in the order of the numbers that files give them, from 1 on.
    public enum Type {
        /// Text, which is joined from its parts.
        NORMAL,
        /// Stands for what the vocabulary cannot spell.
        UNKNOWN,
        /// Never comes from text.
        CONTROL,
        /// Text that is taken out before anything is joined.
        USER_DEFINED,
        /// Never comes from text either.
        UNUSED,
        /// One byte, `<0x0A>`.
        BYTE;

        /// @throws IllegalArgumentException if no type has this number
        public static Type of(long number) {
            if (number < 1 || number > values().length) {
                throw new IllegalArgumentException("token type " + number + " is unknown; types are 1 to 6");
            }
            return values()[(int) number - 1];
        }

        /// Its number in files.
        public int number() {
            return ordinal() + 1;
        }
    }

    /// @throws IllegalArgumentException if the score is no number, the text too long, or a byte is not written as one
    public VocabularyPiece {
        if (Float.isNaN(score)) {
            throw new IllegalArgumentException("the score of '" + text + "' is not a number");
        }
        if (text.length() > BytePairVocabulary.LONGEST_TOKEN) {
            throw new IllegalArgumentException("a token of " + text.length() + " characters; at most "
                    + BytePairVocabulary.LONGEST_TOKEN + " are allowed");
        }
        if (type == Type.BYTE && !text.matches("<0x[0-9A-Fa-f]{2}>")) {
            throw new IllegalArgumentException("byte token '" + text + "' is not written as <0x0A>");
        }
    }

    /// Its text with U+2581 for spaces, which some files leave as they are.
    public String escaped() {
        return type == Type.NORMAL || type == Type.UNUSED ? text.replace(' ', SPACE) : text;
    }

    /// The bytes of text that it stands for; none for control tokens and the unknown one.
    public byte[] bytes() {
        return switch (type) {
            case NORMAL, USER_DEFINED, UNUSED -> text.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
            case BYTE -> new byte[] {(byte) Integer.parseInt(text.substring(3, 5), 16)};
            case UNKNOWN, CONTROL -> new byte[0];
        };
    }
}
