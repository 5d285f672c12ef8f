package ai.epitome.text.split;

import static ai.epitome.text.split.CharacterClasses.LENGTH_SHIFT;
import static ai.epitome.text.split.CharacterClasses.LETTER;
import static ai.epitome.text.split.CharacterClasses.LOWER;
import static ai.epitome.text.split.CharacterClasses.NEWLINE;
import static ai.epitome.text.split.CharacterClasses.NUMBER;
import static ai.epitome.text.split.CharacterClasses.OTHER;
import static ai.epitome.text.split.CharacterClasses.SPACE;
import static ai.epitome.text.split.CharacterClasses.UPPER;
import static ai.epitome.text.split.CharacterScan.kind;
import static ai.epitome.text.split.CharacterScan.skip;
import static ai.epitome.text.split.CharacterScan.skipCase;

/// [Splitting#GPT4O]'s pattern by hand. It is [Gpt4Splitter]'s but for words: upper-case letters, then lower-case ones
/// (`[Lu Lt Lm Lo M]*[Ll Lm Lo M]+`), or, where that finds nothing, upper-case ones alone. Letters without case and
/// marks are in both sets. A contraction belongs to the word before it, and other characters end with slashes too.
record Gpt4oSplitter() implements Splitter {
    private static final int DIGITS = 3;

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
        int character = CharacterClasses.at(text, at, to);
        int next = at + (character >>> LENGTH_SHIFT);
        int kind = kind(character);
        if (kind == NUMBER) {
            return CharacterScan.number(text, next, to, DIGITS);
        }
        if (kind != NEWLINE) {
            // Any one character but a newline or number may stand before the letters.
            int start = kind == LETTER ? at : next;
            int upper = skipCase(text, start, to, UPPER);
            int lower = endInLower(text, start, upper, to);
            if (lower > start) {
                return withContraction(text, lower, to);
            }
            if (kind == OTHER && (character & LOWER) != 0) { // a mark is a word by itself
                return withContraction(text, next, to);
            }
            if (upper > start) {
                return withContraction(text, upper, to);
            }
        }
        if (kind == OTHER || kind == SPACE && text[at] == ' ' && skip(text, next, to, OTHER) > next) {
            return newlinesAndSlashes(text, skip(text, next, to, OTHER), to);
        }
        return CharacterScan.whiteSpaceToNewline(text, at, to);
    }

    /// The end of `[Lu Lt Lm Lo M]*[Ll Lm Lo M]+` at `start`, or `start` where that finds nothing; the run of the first
    /// set ends at `upper`. Where no lower-case letter follows, the expression gives back what it took, up to
    /// the last character that is in both sets.
    private static int endInLower(byte[] text, int start, int upper, int to) {
        int lower = skipCase(text, upper, to, LOWER);
        if (lower > upper) {
            return lower;
        }
        int end = upper;
        while (end > start) {
            int last = end - 1;
            while ((text[last] & 0xC0) == 0x80) {
                last--;
            }
            if ((CharacterClasses.at(text, last, to) & LOWER) != 0) {
                return end;
            }
            end = last;
        }
        return start;
    }

    private static int withContraction(byte[] text, int end, int to) {
        return end < to && text[end] == '\'' ? CharacterScan.contractionInAnyCase(text, end, to) : end;
    }

    private static int newlinesAndSlashes(byte[] text, int at, int to) {
        int end = at;
        while (end < to && (text[end] == '\n' || text[end] == '\r' || text[end] == '/')) {
            end++;
        }
        return end;
    }
}
