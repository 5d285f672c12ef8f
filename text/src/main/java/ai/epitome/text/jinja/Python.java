package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// What Python does with values of any type: truth, text, length, iteration.
final class Python {
    private Python() {}

    /// `bool(value)`
    static boolean isTrue(Value value) {
        return switch (value) {
            case Value.Text text -> text.text().length() > 0;
            case Value.Int(BigInteger integer) -> integer.signum() != 0;
            case Value.Real(double real) -> real != 0;
            case Value.Bool(boolean truth) -> truth;
            case Value.None _, Value.Undefined _ -> false;
            case Value.Sequence sequence -> !sequence.items().isEmpty() || sequence.kind() == Value.Kind.STREAM;
            case Value.Dict dict -> !dict.entries().isEmpty();
            case Value.Namespace _, Value.Callable _ -> true;
        };
    }

    /// How error messages call its type.
    static String type(Value value) {
        return switch (value) {
            case Value.Text _ -> "str";
            case Value.Int _ -> "int";
            case Value.Real _ -> "float";
            case Value.Bool _ -> "bool";
            case Value.None _ -> "none";
            case Value.Undefined _ -> "undefined";
            case Value.Sequence sequence ->
                switch (sequence.kind()) {
                    case LIST -> "list";
                    case TUPLE -> "tuple";
                    case STREAM -> "stream";
                };
            case Value.Dict _ -> "dict";
            case Value.Namespace namespace -> namespace.name;
            case Value.Callable _ -> "function";
        };
    }

    /// @throws JinjaException if it is undefined
    static Value requireDefined(Value value) {
        if (value instanceof Value.Undefined(String what)) {
            throw new JinjaException(what);
        }
        return value;
    }

    /// @throws JinjaException if it is no text
    static MarkedText requireText(Value value) {
        if (requireDefined(value) instanceof Value.Text(MarkedText text)) {
            return text;
        }
        throw new JinjaException("expected a str, found a " + type(value));
    }

    /// @throws JinjaException if it is no dictionary
    static Value.Dict requireDict(Value value) {
        if (requireDefined(value) instanceof Value.Dict dict) {
            return dict;
        }
        throw new JinjaException("expected a dict, found a " + type(value));
    }

    /// A number that counts or points.
    ///
    /// @throws JinjaException if it is no integer of 31 bits
    static int index(Value value) {
        requireDefined(value);
        if (value instanceof Value.Int || value instanceof Value.Bool) {
            BigInteger integer = Value.Numbers.integer(value);
            if (integer.bitLength() < Integer.SIZE) {
                return integer.intValue();
            }
        }
        throw new JinjaException("expected an int of at most 31 bits, found a " + type(value));
    }

    /// `len(value)`
    static int length(Value value) {
        return switch (value) {
            case Value.Text text ->
                text.characters().codePointCount(0, text.characters().length());
            case Value.Sequence sequence
            when sequence.kind() != Value.Kind.STREAM -> sequence.items().size();
            case Value.Dict dict -> dict.entries().size();
            case Value.Undefined _ -> 0;
            default -> throw new JinjaException("a " + type(value) + " has no length");
        };
    }

    static boolean isIterable(Value value) {
        return switch (value) {
            case Value.Text _, Value.Sequence _, Value.Dict _, Value.Undefined _ -> true;
            default -> false;
        };
    }

    /// What a loop goes over: items, keys, characters.
    static List<Value> iterate(Value value, Budget budget) {
        return switch (value) {
            case Value.Sequence sequence -> sequence.items();
            case Value.Dict dict -> {
                budget.pay((long) Budget.ELEMENT * dict.entries().size());
                yield List.copyOf(dict.entries().keySet());
            }
            case Value.Text(MarkedText text) -> {
                budget.pay((long) Budget.ELEMENT * text.length());
                var characters = new ArrayList<Value>();
                for (int at = 0; at < text.length(); ) {
                    int end = at + Character.charCount(text.characters().codePointAt(at));
                    characters.add(new Value.Text(text.slice(at, end)));
                    at = end;
                }
                yield characters;
            }
            case Value.Undefined _ -> List.of();
            default -> throw new JinjaException("a " + type(value) + " cannot be iterated over");
        };
    }

    /// `str(value)`
    static MarkedText text(Value value, Budget budget) {
        return switch (value) {
            case Value.Text(MarkedText text) -> text;
            case Value.Undefined _ -> MarkedText.EMPTY;
            default -> repr(value, new TextBuilder(budget)).build();
        };
    }

    /// Adds `repr(value)`.
    static TextBuilder repr(Value value, TextBuilder out) {
        switch (value) {
            case Value.Text(MarkedText text) -> quoted(text, out);
            case Value.Int(BigInteger integer) -> out.template(integer.toString());
            case Value.Real(double real) -> out.template(repr(real));
            case Value.Bool(boolean truth) -> out.template(truth ? "True" : "False");
            case Value.None _ -> out.template("None");
            case Value.Undefined _ -> out.template("Undefined");
            case Value.Sequence sequence -> sequence(sequence, out);
            case Value.Dict dict -> {
                out.template("{");
                String comma = "";
                for (var entry : dict.entries().entrySet()) {
                    repr(entry.getKey(), out.template(comma));
                    repr(entry.getValue(), out.template(": "));
                    comma = ", ";
                }
                out.template("}");
            }
            case Value.Namespace namespace -> out.template("<" + namespace.name + ">");
            case Value.Callable callable -> out.template("<function " + callable.name() + ">");
        }
        return out;
    }

    private static void sequence(Value.Sequence sequence, TextBuilder out) {
        boolean tuple = sequence.kind() == Value.Kind.TUPLE;
        out.template(tuple ? "(" : "[");
        String comma = "";
        for (Value item : sequence.items()) {
            repr(item, out.template(comma));
            comma = ", ";
        }
        out.template(tuple ? sequence.items().size() == 1 ? ",)" : ")" : "]");
    }

    private static void quoted(MarkedText text, TextBuilder out) {
        String characters = text.characters();
        char quote = characters.indexOf('\'') >= 0 && characters.indexOf('"') < 0 ? '"' : '\'';
        out.template(String.valueOf(quote));
        for (int at = 0; at < characters.length(); ) {
            int c = characters.codePointAt(at);
            int end = at + Character.charCount(c);
            String escaped = escaped(c, quote);
            if (escaped == null) {
                out.append(text, at, end);
            } else {
                out.append(escaped, text.isTemplate(at, end));
            }
            at = end;
        }
        out.template(String.valueOf(quote));
    }

    /// Null where it stands for itself.
    private static String escaped(int c, char quote) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\' -> "\\\\";
            default -> {
                if (c == quote) {
                    yield "\\" + quote;
                }
                if (Characters.isPrintable(c)) {
                    yield null;
                }
                yield c < 0x100
                        ? "\\x%02x".formatted(c)
                        : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c);
            }
        };
    }

    /// The shortest digits that name the number, in Python's notation.
    static String repr(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return "%s%se%s%02d".formatted(value < 0 ? "-" : "", mantissa, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
