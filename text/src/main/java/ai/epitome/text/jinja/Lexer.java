package ai.epitome.text.jinja;

import ai.epitome.text.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Cuts a template into tokens, with the settings that chat templates expect: `trim_blocks` (the line break behind a
/// `%}` or `#}` is dropped) and `lstrip_blocks` (so are spaces before a `{%` or `{#` that begins its line). A `-` at a
/// tag drops all whitespace on that side, a `+` keeps it.
final class Lexer {
    /// The longest in use have some 20,000 characters.
    static final int LONGEST = 1 << 20;

    private static final String[] OPERATORS = {
        "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";"
    };

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private int counted;
    /// Whether what comes next begins a line, though the line break may be gone.
    private boolean lineStarts = true;

    private Lexer(String source) {
        this.source = source;
    }

    /// @throws JinjaException if a tag, a string or a bracket has no end
    static List<Token> tokens(String template) {
        if (template.length() > LONGEST) {
            throw new JinjaException("the template has %,d characters; at most %,d are taken"
                            .formatted(template.length(), LONGEST))
                    .at(1);
        }
        String text = template.replace("\r\n", "\n").replace('\r', '\n');
        var lexer = new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
        try {
            lexer.run();
        } catch (JinjaException e) {
            throw e.at(lexer.line());
        }
        return lexer.tokens;
    }

    /// The line of the place where it is.
    private int line() {
        for (; counted < Math.min(at, source.length()); counted++) {
            line += source.charAt(counted) == '\n' ? 1 : 0;
        }
        return line;
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line()));
    }

    private void run() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.length(), ' ', false);
                break;
            }
            char kind = source.charAt(tag + 1);
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            data(tag, sign, kind != '{');
            at = tag + (sign == '-' || (sign == '+' && kind != '{') ? 3 : 2);
            switch (kind) {
                case '#' -> comment();
                case '{' -> tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
                default -> blockOrRaw();
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /// The text up to a tag, less what the tag takes off.
    private void data(int end, char sign, boolean strippable) {
        int stop = end;
        if (sign == '-') {
            while (stop > at && Characters.isSpace(source.charAt(stop - 1))) {
                stop--;
            }
        } else if (sign != '+' && strippable) {
            int begin = source.lastIndexOf('\n', end - 1) + 1;
            if (begin > at || lineStarts) {
                begin = Math.max(begin, at);
                stop = source.substring(begin, end).chars().allMatch(Characters::isSpace) ? begin : end;
            }
        }
        if (stop > at) {
            add(Kind.DATA, source.substring(at, stop));
        }
        at = end;
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw new JinjaException("a comment has no '#}'");
        }
        char sign = end > at ? source.charAt(end - 1) : ' ';
        at = end + 2;
        behindTag(sign);
    }

    /// Drops what the end of a block or comment takes off behind it.
    private void behindTag(char sign) {
        if (sign == '-') {
            skipSpace();
            lineStarts = at > 0 && source.charAt(at - 1) == '\n';
        } else {
            lineStarts = sign != '+' && at < source.length() && source.charAt(at) == '\n';
            at += lineStarts ? 1 : 0;
        }
    }

    private void skipSpace() {
        while (at < source.length() && Characters.isSpace(source.charAt(at))) {
            at++;
        }
    }

    private void blockOrRaw() {
        int before = at;
        skipSpace();
        if (source.startsWith("raw", at)) {
            at += 3;
            skipSpace();
            if (source.startsWith("%}", at)) {
                at += 2;
                raw();
                return;
            }
            if (source.startsWith("-%}", at)) {
                at += 3;
                skipSpace();
                raw();
                return;
            }
        }
        at = before;
        tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
    }

    /// Text that is left as it is, up to `{% endraw %}`.
    private void raw() {
        lineStarts = source.charAt(at - 1) == '\n';
        for (int tag = source.indexOf("{%", at); tag >= 0; tag = source.indexOf("{%", tag + 2)) {
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            int name = tag + (sign == '-' || sign == '+' ? 3 : 2);
            while (name < source.length() && Characters.isSpace(source.charAt(name))) {
                name++;
            }
            if (!source.startsWith("endraw", name)) {
                continue;
            }
            int end = name + 6;
            while (end < source.length() && Characters.isSpace(source.charAt(end))) {
                end++;
            }
            boolean signed = end < source.length() && "-+".indexOf(source.charAt(end)) >= 0;
            if (source.startsWith("%}", signed ? end + 1 : end)) {
                data(tag, sign, true);
                at = (signed ? end + 1 : end) + 2;
                behindTag(signed ? source.charAt(end) : ' ');
                return;
            }
        }
        throw new JinjaException("'{% raw %}' has no '{% endraw %}'");
    }

    private void tag(Kind begin, Kind end, String closing) {
        add(begin, "");
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            skipSpace();
            if (at >= source.length()) {
                throw new JinjaException("a tag has no '" + closing + "'");
            }
            if (open.isEmpty() && closes(closing)) {
                add(end, "");
                boolean signed = !source.startsWith(closing, at);
                char sign = signed ? source.charAt(at) : ' ';
                at += signed ? 3 : 2;
                if (end == Kind.BLOCK_END) {
                    behindTag(sign);
                } else if (sign == '-') {
                    skipSpace();
                    lineStarts = source.charAt(at - 1) == '\n';
                } else {
                    lineStarts = false;
                }
                return;
            }
            token(open);
        }
    }

    private boolean closes(String closing) {
        char c = source.charAt(at);
        boolean sign = c == '-' || (c == '+' && closing.equals("%}"));
        return source.startsWith(closing, at) || (sign && source.startsWith(closing, at + 1));
    }

    private void token(Deque<Character> open) {
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            string(c);
        } else if (Characters.isDigit(c)) {
            number();
        } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
            int begin = at;
            while (at < source.length()
                    && (Character.isUnicodeIdentifierPart(source.charAt(at)) || source.charAt(at) == '_')
                    && !Character.isIdentifierIgnorable(source.charAt(at))) {
                at++;
            }
            add(Kind.NAME, source.substring(begin, at));
        } else {
            operator(open);
        }
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(operator.charAt(0), open);
                add(Kind.OPERATOR, operator);
                at += operator.length();
                return;
            }
        }
        throw new JinjaException("unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private static void balance(char c, Deque<Character> open) {
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != c) {
                    throw new JinjaException("unexpected '" + c + "'");
                }
            }
            default -> {}
        }
    }

    private void number() {
        int begin = at;
        digits();
        boolean whole = true;
        boolean behindDot = begin > 0 && source.charAt(begin - 1) == '.';
        if (!behindDot && peek(0) == '.' && Characters.isDigit(peek(1))) {
            at++;
            digits();
            whole = false;
        }
        int sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
        if (!behindDot && (peek(0) == 'e' || peek(0) == 'E') && Characters.isDigit(peek(1 + sign))) {
            at += 1 + sign;
            digits();
            whole = false;
        }
        add(whole ? Kind.INTEGER : Kind.FLOAT, source.substring(begin, at).replace("_", ""));
    }

    private void digits() {
        while (Characters.isDigit(peek(0)) || (peek(0) == '_' && Characters.isDigit(peek(1)))) {
            at++;
        }
    }

    private char peek(int ahead) {
        return at + ahead < source.length() ? source.charAt(at + ahead) : ' ';
    }

    private void string(char quote) {
        var text = new StringBuilder();
        int begin = at++;
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c == '\\' && at < source.length()) {
                escape(text);
            } else {
                text.append(c);
            }
        }
        if (at >= source.length()) {
            at = begin;
            throw new JinjaException("a string has no closing " + quote);
        }
        at++;
        add(Kind.STRING, text.toString());
    }

    /// What stands behind a backslash, as in Python.
    private void escape(StringBuilder text) {
        char c = source.charAt(at++);
        int simple = "abfnrtv\\'\"".indexOf(c);
        if (simple >= 0) {
            text.append("\u0007\b\f\n\r\t\u000B\\'\"".charAt(simple));
            return;
        }
        switch (c) {
            case '\n' -> {}
            case 'x' -> text.appendCodePoint(digits(2, 16));
            case 'u' -> text.appendCodePoint(digits(4, 16));
            case 'U' -> text.appendCodePoint(digits(8, 16));
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                at--;
                int length = 1;
                while (length < 3 && "01234567".indexOf(peek(length)) >= 0) {
                    length++;
                }
                text.appendCodePoint(digits(length, 8));
            }
            default -> text.append('\\').append(c);
        }
    }

    private int digits(int count, int radix) {
        int end = Math.min(source.length(), at + count);
        String digits = source.substring(at, end);
        boolean valid = digits.length() == count && digits.chars().allMatch(c -> Character.digit(c, radix) >= 0);
        long value = valid ? Long.parseLong(digits, radix) : -1;
        if (!valid || !Character.isValidCodePoint((int) value) || value > Character.MAX_CODE_POINT) {
            throw new JinjaException("'\\" + source.charAt(at - 1) + digits + "' names no character");
        }
        at = end;
        return (int) value;
    }
}
