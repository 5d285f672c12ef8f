package ai.epitome.model.constraint.grammar;

import java.util.ArrayList;
import java.util.List;

/// Regular expressions of the common ground of ECMA-262, Java and RE2: literals, `.`, classes, groups, alternation,
/// repetition, `\d \w \s`, `\p{...}` ([UnicodeClasses]), and anchors at the beginning and end of the whole or of one of
/// its alternatives. What looks around or back, word borders, flags and possessive repetition are refused. Lazy
/// repetition means the same as greedy, since all that counts is which texts match.
///
/// Where the dialects differ, a class allows what is in it in all of them: `.` leaves out every line separator, `\s` is
/// ASCII's and `\S` leaves out Unicode's.
public final class RegexParser {
    static final int MOST_CHARACTERS = 10_000;
    static final int MOST_REPETITIONS = 100_000;
    private static final int MOST_DEPTH = 100;
    private static final Expression ANYTHING =
            new Expression.Repeat(new Expression.Characters(CodePoints.ALL), 0, Expression.UNBOUNDED);

    private final String pattern;
    private final boolean whole;
    private int at;
    private int depth;

    private RegexParser(String pattern, boolean whole) {
        this.pattern = pattern;
        this.whole = whole;
    }

    /// The texts that match as a whole.
    ///
    /// @throws ConstraintException that names the place
    public static Expression parse(String pattern) {
        return new RegexParser(pattern, true).parse();
    }

    /// The texts in which something matches: those of JSON Schema's `pattern`.
    ///
    /// @throws ConstraintException that names the place
    public static Expression parseSearch(String pattern) {
        return new RegexParser(pattern, false).parse();
    }

    private Expression parse() {
        if (pattern.length() > MOST_CHARACTERS) {
            throw new ConstraintException("the pattern has %,d characters, at most %,d are read"
                    .formatted(pattern.length(), MOST_CHARACTERS));
        }
        List<Expression> ways = new ArrayList<>();
        do {
            ways.add(anchored());
        } while (take('|'));
        if (at < pattern.length()) {
            throw error("`)` without `(`", at);
        }
        return ways.size() == 1 ? ways.getFirst() : new Expression.Choice(ways);
    }

    /// An alternative of the whole, which may have anchors.
    private Expression anchored() {
        boolean begins = false;
        while (take('^')) {
            begins = true;
        }
        Expression inside = sequence();
        boolean ends = false;
        while (take('$')) {
            ends = true;
        }
        if (at < pattern.length() && peek() != '|' && peek() != ')') {
            throw error("`$` in the middle can never match", at - 1);
        }
        return whole
                ? inside
                : Expression.sequence(begins ? Expression.EMPTY : ANYTHING, inside, ends ? Expression.EMPTY : ANYTHING);
    }

    private Expression alternatives() {
        List<Expression> ways = new ArrayList<>();
        do {
            ways.add(sequence());
        } while (take('|'));
        return ways.size() == 1 ? ways.getFirst() : new Expression.Choice(ways);
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        while (at < pattern.length() && peek() != '|' && peek() != ')' && !(peek() == '$')) {
            parts.add(repeated(atom()));
        }
        return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
    }

    private Expression repeated(Expression body) {
        int begin = at;
        Expression result = body;
        if (take('*')) {
            result = new Expression.Repeat(body, 0, Expression.UNBOUNDED);
        } else if (take('+')) {
            result = new Expression.Repeat(body, 1, Expression.UNBOUNDED);
        } else if (take('?')) {
            result = Expression.optional(body);
        } else if (at < pattern.length() && peek() == '{') {
            result = counted(body);
        } else {
            return body;
        }
        if (take('+')) {
            throw error("possessive repetition is not supported", at - 1);
        }
        take('?'); // lazy
        if (at < pattern.length() && "*+?{".indexOf(peek()) >= 0) {
            throw error("a repetition of a repetition: put the first in brackets", begin);
        }
        return result;
    }

    private Expression counted(Expression body) {
        int begin = at++;
        int min = number(begin);
        int max = min;
        if (take(',')) {
            max = at < pattern.length() && peek() == '}' ? Expression.UNBOUNDED : number(begin);
        }
        if (!take('}')) {
            throw error("a repetition is written {m}, {m,} or {m,n}; a brace that is meant itself \\{", begin);
        }
        if (max != Expression.UNBOUNDED && max < min) {
            throw error("a repetition of %d to %d times".formatted(min, max), begin);
        }
        return new Expression.Repeat(body, min, max);
    }

    private int number(int begin) {
        int value = 0;
        int first = at;
        while (at < pattern.length() && peek() >= '0' && peek() <= '9') {
            value = 10 * value + pattern.charAt(at++) - '0';
            if (value > MOST_REPETITIONS) {
                throw error("more than %,d repetitions".formatted(MOST_REPETITIONS), begin);
            }
        }
        if (at == first) {
            throw error("a repetition is written {m}, {m,} or {m,n}; a brace that is meant itself \\{", begin);
        }
        return value;
    }

    private Expression atom() {
        int begin = at;
        int c = next();
        return switch (c) {
            case '(' -> group(begin);
            case '[' -> new Expression.Characters(set(begin));
            case '.' -> new Expression.Characters(UnicodeClasses.NO_LINE_END);
            case '\\' -> new Expression.Characters(escape(begin, false));
            case '^' -> throw error("`^` is supported at the beginning of the whole alternative only", begin);
            case '*', '+', '?', '{' -> throw error("`%c` has nothing to repeat".formatted(c), begin);
            default -> new Expression.Characters(CodePoints.of(c, c));
        };
    }

    private Expression group(int begin) {
        if (++depth > MOST_DEPTH) {
            throw error("more than %d groups in each other".formatted(MOST_DEPTH), begin);
        }
        if (take('?') && !take(':')) {
            boolean named =
                    pattern.startsWith("<", at) && !pattern.startsWith("<=", at) && !pattern.startsWith("<!", at);
            int end = named ? pattern.indexOf('>', at) : -1;
            if (end < 0) {
                throw error("`(?` begins something that is not supported (looking around, flags, conditions)", begin);
            }
            at = end + 1;
        }
        Expression inside = alternatives();
        if (!take(')')) {
            throw error(
                    at < pattern.length()
                            ? "`$` is supported at the end of the whole alternative only"
                            : "`(` without `)`",
                    at < pattern.length() ? at : begin);
        }
        depth--;
        return inside;
    }

    /// Behind `[`.
    private CodePoints set(int begin) {
        boolean negated = take('^');
        if (at < pattern.length() && peek() == ']') {
            throw error("an empty set; a bracket that is meant itself is \\]", begin);
        }
        CodePoints members = CodePoints.NONE;
        while (at < pattern.length() && peek() != ']') {
            int first = at;
            if (peek() == '[' || pattern.startsWith("&&", at)) {
                throw error("sets in sets are not supported; a bracket that is meant itself is \\[", first);
            }
            CodePoints low = member();
            if (at + 1 < pattern.length() && peek() == '-' && pattern.charAt(at + 1) != ']') {
                at++;
                CodePoints high = member();
                if (low.ranges() != 1
                        || high.ranges() != 1
                        || low.from(0) != low.to(0)
                        || high.from(0) != high.to(0)
                        || low.from(0) > high.from(0)) {
                    throw error("a range that does not go from one character up to another", first);
                }
                low = CodePoints.of(low.from(0), high.from(0));
            }
            members = members.or(low);
        }
        if (!take(']')) {
            throw error("`[` without `]`", begin);
        }
        return negated ? members.not() : members;
    }

    private CodePoints member() {
        int begin = at;
        int c = next();
        return c == '\\' ? escape(begin, true) : CodePoints.of(c, c);
    }

    /// Behind a backslash.
    private CodePoints escape(int begin, boolean inSet) {
        int c = next();
        return switch (c) {
            case 'd' -> UnicodeClasses.DIGITS;
            case 'D' -> UnicodeClasses.DIGITS.not();
            case 'w' -> UnicodeClasses.WORD;
            case 'W' -> UnicodeClasses.WORD.not();
            case 's' -> UnicodeClasses.SPACE;
            case 'S' -> UnicodeClasses.NO_SPACE;
            case 'p', 'P' -> property(c == 'P', begin);
            case 'n' -> one('\n');
            case 'r' -> one('\r');
            case 't' -> one('\t');
            case 'f' -> one('\f');
            case 'v' -> one(0x0B);
            case '0' -> one(0);
            case 'x' -> one(hex(2, begin));
            case 'u' -> one(unicode(begin));
            case 'b' -> {
                if (inSet) {
                    yield one('\b');
                }
                throw error("`\\b`, word borders, are not supported", begin);
            }
            default -> {
                if (c < 0x80 && (Character.isLetterOrDigit(c))) {
                    throw error("`\\%c` is not supported".formatted(c), begin);
                }
                yield one(c);
            }
        };
    }

    private static CodePoints one(int c) {
        return CodePoints.of(c, c);
    }

    /// `\\uHHHH`, `\\u{H...}`, or a pair of surrogates.
    private int unicode(int begin) {
        if (take('{')) {
            int end = pattern.indexOf('}', at);
            if (end < 0 || end - at > 6) {
                throw error("a character is written \\u{1F600}", begin);
            }
            int value = hex(end - at, begin);
            at++;
            return value;
        }
        int high = hex(4, begin);
        if (Character.isHighSurrogate((char) high) && pattern.startsWith("\\u", at)) {
            at += 2;
            int low = hex(4, begin);
            if (Character.isLowSurrogate((char) low)) {
                return Character.toCodePoint((char) high, (char) low);
            }
        }
        return high;
    }

    private int hex(int digits, int begin) {
        try {
            int value = Integer.parseInt(pattern, at, at + digits, 16);
            if (pattern.charAt(at) != '-' && pattern.charAt(at) != '+' && value <= Character.MAX_CODE_POINT) {
                at += digits;
                return value;
            }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            // told below
        }
        throw error("hexadecimal digits of a character were expected", begin);
    }

    private CodePoints property(boolean negated, int begin) {
        int end = take('{') ? pattern.indexOf('}', at) : -1;
        CodePoints set = end < 0 ? null : UnicodeClasses.category(pattern.substring(at, end));
        if (set == null) {
            throw error("an unknown property; known are general categories such as \\p{L}, \\p{Lu}, \\p{Nd}", begin);
        }
        at = end + 1;
        return negated ? set.not() : set;
    }

    private int peek() {
        return pattern.charAt(at);
    }

    private int next() {
        if (at == pattern.length()) {
            throw error("the pattern ends early", at);
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    private boolean take(char c) {
        if (at < pattern.length() && pattern.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private ConstraintException error(String what, int where) {
        String shown = pattern.length() <= 60 ? pattern : pattern.substring(0, 60) + "...";
        return new ConstraintException("%s, at character %d of the pattern `%s`".formatted(what, where + 1, shown));
    }
}
