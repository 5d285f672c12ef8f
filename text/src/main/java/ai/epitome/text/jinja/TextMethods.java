package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/// Python's methods of `str`.
final class TextMethods {
    private static final Set<String> KNOWN = Set.of(
            "capitalize",
            "casefold",
            "center",
            "count",
            "endswith",
            "find",
            "format",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "islower",
            "isnumeric",
            "isspace",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "zfill");

    private final Budget budget;
    private final Texts texts;

    TextMethods(Budget budget) {
        this.budget = budget;
        this.texts = new Texts(budget);
    }

    static boolean isKnown(String name) {
        return KNOWN.contains(name);
    }

    Value call(String name, MarkedText text, Arguments arguments) {
        return switch (name) {
            case "capitalize" -> value(texts.capitalize(text));
            case "casefold", "lower" -> value(texts.lower(text));
            case "upper" -> value(texts.upper(text));
            case "title" -> value(texts.title(text, c -> !Character.isLetter(c)));
            case "swapcase" -> value(swapped(text));
            case "center" -> value(texts.pad(text, arguments.integer(0, "width", 0), fill(arguments), 0.5));
            case "ljust" -> value(texts.pad(text, arguments.integer(0, "width", 0), fill(arguments), 0));
            case "rjust" -> value(texts.pad(text, arguments.integer(0, "width", 0), fill(arguments), 1));
            case "zfill" -> value(texts.pad(text, arguments.integer(0, "width", 0), "0", 1));
            case "format" -> new Formats(budget).braces(text, arguments);
            case "join" ->
                value(texts.join(requireTexts(Python.iterate(arguments.require(0, "iterable"), budget)), text));
            case "strip" -> value(strip(text, arguments, true, true));
            case "lstrip" -> value(strip(text, arguments, true, false));
            case "rstrip" -> value(strip(text, arguments, false, true));
            case "split", "rsplit" -> split(text, arguments, name.equals("rsplit"));
            case "splitlines" -> {
                var lines = new ArrayList<Value>();
                texts.lines(text, arguments.flag(0, "keepends")).forEach(line -> lines.add(value(line)));
                yield Operations.list(lines, Value.Kind.LIST, budget);
            }
            case "partition", "rpartition" -> partition(text, arguments, name.equals("rpartition"));
            case "removeprefix" -> {
                String prefix = arguments.text(0, "prefix", "");
                yield value(text.characters().startsWith(prefix) ? text.slice(prefix.length(), text.length()) : text);
            }
            case "removesuffix" -> {
                String suffix = arguments.text(0, "suffix", "");
                yield value(text.characters().endsWith(suffix) ? text.slice(0, text.length() - suffix.length()) : text);
            }
            case "replace" ->
                value(texts.replace(
                        text,
                        Python.requireText(arguments.require(0, "old")).characters(),
                        Python.requireText(arguments.require(1, "new")),
                        arguments.integer(2, "count", -1)));
            default -> question(name, text.characters(), arguments);
        };
    }

    private static Value value(MarkedText text) {
        return new Value.Text(text);
    }

    private static String fill(Arguments arguments) {
        String fill = arguments.text(1, "fillchar", " ");
        if (fill.codePointCount(0, fill.length()) != 1) {
            throw new JinjaException("'fillchar' must be one character");
        }
        return fill;
    }

    private static List<Value> requireTexts(List<Value> items) {
        items.forEach(Python::requireText);
        return items;
    }

    private MarkedText swapped(MarkedText text) {
        var out = new TextBuilder(budget);
        for (Value character : Python.iterate(value(text), budget)) {
            MarkedText one = Python.requireText(character);
            out.append(Character.isUpperCase(one.characters().codePointAt(0)) ? texts.lower(one) : texts.upper(one));
        }
        return out.build();
    }

    private MarkedText strip(MarkedText text, Arguments arguments, boolean left, boolean right) {
        Value chosen = arguments.get(0, "chars", Value.NONE);
        if (chosen instanceof Value.Text(MarkedText characters)) {
            budget.search(text.characters(), characters.characters());
        }
        return texts.strip(text, Texts.characters(chosen), left, right);
    }

    private Value split(MarkedText text, Arguments arguments, boolean fromEnd) {
        Value separator = arguments.get(0, "sep", Value.NONE);
        int most = arguments.integer(1, "maxsplit", -1);
        if (separator instanceof Value.None) {
            if (fromEnd && most >= 0) {
                throw new JinjaException("'rsplit' with 'maxsplit' wants a separator");
            }
            return Operations.list(texts.words(text, most), Value.Kind.LIST, budget);
        }
        List<Value> parts = texts.split(text, Python.requireText(separator).characters(), most, fromEnd);
        return Operations.list(parts, Value.Kind.LIST, budget);
    }

    private Value partition(MarkedText text, Arguments arguments, boolean fromEnd) {
        String separator = Python.requireText(arguments.require(0, "sep")).characters();
        budget.search(text.characters(), separator);
        budget.pay(text.length());
        int at = fromEnd
                ? text.characters().lastIndexOf(separator)
                : text.characters().indexOf(separator);
        Value nothing = value(MarkedText.EMPTY);
        List<Value> parts = at < 0
                ? fromEnd ? List.of(nothing, nothing, value(text)) : List.of(value(text), nothing, nothing)
                : List.of(
                        value(text.slice(0, at)),
                        value(text.slice(at, at + separator.length())),
                        value(text.slice(at + separator.length(), text.length())));
        return Operations.list(parts, Value.Kind.TUPLE, budget);
    }

    /// Methods that only look.
    private Value question(String name, String text, Arguments arguments) {
        budget.pay(text.length());
        return switch (name) {
            case "startswith" -> Value.of(anyOf(arguments, text::startsWith));
            case "endswith" -> Value.of(anyOf(arguments, text::endsWith));
            case "find", "rfind", "index", "rindex" -> find(name, text, arguments);
            case "count" ->
                Value.of(count(
                        text, Python.requireText(arguments.require(0, "sub")).characters()));
            case "isalnum" -> all(text, c -> Character.isLetterOrDigit(c));
            case "isalpha" -> all(text, Character::isLetter);
            case "isdigit", "isdecimal", "isnumeric" -> all(text, Character::isDigit);
            case "isspace" -> all(text, Characters::isSpace);
            case "isascii" -> Value.of(text.chars().allMatch(c -> c < 0x80));
            case "islower" ->
                Value.of(text.codePoints().anyMatch(Character::isLowerCase)
                        && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c)));
            case "isupper" ->
                Value.of(text.codePoints().anyMatch(Character::isUpperCase)
                        && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c)));
            default -> throw new JinjaException("a str has no method '" + name + "'");
        };
    }

    private static Value all(String text, IntPredicate is) {
        return Value.of(!text.isEmpty() && text.codePoints().allMatch(is));
    }

    /// One text or a tuple of them.
    private boolean anyOf(Arguments arguments, Predicate<String> test) {
        Value wanted = arguments.require(0, "prefix");
        List<Value> choices = wanted instanceof Value.Sequence sequence ? sequence.items() : List.of(wanted);
        for (Value choice : choices) {
            budget.pay(Value.weight(choice));
            if (test.test(Python.requireText(choice).characters())) {
                return true;
            }
        }
        return false;
    }

    private Value find(String name, String text, Arguments arguments) {
        String wanted = Python.requireText(arguments.require(0, "sub")).characters();
        budget.search(text, wanted);
        int start = arguments.integer(1, "start", 0);
        if (start < 0 || arguments.find(2, "end") != null) {
            throw new JinjaException("'" + name + "' takes a start of 0 or more, and no end");
        }
        int from =
                start > text.codePointCount(0, text.length()) ? text.length() + 1 : text.offsetByCodePoints(0, start);
        int at = name.startsWith("r") ? text.lastIndexOf(wanted) : text.indexOf(wanted, from);
        if (from > text.length() || at < from) {
            at = -1;
        }
        if (at < 0 && name.endsWith("index")) {
            throw new JinjaException("'" + name + "': the text is not there");
        }
        return Value.of(at < 0 ? -1 : text.codePointCount(0, at));
    }

    private int count(String text, String wanted) {
        budget.search(text, wanted);
        if (wanted.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1;
        }
        int count = 0;
        for (int at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length())) {
            count++;
        }
        return count;
    }
}
