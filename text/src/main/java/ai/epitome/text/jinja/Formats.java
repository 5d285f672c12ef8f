package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;

/// `"%s" % value` and `"{}".format(value)`.
///
/// @param budget what it is paid from
record Formats(Budget budget) {
    private static final int WIDEST = 1000;

    /// Python's `%`: conversions `s r d i u f F x X o %`, flags `-`, `0`, `+` and space, width and precision.
    Value percent(MarkedText format, Value operand) {
        boolean several = operand instanceof Value.Sequence sequence && sequence.kind() == Value.Kind.TUPLE;
        List<Value> values = several ? ((Value.Sequence) operand).items() : List.of(operand);
        String characters = format.characters();
        var out = new TextBuilder(budget);
        int used = 0;
        int done = 0;
        for (int at = characters.indexOf('%'); at >= 0; at = characters.indexOf('%', done)) {
            out.append(format, done, at);
            var conversion = Conversion.parse(characters, at);
            done = conversion.end();
            if (conversion.type() == '%') {
                out.template("%");
                continue;
            }
            Value value = operand;
            if (conversion.key() != null) {
                value = Python.requireDict(operand).entries().get(Value.ofTemplate(conversion.key()));
            } else if (used == values.size()) {
                throw new JinjaException("a format wants more than " + values.size() + " values");
            } else {
                value = values.get(used++);
            }
            if (value == null) {
                throw new JinjaException("a format wants '" + conversion.key() + "', which is not there");
            }
            out.append(converted(conversion, value));
        }
        if (used < values.size() && !(operand instanceof Value.Dict)) {
            throw new JinjaException("a format takes " + used + " values, but there are " + values.size());
        }
        return out.append(format, done, characters.length()).value();
    }

    private record Conversion(String key, String flags, int width, int precision, char type, int end) {
        static Conversion parse(String format, int percent) {
            int at = percent + 1;
            String key = null;
            if (at < format.length() && format.charAt(at) == '(') {
                int close = format.indexOf(')', at);
                if (close < 0) {
                    throw new JinjaException("'%(' has no ')' in a format");
                }
                key = format.substring(at + 1, close);
                at = close + 1;
            }
            int flags = at;
            while (at < format.length() && "-0+ ".indexOf(format.charAt(at)) >= 0) {
                at++;
            }
            int width = at;
            while (at < format.length() && Characters.isDigit(format.charAt(at))) {
                at++;
            }
            int precision = at;
            if (at < format.length() && format.charAt(at) == '.') {
                at++;
                while (at < format.length() && Characters.isDigit(format.charAt(at))) {
                    at++;
                }
            }
            if (at >= format.length()) {
                throw new JinjaException("a format ends within '%'");
            }
            return new Conversion(
                    key,
                    format.substring(flags, width),
                    number(format.substring(width, precision), 0),
                    precision == at ? -1 : number(format.substring(precision + 1, at), 0),
                    format.charAt(at),
                    at + 1);
        }

        private static int number(String digits, int absent) {
            if (digits.isEmpty()) {
                return absent;
            }
            if (digits.length() > 4 || Integer.parseInt(digits) > WIDEST) {
                throw new JinjaException(
                        "a format asks for " + digits + " characters; at most " + WIDEST + " are made");
            }
            return Integer.parseInt(digits);
        }
    }

    private MarkedText converted(Conversion conversion, Value value) {
        MarkedText text = switch (conversion.type()) {
            case 's' -> cut(Python.text(value, budget), conversion.precision());
            case 'r' -> cut(Python.repr(value, new TextBuilder(budget)).build(), conversion.precision());
            case 'd', 'i', 'u' -> signed(conversion, integer(value).toString());
            case 'x' -> signed(conversion, integer(value).toString(16));
            case 'X' -> signed(conversion, integer(value).toString(16).toUpperCase(Locale.ROOT));
            case 'o' -> signed(conversion, integer(value).toString(8));
            case 'f', 'F' -> signed(conversion, fixed(value, conversion.precision()));
            default -> throw new JinjaException("a format has the unknown conversion '%" + conversion.type() + "'");
        };
        boolean left = conversion.flags().contains("-");
        boolean zeros = conversion.flags().contains("0") && !left && "sr".indexOf(conversion.type()) < 0;
        if (!zeros) {
            return new Texts(budget).pad(text, conversion.width(), " ", left ? 0 : 1);
        }
        int sign = text.characters().startsWith("-") || text.characters().startsWith("+") ? 1 : 0;
        return new TextBuilder(budget)
                .append(text, 0, sign)
                .append(new Texts(budget)
                        .pad(text.slice(sign, text.length()), Math.max(0, conversion.width() - sign), "0", 1))
                .build();
    }

    private MarkedText cut(MarkedText text, int precision) {
        int length = text.characters().codePointCount(0, text.length());
        return precision < 0 || precision >= length
                ? text
                : text.slice(0, text.characters().offsetByCodePoints(0, precision));
    }

    private static MarkedText signed(Conversion conversion, String digits) {
        String plus =
                conversion.flags().contains("+") ? "+" : conversion.flags().contains(" ") ? " " : "";
        return MarkedText.ofTemplate(digits.startsWith("-") ? digits : plus + digits);
    }

    private static BigInteger integer(Value value) {
        Python.requireDefined(value);
        if (!Value.Numbers.isNumber(value) || !Double.isFinite(Value.Numbers.real(value))) {
            throw new JinjaException("a format wants a number, found a " + Python.type(value));
        }
        return value instanceof Value.Real(double real)
                ? new BigDecimal(real).toBigInteger()
                : Value.Numbers.integer(value);
    }

    private static String fixed(Value value, int precision) {
        Python.requireDefined(value);
        if (!Value.Numbers.isNumber(value)) {
            throw new JinjaException("a format wants a number, found a " + Python.type(value));
        }
        double real = Value.Numbers.real(value);
        return Double.isFinite(real)
                ? new BigDecimal(real)
                        .setScale(precision < 0 ? 6 : precision, RoundingMode.HALF_EVEN)
                        .toPlainString()
                : Python.repr(real);
    }

    /// `round(value, digits)`
    static double round(double value, int digits, RoundingMode mode) {
        return Double.isFinite(value)
                ? new BigDecimal(value, MathContext.UNLIMITED)
                        .setScale(digits, mode)
                        .doubleValue()
                : value;
    }

    /// `{}`, `{0}`, `{name}`, `{{` and `}}`; no format specifications.
    Value braces(MarkedText format, Arguments arguments) {
        String characters = format.characters();
        budget.pay(characters.length());
        var out = new TextBuilder(budget);
        int used = 0;
        boolean counted = false;
        for (int at = 0; at < characters.length(); at++) {
            char c = characters.charAt(at);
            boolean brace = c == '{' || c == '}';
            if (!brace) {
                out.append(format, at, at + 1);
            } else if (at + 1 < characters.length() && characters.charAt(at + 1) == c) {
                out.append(format, at, at + 1);
                at++;
            } else {
                int close = characters.indexOf('}', at);
                if (c == '}' || close < 0) {
                    throw new JinjaException("a '" + c + "' stands alone in a format");
                }
                String name = characters.substring(at + 1, close);
                counted |= !name.isEmpty() && name.chars().allMatch(Characters::isDigit);
                Value value = name.isEmpty() ? place(arguments, used++) : named(arguments, name);
                if (counted && used > 0) {
                    throw new JinjaException("a format has both '{}' and '{0}'");
                }
                out.append(Python.text(value, budget));
                at = close;
            }
        }
        return out.value();
    }

    private static Value named(Arguments arguments, String name) {
        if (name.length() < 4 && name.chars().allMatch(Characters::isDigit)) {
            return place(arguments, Integer.parseInt(name));
        }
        Value value = arguments.named().get(name);
        if (value == null) {
            throw new JinjaException("a format wants '" + name + "', which is not there");
        }
        return value;
    }

    private static Value place(Arguments arguments, int place) {
        if (place >= arguments.positional().size()) {
            throw new JinjaException(
                    "a format wants more than " + arguments.positional().size() + " values");
        }
        return arguments.positional().get(place);
    }
}
