package ai.epitome.text.split;

import static ai.epitome.text.split.CharacterClasses.BYTE;
import static ai.epitome.text.split.CharacterClasses.KIND;
import static ai.epitome.text.split.CharacterClasses.LENGTH_SHIFT;
import static ai.epitome.text.split.CharacterClasses.LETTER;
import static ai.epitome.text.split.CharacterClasses.NEWLINE;
import static ai.epitome.text.split.CharacterClasses.NOT_ASCII;
import static ai.epitome.text.split.CharacterClasses.NUMBER;
import static ai.epitome.text.split.CharacterClasses.WHITE_SPACE;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The steps that the hand-written splitters share.
final class CharacterScan {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    /// Repeats a byte eight times, as a factor.
    private static final long EACH = 0x0101010101010101L;

    private CharacterScan() {}

    /// The kind in a result of [CharacterClasses#at].
    static int kind(int character) {
        return character & KIND;
    }

    /// The end of the run of characters of exactly this kind that starts at `at`, or `at` itself.
    static int skip(byte[] text, int at, int to, int kind) {
        int end = at;
        while (end < to) {
            byte ascii = BYTE[text[end] & 0xFF];
            if (ascii == NOT_ASCII) {
                int character = CharacterClasses.at(text, end, to);
                if (kind(character) != kind) {
                    return end;
                }
                end += character >>> LENGTH_SHIFT;
            } else if (kind(ascii) == kind) {
                end++;
            } else {
                return end;
            }
        }
        return end;
    }

    /// The end of the run of characters that may stand among letters of this case, [CharacterClasses#UPPER] or
    /// [CharacterClasses#LOWER], which starts at `at`, or `at` itself.
    static int skipCase(byte[] text, int at, int to, int letterCase) {
        int end = at;
        while (end < to) {
            byte ascii = BYTE[text[end] & 0xFF];
            if (ascii == NOT_ASCII) {
                int character = CharacterClasses.at(text, end, to);
                if ((character & letterCase) == 0) {
                    return end;
                }
                end += character >>> LENGTH_SHIFT;
            } else if ((ascii & letterCase) != 0) {
                end++;
            } else {
                return end;
            }
        }
        return end;
    }

    /// The end of a number of at most `digits` characters, whose second would start at `next`.
    static int number(byte[] text, int next, int to, int digits) {
        int end = next;
        for (int count = 1; count < digits && end < to; count++) {
            int character = CharacterClasses.at(text, end, to);
            if (kind(character) != NUMBER) {
                break;
            }
            end += character >>> LENGTH_SHIFT;
        }
        return end;
    }

    /// The end of the run of letters that starts at `at`, or `at` itself: [#skip], but ASCII letters eight at a time,
    /// since where a word ends is what a processor cannot foresee.
    static int skipLetters(byte[] text, int at, int to) {
        int end = at;
        while (end <= text.length - Long.BYTES) {
            long bytes = (long) LONG.get(text, end);
            long lowerCase = (bytes | EACH * 0x20) & EACH * 0x7F;
            long fromA = lowerCase + EACH * (0x80 - 'a');
            long beyondZ = lowerCase + EACH * (0x80 - 'z' - 1);
            long others = ~(fromA & ~beyondZ & ~bytes) & EACH * 0x80;
            if (others != 0) {
                end += Long.numberOfTrailingZeros(others) >>> 3;
                return end >= to ? to : text[end] < 0 ? skip(text, end, to, LETTER) : end;
            }
            end += Long.BYTES;
        }
        return end >= to ? to : skip(text, end, to, LETTER);
    }

    /// `\s+(?!\S)|\s+` where white space starts at `at`: all of it at the end of the text, else all but its last
    /// character, but at least one.
    static int whiteSpaceBeforeWord(byte[] text, int at, int to) {
        int end = at;
        int last = at;
        while (end < to) {
            int character = CharacterClasses.at(text, end, to);
            if ((kind(character) & WHITE_SPACE) == 0) {
                return last > at ? last : end;
            }
            last = end;
            end += character >>> LENGTH_SHIFT;
        }
        return end;
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+` where white space starts at `at`: up to its last newline, and where there is none
    /// like [#whiteSpaceBeforeWord].
    static int whiteSpaceToNewline(byte[] text, int at, int to) {
        int afterNewline = -1;
        int end = at;
        while (end < to) {
            int character = CharacterClasses.at(text, end, to);
            if ((character & WHITE_SPACE) == 0) {
                break;
            }
            end += character >>> LENGTH_SHIFT;
            if (kind(character) == NEWLINE) {
                afterNewline = end;
            }
        }
        return afterNewline > 0 ? afterNewline : whiteSpaceBeforeWord(text, at, to);
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `at`, where an apostrophe stands; else `at`.
    static int contraction(byte[] text, int at, int to) {
        if (at + 1 >= to) {
            return at;
        }
        return contraction(at, text[at + 1], at + 2 < to ? text[at + 2] : 0);
    }

    /// Like [#contraction], in any case. Unicode folds U+017F, the long s, to `s`: the only such letter here.
    static int contractionInAnyCase(byte[] text, int at, int to) {
        if (at + 1 >= to) {
            return at;
        }
        byte second = at + 2 < to ? text[at + 2] : 0;
        if (text[at + 1] == (byte) 0xC5 && second == (byte) 0xBF) {
            return at + 3;
        }
        return contraction(at, lowerCase(text[at + 1]), lowerCase(second));
    }

    private static int contraction(int at, byte first, byte second) {
        return switch (first) {
            case 's', 't', 'm', 'd' -> at + 2;
            case 'r', 'v' -> second == 'e' ? at + 3 : at;
            case 'l' -> second == 'l' ? at + 3 : at;
            default -> at;
        };
    }

    private static byte lowerCase(byte letter) {
        return letter >= 'A' && letter <= 'Z' ? (byte) (letter + ('a' - 'A')) : letter;
    }
}
