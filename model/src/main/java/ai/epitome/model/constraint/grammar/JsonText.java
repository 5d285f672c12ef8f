package ai.epitome.model.constraint.grammar;

import java.util.ArrayList;
import java.util.List;

/// How JSON writes things: strings, numbers, and the space between tokens.
///
/// **Space.** None is needed; one space, or one line break with up to 40 spaces of indentation, may stand
/// behind `{`, `[` and `,` and before `}` and `]`, and one space behind `:`. Nothing more, so that a model
/// cannot write space without end.
public final class JsonText {
    /// What stands in a string without an escape.
    public static final CodePoints PLAIN =
            CodePoints.of(0, 0x1F, '"', '"', '\\', '\\').not();
    public static final Expression SPACE = Expression.optional(Expression.choice(
            Expression.text(" "),
            Expression.sequence(Expression.text("\n"), new Expression.Repeat(Expression.text(" "), 0, 40))));
    public static final Expression COLON =
            Expression.sequence(Expression.text(":"), Expression.optional(Expression.text(" ")));
    public static final Expression COMMA = Expression.sequence(Expression.text(","), SPACE);

    private static final CodePoints HEX = CodePoints.of('0', '9', 'a', 'f', 'A', 'F');
    /// Any character of a string, in any spelling. Surrogates come in pairs, which are one character.
    static final Expression CHARACTER = Expression.choice(
            new Expression.Characters(PLAIN),
            Expression.sequence(Expression.text("\\"), new Expression.Characters(CodePoints.of("\"\\/bfnrt"))),
            Expression.sequence(Expression.text("\\u"), hex("0-9a-cA-Ce-fE-F"), hex(3)),
            Expression.sequence(Expression.text("\\u"), hex("dD"), hex("0-7"), hex(2)),
            Expression.sequence(
                    Expression.text("\\u"),
                    hex("dD"),
                    hex("89abAB"),
                    hex(2),
                    Expression.text("\\u"),
                    hex("dD"),
                    hex("c-fC-F"),
                    hex(2)));

    /// Largest number of digits in front of the point of a number without bounds, and behind it: what a double holds.
    private static final int DIGITS = 15;

    public static final Expression INTEGER = Expression.choice(
            Expression.text("0"),
            Expression.sequence(
                    Expression.optional(Expression.text("-")),
                    digits("1-9"),
                    new Expression.Repeat(digits("0-9"), 0, DIGITS - 1)));
    public static final Expression NUMBER = Expression.sequence(
            Expression.optional(Expression.text("-")),
            Expression.choice(
                    Expression.text("0"),
                    Expression.sequence(digits("1-9"), new Expression.Repeat(digits("0-9"), 0, DIGITS - 1))),
            Expression.optional(
                    Expression.sequence(Expression.text("."), new Expression.Repeat(digits("0-9"), 1, DIGITS))),
            Expression.optional(Expression.sequence(
                    digits("eE"), Expression.optional(digits("+\\-")), new Expression.Repeat(digits("0-9"), 1, 2))));

    private JsonText() {}

    private static Expression hex(String set) {
        return digits(set);
    }

    private static Expression hex(int count) {
        return new Expression.Repeat(new Expression.Characters(HEX), count, count);
    }

    /// A class as in a regular expression.
    public static Expression digits(String set) {
        return RegexParser.parse("[" + set + "]");
    }

    /// A string of `min` to `max` characters, whichever they are.
    public static Expression string(int min, int max) {
        return quoted(new Expression.Repeat(CHARACTER, min, max));
    }

    /// `content` between quotation marks. It must be written as in a JSON string already.
    public static Expression quoted(Expression content) {
        return Expression.sequence(Expression.text("\""), content, Expression.text("\""));
    }

    /// A character of a set as it is written in a string: in one spelling, the usual one.
    public static Expression characters(CodePoints set) {
        List<Expression> ways = new ArrayList<>();
        ways.add(new Expression.Characters(set.and(PLAIN)));
        CodePoints escaped = set.minus(PLAIN);
        for (int range = 0; range < escaped.ranges(); range++) {
            for (int c = escaped.from(range); c <= escaped.to(range); c++) {
                ways.add(Expression.text(escape(c)));
            }
        }
        return ways.size() == 1 ? ways.getFirst() : new Expression.Choice(ways);
    }

    private static String escape(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> "\\u%04x".formatted(c);
        };
    }

    /// `open`, elements, `close`; behind elements, unless there are none, stands [#SPACE].
    public static Expression list(String open, Expression elements, String close) {
        return Expression.sequence(Expression.text(open), SPACE, elements, Expression.text(close));
    }

    /// `min` to `max` elements with commas between, and what stands behind them.
    public static Expression separated(Expression element, int min, int max) {
        if (max == 0) {
            return Expression.EMPTY;
        }
        int more = max == Expression.UNBOUNDED ? max : max - 1;
        Expression some = Expression.sequence(
                element, new Expression.Repeat(Expression.sequence(COMMA, element), Math.max(0, min - 1), more), SPACE);
        return min == 0 ? Expression.optional(some) : some;
    }

    /// Any JSON value as rules: `value` is the first, then `object` and `array`.
    ///
    /// @param first number that the rule of values will have
    public static List<Expression> anyValue(int first) {
        Expression value = new Expression.Reference(first);
        Expression member = Expression.sequence(string(0, Expression.UNBOUNDED), COLON, value);
        return List.of(
                Expression.choice(
                        new Expression.Reference(first + 1),
                        new Expression.Reference(first + 2),
                        string(0, Expression.UNBOUNDED),
                        NUMBER,
                        Expression.text("true"),
                        Expression.text("false"),
                        Expression.text("null")),
                list("{", separated(member, 0, Expression.UNBOUNDED), "}"),
                list("[", separated(value, 0, Expression.UNBOUNDED), "]"));
    }
}
