package ai.epitome.text.split;

import static ai.epitome.text.split.CharacterClasses.LENGTH_SHIFT;
import static ai.epitome.text.split.CharacterClasses.LETTER;
import static ai.epitome.text.split.CharacterClasses.NEWLINE;
import static ai.epitome.text.split.CharacterClasses.NUMBER;
import static ai.epitome.text.split.CharacterClasses.OTHER;
import static ai.epitome.text.split.CharacterScan.kind;
import static ai.epitome.text.split.CharacterScan.skip;
import static ai.epitome.text.split.CharacterScan.skipLetters;

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
        int kind = kind(character);
        int next = at + (character >>> LENGTH_SHIFT);
        if (kind == LETTER) {
            return skipLetters(text, next, to);
        }
        if (kind == NUMBER) {
            return CharacterScan.number(text, next, to, digits);
        }
        int following = next < to ? CharacterClasses.at(text, next, to) : -1;
        if (kind != NEWLINE && following >= 0 && kind(following) == LETTER) {
            return skipLetters(text, next + (following >>> LENGTH_SHIFT), to);
        }
        if (kind == OTHER || (first == ' ' && following >= 0 && kind(following) == OTHER)) {
            return skip(text, skip(text, next, to, OTHER), to, NEWLINE);
        }
        return CharacterScan.whiteSpaceToNewline(text, at, to);
    }
}
