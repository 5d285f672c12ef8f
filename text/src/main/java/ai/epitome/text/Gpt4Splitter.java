package ai.epitome.text;

import static ai.epitome.text.CharacterClasses.LENGTH_SHIFT;
import static ai.epitome.text.CharacterClasses.LETTER;
import static ai.epitome.text.CharacterClasses.NEWLINE;
import static ai.epitome.text.CharacterClasses.NUMBER;
import static ai.epitome.text.CharacterClasses.OTHER;
import static ai.epitome.text.CharacterClasses.WHITE_SPACE;
import static ai.epitome.text.CharacterScan.flags;
import static ai.epitome.text.CharacterScan.skip;
import static ai.epitome.text.CharacterScan.skipLetters;

/// [Splitting#GPT4]'s pattern by hand: contractions in either case, letters with any one character in front that is
/// no letter, number or newline, numbers by at most `digits` characters, runs of other characters with one space in
/// front and newlines behind, and white space, which ends with its last newline or leaves its last character to the
/// piece that follows.
///
/// @param digits the longest number, in characters: 3 for GPT-4 and Llama 3, 1 for Qwen
record Gpt4Splitter(int digits) implements Splitter {

    @Override
    public void split(byte[] text, int from, int to, PieceSink sink) {
        int at = from;
        while (at < to) {
            int end = next(text, at, to);
            sink.piece(text, at, end);
            at = end;
        }
    }

    private int next(byte[] text, int at, int to) {
        byte first = text[at];
        if (first == '\'') {
            int end = CharacterScan.contractionInAnyCase(text, at, to);
            if (end > at) {
                return end;
            }
        }
        int character = CharacterClasses.at(text, at, to);
        int kind = flags(character);
        int next = at + (character >>> LENGTH_SHIFT);
        if (kind == LETTER) {
            return skipLetters(text, next, to);
        }
        if (kind == NUMBER) {
            return number(text, next, to);
        }
        int following = next < to ? CharacterClasses.at(text, next, to) : -1;
        if (kind != NEWLINE && following >= 0 && flags(following) == LETTER) {
            return skipLetters(text, next + (following >>> LENGTH_SHIFT), to);
        }
        if (kind == OTHER || (first == ' ' && following >= 0 && flags(following) == OTHER)) {
            return skip(text, skip(text, next, to, OTHER), to, NEWLINE);
        }
        return whiteSpace(text, at, to);
    }

    private int number(byte[] text, int next, int to) {
        int end = next;
        for (int count = 1; count < digits && end < to; count++) {
            int character = CharacterClasses.at(text, end, to);
            if (flags(character) != NUMBER) {
                break;
            }
            end += character >>> LENGTH_SHIFT;
        }
        return end;
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+` where white space starts at `at`.
    private static int whiteSpace(byte[] text, int at, int to) {
        int afterNewline = -1;
        int end = at;
        while (end < to) {
            int character = CharacterClasses.at(text, end, to);
            if ((flags(character) & WHITE_SPACE) == 0) {
                break;
            }
            end += character >>> LENGTH_SHIFT;
            if (flags(character) == NEWLINE) {
                afterNewline = end;
            }
        }
        return afterNewline > 0 ? afterNewline : CharacterScan.whiteSpaceBeforeWord(text, at, to);
    }
}
