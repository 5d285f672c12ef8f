package ai.epitome.model.constraint.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Grammars in llama.cpp's notation: `name ::= ...` with `|`, `"text"`, `[a-z]`, `[^a-z]`, `.`, names,
/// brackets, `* + ?`, `{m}`, `{m,}`, `{m,n}`, and `#` comments to the end of the line. The rule `root` is
/// what a text must be. An alternative goes on in the next line behind `|` or inside brackets.
public final class GbnfParser {
    static final int MOST_CHARACTERS = 200_000;
    private static final int MOST_RULES = 10_000;
    private static final int MOST_DEPTH = 100;

    private final String source;
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final List<Expression> rules = new ArrayList<>();
    /// Where each rule was first named.
    private final List<Integer> firstUse = new ArrayList<>();
    private int at;
    private int depth;

    private GbnfParser(String source) {
        this.source = source;
    }

    /// @throws ConstraintException that names line and column
    public static Grammar parse(String source) {
        return new GbnfParser(source).parse();
    }

    private Grammar parse() {
        if (source.length() > MOST_CHARACTERS) {
            throw new ConstraintException(
                    "the grammar has %,d characters, at most %,d are read".formatted(source.length(), MOST_CHARACTERS));
        }
        number("root");
        space(true);
        while (at < source.length()) {
            rule();
            space(true);
        }
        for (int rule = 0; rule < names.size(); rule++) {
            if (rules.get(rule) == null) {
                at = firstUse.get(rule);
                throw error("there is no rule `%s`".formatted(names.get(rule)));
            }
        }
        return new Grammar(rules, names);
    }

    private int number(String name) {
        Integer known = numbers.get(name);
        if (known == null) {
            if (names.size() == MOST_RULES) {
                throw error("more than %,d rules".formatted(MOST_RULES));
            }
            known = names.size();
            numbers.put(name, known);
            names.add(name);
            rules.add(null);
            firstUse.add(at);
        }
        return known;
    }

    private void rule() {
        String name = name();
        int rule = number(name);
        space(false);
        if (!take("::=")) {
            throw error("`::=` was expected behind the name of the rule `%s`".formatted(name));
        }
        if (rules.get(rule) != null) {
            throw error("a second rule `%s`".formatted(name));
        }
        space(true);
        rules.set(rule, alternatives(false));
        if (at < source.length() && peek() != '\n' && peek() != '\r') {
            throw error("the end of the rule was expected");
        }
    }

    private String name() {
        int begin = at;
        while (at < source.length() && isName(peek())) {
            at++;
        }
        if (at == begin) {
            throw error("the name of a rule was expected");
        }
        return source.substring(begin, at);
    }

    private static boolean isName(char c) {
        return c == '-' || c == '_' || (c < 0x80 && Character.isLetterOrDigit(c));
    }

    private Expression alternatives(boolean nested) {
        List<Expression> ways = new ArrayList<>();
        do {
            space(true);
            ways.add(sequence(nested));
        } while (take("|"));
        return ways.size() == 1 ? ways.getFirst() : new Expression.Choice(ways);
    }

    private Expression sequence(boolean nested) {
        List<Expression> parts = new ArrayList<>();
        while (at < source.length() && peek() != '|' && peek() != ')' && peek() != '\n' && peek() != '\r') {
            parts.add(repeated(atom()));
            space(nested);
        }
        return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
    }

    private Expression atom() {
        char c = peek();
        if (c == '"') {
            at++;
            return literal();
        }
        if (c == '[') {
            at++;
            return new Expression.Characters(set());
        }
        if (c == '.') {
            at++;
            return new Expression.Characters(CodePoints.ALL);
        }
        if (c == '(') {
            return group();
        }
        if (!isName(c)) {
            throw error("a literal, a set, a name or a bracket was expected, not `%s`".formatted(c));
        }
        int before = at;
        String name = name();
        int after = at;
        at = before;
        int rule = number(name);
        at = after;
        return new Expression.Reference(rule);
    }

    private Expression group() {
        if (++depth > MOST_DEPTH) {
            throw error("more than %d brackets in each other".formatted(MOST_DEPTH));
        }
        at++;
        Expression inside = alternatives(true);
        if (!take(")")) {
            throw error("`)` was expected");
        }
        depth--;
        return inside;
    }

    private Expression repeated(Expression atom) {
        Expression result = atom;
        for (int times = 0; at < source.length() && "*+?{".indexOf(peek()) >= 0; times++) {
            if (times == MOST_DEPTH) {
                throw error("more than %d repetitions of each other".formatted(MOST_DEPTH));
            }
            result = switch (source.charAt(at++)) {
                case '*' -> new Expression.Repeat(result, 0, Expression.UNBOUNDED);
                case '+' -> new Expression.Repeat(result, 1, Expression.UNBOUNDED);
                case '?' -> Expression.optional(result);
                default -> counted(result);
            };
        }
        return result;
    }

    private Expression counted(Expression body) {
        space(false);
        int min = peekIs(',') ? 0 : count();
        space(false);
        int max = min;
        if (take(",")) {
            space(false);
            max = peekIs('}') ? Expression.UNBOUNDED : count();
            space(false);
        }
        if (!take("}")) {
            throw error("a repetition is written {m}, {m,} or {m,n}");
        }
        if (max != Expression.UNBOUNDED && max < min) {
            throw error("a repetition of %d to %d times".formatted(min, max));
        }
        return new Expression.Repeat(body, min, max);
    }

    private int count() {
        int value = 0;
        int first = at;
        while (at < source.length() && peek() >= '0' && peek() <= '9') {
            value = 10 * value + source.charAt(at++) - '0';
            if (value > RegexParser.MOST_REPETITIONS) {
                throw error("more than %,d repetitions".formatted(RegexParser.MOST_REPETITIONS));
            }
        }
        if (at == first) {
            throw error("a number of repetitions was expected");
        }
        return value;
    }

    private Expression literal() {
        StringBuilder text = new StringBuilder();
        while (!peekIs('"')) {
            text.appendCodePoint(character());
        }
        at++;
        return new Expression.Text(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private CodePoints set() {
        boolean negated = take("^");
        CodePoints members = CodePoints.NONE;
        while (!peekIs(']')) {
            int low = character();
            int high = low;
            if (peekIs('-') && at + 1 < source.length() && source.charAt(at + 1) != ']') {
                at++;
                high = character();
            }
            if (high < low) {
                throw error("a range from a character down to another");
            }
            members = members.or(CodePoints.of(low, high));
        }
        at++;
        return negated ? members.not() : members;
    }

    private int character() {
        if (at == source.length()) {
            throw error("the grammar ends early");
        }
        int c = source.codePointAt(at);
        at += Character.charCount(c);
        if (c == '\n' || c == '\r') {
            throw error("a line break in a literal or set; it is written \\n");
        }
        return c == '\\' ? escaped() : c;
    }

    private int escaped() {
        int c = at < source.length() ? source.charAt(at++) : -1;
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            case '"', '\\', '[', ']', '-', '^' -> c;
            default -> throw error("an unknown escape");
        };
    }

    private int hex(int digits) {
        try {
            long value = Long.parseLong(source, at, at + digits, 16);
            if (source.charAt(at) != '-' && source.charAt(at) != '+' && value <= Character.MAX_CODE_POINT) {
                at += digits;
                return (int) value;
            }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            // told below
        }
        throw error("%d hexadecimal digits of a character were expected".formatted(digits));
    }

    private void space(boolean lines) {
        while (at < source.length()) {
            char c = peek();
            if (c == '#') {
                int end = source.indexOf('\n', at);
                at = end < 0 ? source.length() : end;
            } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
                at++;
            } else {
                return;
            }
        }
    }

    private char peek() {
        return source.charAt(at);
    }

    private boolean peekIs(char c) {
        return at < source.length() && peek() == c;
    }

    private boolean take(String text) {
        if (source.startsWith(text, at)) {
            at += text.length();
            return true;
        }
        return false;
    }

    private ConstraintException error(String what) {
        int place = Math.min(at, source.length());
        int line = 1 + (int) source.chars().limit(place).filter(c -> c == '\n').count();
        int column = place - source.lastIndexOf('\n', place - 1);
        return new ConstraintException("%s, at line %d, column %d of the grammar".formatted(what, line, column));
    }
}
