package ai.epitome.text.jinja;

import java.math.BigInteger;
import java.util.Set;

/// Jinja's tests, `value is name`.
final class Tests {
    private static final Set<String> KNOWN = Set.of(
            "boolean",
            "callable",
            "defined",
            "divisibleby",
            "eq",
            "equalto",
            "even",
            "false",
            "filter",
            "float",
            "ge",
            "greaterthan",
            "gt",
            "in",
            "integer",
            "iterable",
            "le",
            "lessthan",
            "lower",
            "lt",
            "mapping",
            "ne",
            "none",
            "number",
            "odd",
            "sameas",
            "sequence",
            "string",
            "test",
            "true",
            "undefined",
            "upper",
            "==",
            "!=",
            "<",
            "<=",
            ">",
            ">=");

    private Tests() {}

    static boolean isKnown(String name) {
        return KNOWN.contains(name);
    }

    static boolean test(String name, Value value, Arguments arguments, Budget budget) {
        return switch (name) {
            case "boolean" -> value instanceof Value.Bool;
            case "callable" -> value instanceof Value.Callable;
            case "defined" -> !(value instanceof Value.Undefined);
            case "undefined" -> value instanceof Value.Undefined;
            case "none" -> value instanceof Value.None;
            case "true" -> value instanceof Value.Bool(boolean truth) && truth;
            case "false" -> value instanceof Value.Bool(boolean truth) && !truth;
            case "float" -> value instanceof Value.Real;
            case "integer" -> value instanceof Value.Int;
            case "number" -> Value.Numbers.isNumber(value);
            case "string" -> value instanceof Value.Text;
            case "mapping" -> value instanceof Value.Dict;
            case "iterable" -> Python.isIterable(value);
            case "sequence" ->
                Python.isIterable(value)
                        && !(value instanceof Value.Sequence sequence && sequence.kind() == Value.Kind.STREAM);
            case "lower" -> is("islower", value, budget);
            case "upper" -> is("isupper", value, budget);
            case "even" -> !integer(value).testBit(0);
            case "odd" -> integer(value).testBit(0);
            case "divisibleby" -> {
                BigInteger divisor = integer(arguments.require(0, "num"));
                if (divisor.signum() == 0) {
                    throw new JinjaException("division by zero");
                }
                yield integer(value).mod(divisor.abs()).signum() == 0;
            }
            case "sameas" -> same(value, arguments.require(0, "other"));
            case "filter" -> Filters.isKnown(Python.requireText(value).characters());
            case "test" -> isKnown(Python.requireText(value).characters());
            default -> new Operations(budget).compare(operator(name), value, arguments.require(0, "other"));
        };
    }

    private static boolean same(Value a, Value b) {
        return a == b
                || (a instanceof Value.Bool && b instanceof Value.Bool
                                || a instanceof Value.Int && b instanceof Value.Int)
                        && a.equals(b);
    }

    private static String operator(String name) {
        return switch (name) {
            case "eq", "equalto" -> "==";
            case "ne" -> "!=";
            case "lt", "lessthan" -> "<";
            case "le" -> "<=";
            case "gt", "greaterthan" -> ">";
            case "ge" -> ">=";
            default -> name; // ==, in and the like
        };
    }

    private static boolean is(String method, Value value, Budget budget) {
        var text = Python.text(value, budget);
        return Python.isTrue(new TextMethods(budget).call(method, text, Arguments.NONE));
    }

    private static BigInteger integer(Value value) {
        Python.requireDefined(value);
        if (value instanceof Value.Int || value instanceof Value.Bool) {
            return Value.Numbers.integer(value);
        }
        throw new JinjaException("expected an int, found a " + Python.type(value));
    }
}
