package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Jinja's filters, as far as chat templates use them; those of lists are in [ListFilters].
final class Filters {
    private static final Set<String> KNOWN = Set.of(
            "abs",
            "attr",
            "batch",
            "capitalize",
            "count",
            "d",
            "default",
            "dictsort",
            "e",
            "escape",
            "first",
            "float",
            "forceescape",
            "format",
            "groupby",
            "indent",
            "int",
            "items",
            "join",
            "last",
            "length",
            "list",
            "lower",
            "map",
            "max",
            "min",
            "reject",
            "rejectattr",
            "replace",
            "reverse",
            "round",
            "safe",
            "select",
            "selectattr",
            "sort",
            "string",
            "sum",
            "title",
            "tojson",
            "trim",
            "unique",
            "upper",
            "wordcount");

    private final Budget budget;
    private final Attributes attributes;
    private final Texts texts;
    private final ListFilters lists;

    Filters(Budget budget, Attributes attributes) {
        this.budget = budget;
        this.attributes = attributes;
        this.texts = new Texts(budget);
        this.lists = new ListFilters(budget, attributes, this);
    }

    static boolean isKnown(String name) {
        return KNOWN.contains(name);
    }

    Value apply(String name, Value input, Arguments arguments) {
        return switch (name) {
            case "abs" -> {
                Python.requireDefined(input);
                boolean negative = Operations.order(input, Value.of(0), budget) < 0;
                yield negative ? new Operations(budget).sign(input, true) : input;
            }
            case "attr" -> attributes.attribute(input, arguments.text(0, "name", ""));
            case "capitalize" -> value(texts.capitalize(text(input)));
            case "count", "length" -> Value.of(Python.length(input));
            case "d", "default" -> {
                boolean absent =
                        input instanceof Value.Undefined || (arguments.flag(1, "boolean") && !Python.isTrue(input));
                yield absent ? arguments.get(0, "default_value", value(MarkedText.EMPTY)) : input;
            }
            case "e", "escape", "forceescape" -> escaped(text(input));
            case "float" -> number(input, false, arguments.get(0, "default", Value.of(0.0)), 10);
            case "int" ->
                number(input, true, arguments.get(0, "default", Value.of(0)), arguments.integer(1, "base", 10));
            case "format" ->
                new Formats(budget)
                        .percent(
                                Python.requireText(input),
                                arguments.named().isEmpty()
                                        ? new Value.Sequence(arguments.positional(), Value.Kind.TUPLE)
                                        : Value.of(arguments.named()));
            case "indent" -> indent(text(input), arguments);
            case "lower" -> value(texts.lower(text(input)));
            case "upper" -> value(texts.upper(text(input)));
            case "replace" ->
                value(texts.replace(
                        text(input),
                        text(arguments.require(0, "s")).characters(),
                        text(arguments.require(1, "s")),
                        arguments.get(2, "count", Value.NONE) instanceof Value.None
                                ? -1
                                : arguments.integer(2, "count", -1)));
            case "round" -> round(input, arguments);
            case "safe", "string" -> value(text(input));
            case "title" -> value(texts.title(text(input), c -> Characters.isSpace(c) || "-({[<".indexOf(c) >= 0));
            case "tojson" -> Json.write(input, arguments, budget);
            case "trim" ->
                value(texts.strip(text(input), Texts.characters(arguments.get(0, "chars", Value.NONE)), true, true));
            case "wordcount" -> Value.of(texts.words(text(input), -1).size());
            default -> lists.apply(name, input, arguments);
        };
    }

    private MarkedText text(Value value) {
        return Python.text(value, budget);
    }

    private static Value value(MarkedText text) {
        return new Value.Text(text);
    }

    private Value escaped(MarkedText text) {
        MarkedText result = text;
        String[][] pairs = {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}};
        for (String[] pair : pairs) {
            result = texts.replace(result, pair[0], MarkedText.ofTemplate(pair[1]), -1);
        }
        return value(result);
    }

    private static Value number(Value input, boolean whole, Value absent, int base) {
        try {
            return switch (input) {
                case Value.Text(MarkedText text) -> parsed(text.characters().strip(), whole, base, absent);
                case Value.Real(double real) when whole -> new Value.Int(new BigDecimal(real).toBigInteger());
                case Value.Int _, Value.Bool _, Value.Real _ ->
                    whole ? new Value.Int(Value.Numbers.integer(input)) : Value.of(Value.Numbers.real(input));
                default -> absent;
            };
        } catch (NumberFormatException e) {
            return absent; // of NaN and infinity, too
        }
    }

    private static Value parsed(String text, boolean whole, int base, Value absent) {
        if (text.length() > 300 || base < 2 || base > Character.MAX_RADIX) {
            return absent;
        }
        String digits = text.replace("_", "");
        boolean sign = digits.startsWith("-") || digits.startsWith("+");
        if (whole
                && digits.length() > (sign ? 1 : 0)
                && !digits.substring(sign ? 1 : 0).startsWith("-")) {
            try {
                return new Value.Int(new BigInteger(digits, base));
            } catch (NumberFormatException e) {
                // perhaps a float
            }
        }
        if (digits.isEmpty() || "dDfF".indexOf(digits.charAt(digits.length() - 1)) >= 0 || digits.contains("x")) {
            return absent;
        }
        double real = Double.parseDouble(digits);
        return whole ? new Value.Int(new BigDecimal(real).toBigInteger()) : Value.of(real);
    }

    private Value indent(MarkedText text, Arguments arguments) {
        arguments.allow("width", "first", "blank");
        Value width = arguments.get(0, "width", Value.of(4));
        MarkedText by;
        if (width instanceof Value.Text(MarkedText given)) {
            by = given;
        } else {
            int spaces = Math.max(0, Python.index(width));
            budget.pay(spaces);
            by = MarkedText.ofTemplate(" ".repeat(spaces));
        }
        boolean blank = arguments.flag(2, "blank");
        var out = new TextBuilder(budget);
        var ended = new TextBuilder(budget).append(text).template("\n");
        List<MarkedText> lines = texts.lines(ended.build(), false);
        for (int i = 0; i < lines.size(); i++) {
            out.template(i == 0 ? "" : "\n");
            boolean indented =
                    i == 0 ? arguments.flag(1, "first") : blank || lines.get(i).length() > 0;
            out.append(indented ? by : MarkedText.EMPTY).append(lines.get(i));
        }
        return out.value();
    }

    private static Value round(Value input, Arguments arguments) {
        Python.requireDefined(input);
        if (!Value.Numbers.isNumber(input)) {
            throw new JinjaException("a " + Python.type(input) + " cannot be rounded");
        }
        int digits = Math.clamp(arguments.integer(0, "precision", 0), -400, 400);
        RoundingMode mode = switch (arguments.text(1, "method", "common")) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw new JinjaException("'round' knows the methods common, ceil and floor");
        };
        if (input instanceof Value.Real) {
            return Value.of(Formats.round(Value.Numbers.real(input), digits, mode));
        }
        return digits >= 0 && mode == RoundingMode.HALF_EVEN
                ? new Value.Int(Value.Numbers.integer(input))
                : Value.of(Formats.round(Value.Numbers.real(input), digits, mode));
    }

    /// All texts that name a filter, or one that is given as an argument.
    static String requireKnown(Value name) {
        String filter = Python.requireText(name).characters();
        if (!isKnown(filter)) {
            throw new JinjaException("there is no filter '" + filter + "'");
        }
        return filter;
    }

    /// What `sort`, `unique` and others compare: texts without their case unless told otherwise.
    Value folded(Value value, boolean caseSensitive) {
        return !caseSensitive && value instanceof Value.Text(MarkedText text) ? value(texts.lower(text)) : value;
    }

    Value joined(List<Value> items, Value separator) {
        return value(texts.join(items, text(separator)));
    }

    List<Value> copy(List<Value> items) {
        budget.pay((long) Budget.ELEMENT * items.size());
        return new ArrayList<>(items);
    }
}
