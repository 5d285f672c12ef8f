package ai.epitome.text.split;

import static ai.epitome.text.split.CharacterClasses.LENGTH_SHIFT;
import static ai.epitome.text.split.CharacterClasses.LETTER;
import static ai.epitome.text.split.CharacterClasses.NUMBER;
import static ai.epitome.text.split.CharacterClasses.OTHER;
import static ai.epitome.text.split.CharacterClasses.WHITE_SPACE;
import static ai.epitome.text.split.CharacterScan.kind;
import static ai.epitome.text.split.CharacterScan.skip;
import static ai.epitome.text.split.CharacterScan.skipLetters;

/// [Splitting#GPT2]'s pattern by hand: contractions in lower case, then letters, numbers or other characters each with
/// one space in front, then white space, whose last character is left to the piece that follows.
record Gpt2Splitter() implements Splitter {

    @Override
    public void split(byte[] text, int from, int to, PieceSink sink) {
        int at = from;
        while (at < to) {
            int end = next(text, at, to);
            sink.piece(text, at, end);
            at = end;
        }
    }

    private static int next(byte[] text, int at, int to) {
        byte first = text[at];
        if (first == '\'') {
            int end = CharacterScan.contraction(text, at, to);
            if (end > at) {
                return end;
            }
        }
        int start = first == ' ' && at + 1 < to ? at + 1 : at;
        int character = CharacterClasses.at(text, start, to);
        if ((kind(character) & WHITE_SPACE) != 0) {
            return CharacterScan.whiteSpaceBeforeWord(text, at, to);
        }
        int next = start + (character >>> LENGTH_SHIFT);
        return switch (kind(character)) {
            case LETTER -> skipLetters(text, next, to);
            case NUMBER -> skip(text, next, to, NUMBER);
            default -> skip(text, next, to, OTHER);
        };
    }
}
