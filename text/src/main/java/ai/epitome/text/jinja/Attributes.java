package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/// `object.name` and `object[key]`. As in Jinja, a dot prefers methods to entries and brackets prefer entries; what is
/// not there is undefined. Methods that change their object are not there.
final class Attributes {
    private final Budget budget;
    private final TextMethods textMethods;

    Attributes(Budget budget) {
        this.budget = budget;
        this.textMethods = new TextMethods(budget);
    }

    Value attribute(Value object, String name) {
        Value method = method(Python.requireDefined(object), name);
        if (method != null) {
            return method;
        }
        if (object instanceof Value.Dict dict) {
            Value value = dict.entries().get(Value.ofTemplate(name));
            return value == null ? missing(object, name) : value;
        }
        return missing(object, name);
    }

    Value item(Value object, Value key) {
        Python.requireDefined(object);
        if (key instanceof Value.Int || key instanceof Value.Bool) {
            Value found = place(object, key);
            return found == null ? missing(object, Value.Numbers.integer(key).toString()) : found;
        }
        if (object instanceof Value.Dict dict && !(key instanceof Value.Undefined)) {
            Value value = dict.entries().get(Operations.key(key, budget));
            if (value != null) {
                return value;
            }
        }
        if (key instanceof Value.Text(MarkedText name)) {
            Value method = method(object, name.characters());
            return method == null ? missing(object, name.characters()) : method;
        }
        return missing(object, Python.type(key));
    }

    /// A part of a path as filters take it, `attribute="function.name"`.
    Value path(Value object, Value path) {
        if (!(path instanceof Value.Text(MarkedText text))) {
            return item(object, path);
        }
        Value found = object;
        for (String part : text.characters().split("\\.", -1)) {
            budget.pay(part.length() + 1L);
            boolean number =
                    !part.isEmpty() && part.length() < 9 && part.chars().allMatch(Characters::isDigit);
            found = item(found, number ? Value.of(Long.parseLong(part)) : Value.ofTemplate(part));
        }
        return found;
    }

    private Value place(Value object, Value index) {
        BigInteger wanted = Value.Numbers.integer(index);
        int place = wanted.bitLength() < Integer.SIZE ? wanted.intValue() : Integer.MAX_VALUE;
        return switch (object) {
            case Value.Dict dict -> dict.entries().get(index);
            case Value.Sequence sequence
            when sequence.kind() != Value.Kind.STREAM -> {
                List<Value> items = sequence.items();
                int at = place < 0 ? place + items.size() : place;
                yield at >= 0 && at < items.size() ? items.get(at) : null;
            }
            case Value.Text(MarkedText text) -> {
                budget.pay(text.length());
                String characters = text.characters();
                int length = characters.codePointCount(0, characters.length());
                int at = place < 0 ? place + length : place;
                if (at < 0 || at >= length) {
                    yield null;
                }
                int begin = characters.offsetByCodePoints(0, at);
                yield new Value.Text(text.slice(begin, characters.offsetByCodePoints(begin, 1)));
            }
            default -> null;
        };
    }

    private static Value missing(Value object, String name) {
        String shown = name.length() <= 64 ? name : name.substring(0, 64) + "...";
        return new Value.Undefined("a " + Python.type(object) + " has no '" + shown + "'");
    }

    /// Null where there is none.
    private Value method(Value object, String name) {
        return switch (object) {
            case Value.Text(MarkedText text) ->
                TextMethods.isKnown(name)
                        ? new Value.Callable(name, arguments -> textMethods.call(name, text, arguments))
                        : null;
            case Value.Dict dict -> dictMethod(dict, name);
            case Value.Sequence sequence -> listMethod(sequence, name);
            case Value.Namespace namespace -> namespace.attributes.get(name);
            default -> null;
        };
    }

    private Value dictMethod(Value.Dict dict, String name) {
        return switch (name) {
            case "get" ->
                new Value.Callable(name, arguments -> {
                    Value key = Operations.key(arguments.require(0, "key"), budget);
                    Value value = dict.entries().get(key);
                    return value == null ? arguments.get(1, "default", Value.NONE) : value;
                });
            case "items" -> new Value.Callable(name, _ -> items(dict, Value.Kind.LIST));
            case "keys" ->
                new Value.Callable(
                        name,
                        _ -> Operations.list(new ArrayList<>(dict.entries().keySet()), Value.Kind.LIST, budget));
            case "values" ->
                new Value.Callable(
                        name,
                        _ -> Operations.list(new ArrayList<>(dict.entries().values()), Value.Kind.LIST, budget));
            case "copy" -> new Value.Callable(name, _ -> dict);
            default -> null;
        };
    }

    /// Tuples of key and value.
    Value items(Value.Dict dict, Value.Kind kind) {
        budget.pay(3L * Budget.ELEMENT * dict.entries().size());
        var items = new ArrayList<Value>();
        dict.entries().forEach((key, value) -> items.add(new Value.Sequence(List.of(key, value), Value.Kind.TUPLE)));
        return new Value.Sequence(items, kind);
    }

    private Value listMethod(Value.Sequence sequence, String name) {
        if (sequence.kind() == Value.Kind.STREAM) {
            return null;
        }
        return switch (name) {
            case "count" ->
                new Value.Callable(name, arguments -> {
                    Value wanted = arguments.require(0, "value");
                    return Value.of(sequence.items().stream()
                            .filter(item -> Operations.equal(item, wanted, budget))
                            .count());
                });
            case "index" ->
                new Value.Callable(name, arguments -> {
                    Value wanted = arguments.require(0, "value");
                    for (int i = 0; i < sequence.items().size(); i++) {
                        if (Operations.equal(sequence.items().get(i), wanted, budget)) {
                            return Value.of(i);
                        }
                    }
                    throw new JinjaException("the value is not in the list");
                });
            case "copy" -> new Value.Callable(name, _ -> sequence);
            default -> null;
        };
    }
}
