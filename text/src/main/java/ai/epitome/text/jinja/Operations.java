package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import ai.epitome.text.jinja.Value.Numbers;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// Python's operators.
final class Operations {
    /// Bits of the largest integer that arithmetic makes.
    private static final int MOST_BITS = 1024;

    private final Budget budget;

    Operations(Budget budget) {
        this.budget = budget;
    }

    Value sign(Value value, boolean negative) {
        Python.requireDefined(value);
        if (!Numbers.isNumber(value)) {
            throw new JinjaException("a " + Python.type(value) + " has no sign");
        }
        return value instanceof Value.Real(double real)
                ? Value.of(negative ? -real : real)
                : new Value.Int(negative ? Numbers.integer(value).negate() : Numbers.integer(value));
    }

    Value arithmetic(String operator, Value left, Value right) {
        Python.requireDefined(left);
        if (operator.equals("%") && left instanceof Value.Text(MarkedText format)) {
            return new Formats(budget).percent(format, right);
        }
        Python.requireDefined(right);
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            boolean real = left instanceof Value.Real || right instanceof Value.Real || operator.equals("/");
            return real
                    ? Value.of(real(operator, Numbers.real(left), Numbers.real(right)))
                    : integer(operator, Numbers.integer(left), Numbers.integer(right));
        }
        return switch (operator) {
            case "+" -> sum(left, right);
            case "*" ->
                left instanceof Value.Int || left instanceof Value.Bool ? repeat(right, left) : repeat(left, right);
            default -> throw unsupported(operator, left, right);
        };
    }

    private static JinjaException unsupported(String operator, Value left, Value right) {
        return new JinjaException(
                "'%s' cannot be done with %s and %s".formatted(operator, Python.type(left), Python.type(right)));
    }

    private static double real(String operator, double left, double right) {
        if (right == 0 && (operator.startsWith("/") || operator.equals("%"))) {
            throw new JinjaException("division by zero");
        }
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / right;
            case "//" -> Math.floor(left / right);
            case "%" -> left - right * Math.floor(left / right);
            default -> Math.pow(left, right);
        };
    }

    private static Value integer(String operator, BigInteger left, BigInteger right) {
        if (right.signum() == 0 && (operator.equals("//") || operator.equals("%"))) {
            throw new JinjaException("division by zero");
        }
        BigInteger result = switch (operator) {
            case "+" -> left.add(right);
            case "-" -> left.subtract(right);
            case "*" -> left.multiply(right);
            case "//" -> floor(left, right);
            case "%" -> left.subtract(floor(left, right).multiply(right));
            default -> {
                if (right.signum() < 0) {
                    yield null;
                }
                boolean small =
                        right.bitLength() < Integer.SIZE && (long) left.bitLength() * right.intValue() <= MOST_BITS;
                if (!small && left.bitLength() > 1) {
                    throw new JinjaException("a power with more than " + MOST_BITS + " bits");
                }
                yield small
                        ? left.pow(right.intValue())
                        : left.testBit(0) && right.testBit(0) ? left : left.multiply(left);
            }
        };
        if (result == null) {
            return Value.of(real(operator, left.doubleValue(), right.doubleValue()));
        }
        if (result.bitLength() > MOST_BITS) {
            throw new JinjaException("an integer with more than " + MOST_BITS + " bits");
        }
        return new Value.Int(result);
    }

    private static BigInteger floor(BigInteger left, BigInteger right) {
        BigInteger[] parts = left.divideAndRemainder(right);
        boolean lower = parts[1].signum() != 0 && parts[1].signum() != right.signum();
        return lower ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private Value sum(Value left, Value right) {
        if (left instanceof Value.Text(MarkedText first) && right instanceof Value.Text(MarkedText second)) {
            return new TextBuilder(budget).append(first).append(second).value();
        }
        if (left instanceof Value.Sequence first
                && right instanceof Value.Sequence second
                && first.kind() == second.kind()
                && first.kind() != Value.Kind.STREAM) {
            int size = first.items().size() + second.items().size();
            budget.pay((long) Budget.ELEMENT * size);
            var items = new ArrayList<Value>(size);
            items.addAll(first.items());
            items.addAll(second.items());
            return new Value.Sequence(items, first.kind());
        }
        throw unsupported("+", left, right);
    }

    private Value repeat(Value value, Value count) {
        if (!(count instanceof Value.Int) && !(count instanceof Value.Bool)) {
            throw unsupported("*", value, count);
        }
        int times = Math.max(0, Python.index(count));
        if (value instanceof Value.Text(MarkedText text)) {
            var out = new TextBuilder(budget);
            for (int i = 0; i < times && text.length() > 0; i++) {
                out.append(text);
            }
            return out.value();
        }
        if (value instanceof Value.Sequence sequence && sequence.kind() != Value.Kind.STREAM) {
            var items = new ArrayList<Value>();
            for (int i = 0; i < times && !sequence.items().isEmpty(); i++) {
                budget.pay((long) Budget.ELEMENT * sequence.items().size());
                items.addAll(sequence.items());
            }
            return new Value.Sequence(items, sequence.kind());
        }
        throw unsupported("*", value, count);
    }

    boolean compare(String operator, Value left, Value right) {
        return switch (operator) {
            case "==" -> equal(left, right, budget);
            case "!=" -> !equal(left, right, budget);
            case "in" -> contains(right, left, budget);
            case "not in" -> !contains(right, left, budget);
            default -> {
                int order = order(left, right, budget);
                yield switch (operator) {
                    case "<" -> order < 0;
                    case "<=" -> order <= 0;
                    case ">" -> order > 0 && order != UNORDERED;
                    default -> order >= 0 && order != UNORDERED;
                };
            }
        };
    }

    /// `a == b`
    static boolean equal(Value a, Value b, Budget budget) {
        budget.compare(a, b);
        return a.equals(b);
    }

    /// Of a comparison with NaN, which nothing is below, above or equal to.
    private static final int UNORDERED = Integer.MAX_VALUE;

    /// Negative, 0 or positive; [#UNORDERED] for NaN.
    static int order(Value a, Value b, Budget budget) {
        Python.requireDefined(a);
        Python.requireDefined(b);
        budget.compare(a, b);
        if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
            if (a instanceof Value.Real || b instanceof Value.Real) {
                double x = Numbers.real(a);
                double y = Numbers.real(b);
                return Double.isNaN(x) || Double.isNaN(y) ? UNORDERED : x < y ? -1 : x > y ? 1 : 0;
            }
            return Numbers.integer(a).compareTo(Numbers.integer(b));
        }
        if (a instanceof Value.Text x && b instanceof Value.Text y) {
            return order(x.characters(), y.characters());
        }
        if (a instanceof Value.Sequence x && b instanceof Value.Sequence y && x.kind() == y.kind()) {
            int shared = Math.min(x.items().size(), y.items().size());
            for (int i = 0; i < shared; i++) {
                if (!equal(x.items().get(i), y.items().get(i), budget)) {
                    return order(x.items().get(i), y.items().get(i), budget);
                }
            }
            return Integer.compare(x.items().size(), y.items().size());
        }
        throw new JinjaException("a %s and a %s have no order".formatted(Python.type(a), Python.type(b)));
    }

    /// By code points.
    private static int order(String a, String b) {
        for (int at = 0; at < Math.min(a.length(), b.length()); at++) {
            if (a.charAt(at) != b.charAt(at)) {
                int beyond = Boolean.compare(Character.isSurrogate(a.charAt(at)), Character.isSurrogate(b.charAt(at)));
                return beyond != 0 ? beyond : Character.compare(a.charAt(at), b.charAt(at));
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /// `value in container`
    static boolean contains(Value container, Value value, Budget budget) {
        return switch (container) {
            case Value.Text text -> {
                String needle = Python.requireText(value).characters();
                budget.search(text.characters(), needle);
                yield text.characters().contains(needle);
            }
            case Value.Dict dict -> dict.entries().containsKey(key(value, budget));
            case Value.Sequence sequence -> {
                boolean found = false;
                for (Value item : sequence.items()) {
                    found = found || equal(item, value, budget);
                }
                yield found;
            }
            case Value.Undefined _ -> false;
            default -> throw new JinjaException("nothing is in a " + Python.type(container));
        };
    }

    /// A value as a key of a dictionary.
    ///
    /// @throws JinjaException if it is a list, a dictionary or undefined
    static Value key(Value value, Budget budget) {
        budget.pay(Budget.ELEMENT + Value.weight(value));
        return switch (Python.requireDefined(value)) {
            case Value.Sequence _, Value.Dict _ ->
                throw new JinjaException("a " + Python.type(value) + " cannot be a key");
            default -> value;
        };
    }

    /// A list that is paid for.
    static Value list(List<Value> items, Value.Kind kind, Budget budget) {
        budget.pay((long) Budget.ELEMENT * items.size());
        return new Value.Sequence(items, kind);
    }
}
