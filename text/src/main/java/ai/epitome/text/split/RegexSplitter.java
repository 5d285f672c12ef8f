package ai.epitome.text.split;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Splits by any regular expression: every match is a piece, and so is what lies between two matches.
///
/// Patterns come from files and may be hostile. Matching counts the characters that the matcher looks at and gives up
/// with an [IllegalStateException] when it looks at far more than a sensible pattern needs, so exponential
/// backtracking ends at once.
///
/// Bytes that are not UTF-8 appear to the pattern as unpaired low surrogates, which are neither letters, nor numbers,
/// nor white space.
final class RegexSplitter implements Splitter {
    /// Unicode meaning of `\s`, `\d`, `\w` and of case; `$` and `.` know `\n` alone, as in Oniguruma and Rust.
    private static final int FLAGS =
            Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE | Pattern.UNIX_LINES | Pattern.MULTILINE;

    private static final Pattern SCRIPT = Pattern.compile("(\\\\[pP]\\{)(\\^?)(\\p{Alpha}{3,})}");

    /// Alternatives times lookahead times backtracking over one word: real patterns stay below 100 looks a character.
    private static final int LOOKS_PER_CHARACTER = 2_000;

    private static final int LOOKS_FREE = 100_000;

    private final String source;
    private final Pattern pattern;

    /// @throws IllegalArgumentException if the pattern is not a regular expression that Java can run
    RegexSplitter(String source) {
        this.source = source;
        try {
            this.pattern = Pattern.compile(withJavaScriptNames(source), FLAGS);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "splitting pattern cannot be used: " + e.getDescription() + " at index " + e.getIndex() + " of "
                            + source,
                    e);
        } catch (StackOverflowError e) {
            throw new IllegalArgumentException("splitting pattern is nested too deeply: " + source, e);
        }
    }

    /// `\p{Han}` is written `\p{IsHan}` in Java; general categories have at most two letters.
    private static String withJavaScriptNames(String source) {
        return SCRIPT.matcher(source).replaceAll(match -> {
            String name = match.group(3).startsWith("Is") ? match.group(3) : "Is" + match.group(3);
            return Matcher.quoteReplacement(match.group(1) + match.group(2) + name + "}");
        });
    }

    @Override
    public void split(byte[] text, int from, int to, PieceSink sink) {
        String characters = decode(text, from, to);
        Matcher matcher = pattern.matcher(new CountedLooks(characters));
        int at = from;
        int done = 0;
        try {
            while (matcher.find()) {
                if (matcher.start() > done) {
                    int end = at + byteLength(characters, done, matcher.start());
                    sink.piece(text, at, end);
                    at = end;
                }
                if (matcher.end() > matcher.start()) {
                    int end = at + byteLength(characters, matcher.start(), matcher.end());
                    sink.piece(text, at, end);
                    at = end;
                }
                done = matcher.end();
            }
        } catch (StackOverflowError e) {
            throw tooExpensive("needs too deep a stack", at - from, e);
        } catch (TooManyLooks e) {
            throw tooExpensive("backtracks without end", at - from, e);
        }
        if (at < to) {
            sink.piece(text, at, to);
        }
    }

    private IllegalStateException tooExpensive(String what, int offset, Throwable cause) {
        return new IllegalStateException(
                "the tokenizer's splitting pattern " + what + " on this text, near byte " + offset
                        + "; use a tokenizer with a simpler pattern than " + source,
                cause);
    }

    private static String decode(byte[] text, int from, int to) {
        var characters = new StringBuilder(to - from);
        int at = from;
        while (at < to) {
            int length = Utf8.sequenceLength(text, at, to);
            if (length == 0) {
                characters.append((char) (Character.MIN_LOW_SURROGATE | text[at] & 0xFF));
                at++;
            } else {
                characters.appendCodePoint(Utf8.codePoint(text, at, length));
                at += length;
            }
        }
        return characters.toString();
    }

    /// The bytes that `characters[from, to)` came from; an unpaired low surrogate came from one.
    private static int byteLength(String characters, int from, int to) {
        int bytes = 0;
        for (int i = from; i < to; i++) {
            char c = characters.charAt(i);
            if (Character.isHighSurrogate(c)) {
                bytes += 4;
                i++;
            } else {
                bytes += c < 0x80 || Character.isLowSurrogate(c) ? 1 : c < 0x800 ? 2 : 3;
            }
        }
        return bytes;
    }

    /// A text that gives up after a number of looks in proportion to its length.
    private static final class CountedLooks implements CharSequence {
        private final String text;
        private long left;

        CountedLooks(String text) {
            this.text = text;
            this.left = LOOKS_FREE + (long) text.length() * LOOKS_PER_CHARACTER;
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new TooManyLooks();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final class TooManyLooks extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooManyLooks() {
            super(null, null, false, false);
        }
    }
}
