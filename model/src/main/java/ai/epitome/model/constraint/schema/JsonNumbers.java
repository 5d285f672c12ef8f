package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.CodePoints;
import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.JsonText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Numbers between bounds, as automata over their digits: in plain notation, without exponent, without zeros in front,
/// and never a negative zero.
///
/// @param low smallest number; null for none
/// @param high largest number; null for none
/// @param lowExcluded whether `low` itself is left out
record JsonNumbers(BigDecimal low, boolean lowExcluded, BigDecimal high, boolean highExcluded) {
    /// Digits in front of the point where there is no bound: what a double holds.
    private static final int DIGITS = 15;
    /// Digits behind the point, unless a bound has more.
    private static final int FRACTION = 6;

    static final int MOST_DIGITS = 40;
    private static final Expression DIGIT = JsonText.digits("0-9");

    static JsonNumbers of(ObjectNode schema) {
        BigDecimal least = bound(schema, "minimum");
        BigDecimal above = bound(schema, "exclusiveMinimum");
        BigDecimal most = bound(schema, "maximum");
        BigDecimal below = bound(schema, "exclusiveMaximum");
        boolean isAbove = above != null && (least == null || above.compareTo(least) >= 0);
        boolean isBelow = below != null && (most == null || below.compareTo(most) <= 0);
        return new JsonNumbers(isAbove ? above : least, isAbove, isBelow ? below : most, isBelow);
    }

    private static BigDecimal bound(ObjectNode schema, String keyword) {
        return schema.has(keyword) ? schema.get(keyword).decimalValue() : null;
    }

    private boolean isUnbounded() {
        return low == null && high == null;
    }

    Expression integers() {
        return isUnbounded() ? JsonText.INTEGER : withFraction(0);
    }

    Expression numbers() {
        return isUnbounded() ? JsonText.NUMBER : decimals(Math.max(FRACTION, Math.max(scale(low), scale(high))));
    }

    private static int scale(BigDecimal bound) {
        return bound == null ? 0 : bound.stripTrailingZeros().scale();
    }

    /// Numbers with at most `most` digits behind the point.
    Expression decimals(int most) {
        List<Expression> ways = new ArrayList<>();
        for (int fraction = 0; fraction <= most; fraction++) {
            ways.add(withFraction(fraction));
        }
        return new Expression.Choice(ways);
    }

    /// Numbers with exactly `fraction` digits behind the point are whole numbers with a point in them.
    private Expression withFraction(int fraction) {
        BigInteger far = BigInteger.TEN.pow(DIGITS + fraction);
        BigInteger from = low == null ? null : whole(low, fraction, RoundingMode.CEILING, lowExcluded);
        BigInteger to = high == null ? null : whole(high, fraction, RoundingMode.FLOOR, highExcluded);
        if (from == null) {
            from = (to == null ? far.negate() : far.negate().min(to.subtract(far))).add(BigInteger.ONE);
        }
        if (to == null) {
            to = far.max(from.add(far)).subtract(BigInteger.ONE);
        }
        BigInteger one = BigInteger.ONE;
        return Expression.choice(
                Expression.sequence(Expression.text("-"), naturals(to.negate().max(one), from.negate(), fraction)),
                naturals(from.max(BigInteger.ZERO), to, fraction));
    }

    private static BigInteger whole(BigDecimal bound, int fraction, RoundingMode inwards, boolean excluded) {
        BigDecimal scaled = bound.movePointRight(fraction);
        BigInteger whole = scaled.setScale(0, inwards).toBigInteger();
        boolean isBound = scaled.compareTo(new BigDecimal(whole)) == 0;
        BigInteger step = inwards == RoundingMode.CEILING ? BigInteger.ONE : BigInteger.ONE.negate();
        return excluded && isBound ? whole.add(step) : whole;
    }

    /// `from` to `to`, none of them negative, with a point before the last `fraction` digits.
    private static Expression naturals(BigInteger from, BigInteger to, int fraction) {
        List<Expression> ways = new ArrayList<>();
        int longest = to.signum() < 0 ? 0 : Math.max(fraction + 1, to.toString().length());
        for (int length = fraction + 1; length <= longest; length++) {
            BigInteger least = length == fraction + 1 ? BigInteger.ZERO : BigInteger.TEN.pow(length - 1);
            BigInteger first = from.max(least);
            BigInteger last = to.min(BigInteger.TEN.pow(length).subtract(BigInteger.ONE));
            if (first.compareTo(last) <= 0) {
                ways.add(between(padded(first, length), padded(last, length), fraction));
            }
        }
        return new Expression.Choice(ways);
    }

    private static String padded(BigInteger value, int length) {
        String digits = value.toString();
        return "0".repeat(length - digits.length()) + digits;
    }

    /// Strings of digits from `first` to `last`, of the same length.
    private static Expression between(String first, String last, int fraction) {
        int length = first.length();
        if (length == 0) {
            return Expression.EMPTY;
        }
        Expression point = length == fraction ? Expression.text(".") : Expression.EMPTY;
        if (isAll(first, '0') && isAll(last, '9')) {
            return Expression.sequence(point, any(length, fraction));
        }
        char low = first.charAt(0);
        char high = last.charAt(0);
        String lowRest = first.substring(1);
        String highRest = last.substring(1);
        if (low == high) {
            return Expression.sequence(point, digit(low), between(lowRest, highRest, fraction));
        }
        String nines = "9".repeat(length - 1);
        String zeros = "0".repeat(length - 1);
        List<Expression> ways = new ArrayList<>();
        ways.add(Expression.sequence(digit(low), between(lowRest, nines, fraction)));
        if (high - low > 1) {
            Expression middle = JsonText.digits((char) (low + 1) + "-" + (char) (high - 1));
            ways.add(Expression.sequence(middle, between(zeros, nines, fraction)));
        }
        ways.add(Expression.sequence(digit(high), between(zeros, highRest, fraction)));
        return Expression.sequence(point, new Expression.Choice(ways));
    }

    /// Any digits, with the point where it belongs unless that is in front.
    private static Expression any(int length, int fraction) {
        if (length <= fraction || fraction == 0) {
            return new Expression.Repeat(DIGIT, length, length);
        }
        return Expression.sequence(
                new Expression.Repeat(DIGIT, length - fraction, length - fraction),
                Expression.text("."),
                new Expression.Repeat(DIGIT, fraction, fraction));
    }

    private static boolean isAll(String digits, char digit) {
        return digits.chars().allMatch(c -> c == digit);
    }

    private static Expression digit(char digit) {
        return Expression.text(String.valueOf(digit));
    }

    /// Whole numbers in decimal notation that `divisor` divides.
    static Dfa multiplesOf(int divisor) {
        record Read(boolean anything, int remainder) {}
        Dfa.Builder<Read> builder = new Dfa.Builder<>();
        builder.stateOf(new Read(false, -1));
        for (int state = builder.next(); state >= 0; state = builder.next()) {
            Read read = builder.key(state);
            for (int digit = 0; digit < 10; digit++) {
                int next = (int) ((Math.max(0, read.remainder) * 10L + digit) % divisor);
                builder.edge(new Read(true, next), CodePoints.of('0' + digit, '0' + digit));
            }
            if (read.remainder < 0) {
                builder.edge(new Read(false, 0), CodePoints.of('-', '-'));
            }
            builder.accept(read.anything && read.remainder == 0);
        }
        return builder.build();
    }
}
