package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// Jinja's filters of lists. What is a generator in Python is a [stream][Value.Kind#STREAM] here.
final class ListFilters {
    private final Budget budget;
    private final Attributes attributes;
    private final Filters filters;

    ListFilters(Budget budget, Attributes attributes, Filters filters) {
        this.budget = budget;
        this.attributes = attributes;
        this.filters = filters;
    }

    Value apply(String name, Value input, Arguments arguments) {
        return switch (name) {
            case "batch" -> batch(items(input), arguments);
            case "dictsort" -> dictsort(Python.requireDict(input), arguments);
            case "first", "last" -> end(items(input), name.equals("first"));
            case "groupby" -> groups(items(input), arguments);
            case "items" ->
                input instanceof Value.Undefined
                        ? new Value.Sequence(List.of(), Value.Kind.STREAM)
                        : attributes.items(Python.requireDict(input), Value.Kind.STREAM);
            case "join" -> {
                Value attribute = arguments.get(1, "attribute", Value.NONE);
                List<Value> items = attribute instanceof Value.None
                        ? items(input)
                        : mapped(items(input), item -> attributes.path(item, attribute));
                yield filters.joined(items, arguments.get(0, "d", Value.ofTemplate("")));
            }
            case "list" -> list(items(input), Value.Kind.LIST);
            case "map" -> map(itemsIfAny(input), arguments);
            case "max", "min" -> extreme(items(input), arguments, name.equals("max"));
            case "select" -> selected(itemsIfAny(input), test(arguments), true);
            case "reject" -> selected(itemsIfAny(input), test(arguments), false);
            case "selectattr", "rejectattr" -> {
                Value path = arguments.require(0, "attribute");
                Predicate<Value> test = test(arguments.skip(1));
                yield selected(
                        itemsIfAny(input), item -> test.test(attributes.path(item, path)), name.equals("selectattr"));
            }
            case "reverse" -> reversed(input);
            case "sort" -> sorted(items(input), arguments);
            case "sum" -> sum(items(input), arguments);
            case "unique" -> unique(items(input), arguments);
            default -> throw new JinjaException("there is no filter '" + name + "'");
        };
    }

    private List<Value> items(Value input) {
        return Python.iterate(input, budget);
    }

    /// Nothing of what counts as false, such as `none`.
    private List<Value> itemsIfAny(Value input) {
        return Python.isTrue(input) ? items(input) : List.of();
    }

    private Value list(List<Value> items, Value.Kind kind) {
        return Operations.list(items, kind, budget);
    }

    private List<Value> mapped(List<Value> items, UnaryOperator<Value> function) {
        var results = new ArrayList<Value>();
        for (Value item : items) {
            budget.pay(Budget.STEP + Budget.ELEMENT);
            results.add(function.apply(item));
        }
        return results;
    }

    private Value map(List<Value> items, Arguments arguments) {
        Value path = arguments.named().get("attribute");
        if (path != null) {
            Value absent = arguments.named().get("default");
            return list(
                    mapped(items, item -> {
                        Value value = attributes.path(item, path);
                        return absent != null && value instanceof Value.Undefined ? absent : value;
                    }),
                    Value.Kind.STREAM);
        }
        String filter = Filters.requireKnown(arguments.require(0, "filter"));
        Arguments others = arguments.skip(1);
        return list(mapped(items, item -> filters.apply(filter, item, others)), Value.Kind.STREAM);
    }

    /// The test that is named first, or truth.
    private Predicate<Value> test(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            return Python::isTrue;
        }
        String name = Python.requireText(arguments.positional().getFirst()).characters();
        if (!Tests.isKnown(name)) {
            throw new JinjaException("there is no test '" + name + "'");
        }
        Arguments others = arguments.skip(1);
        return value -> Tests.test(name, value, others, budget);
    }

    private Value selected(List<Value> items, Predicate<Value> test, boolean wanted) {
        var chosen = new ArrayList<Value>();
        for (Value item : items) {
            budget.pay(Budget.STEP);
            if (test.test(item) == wanted) {
                chosen.add(item);
            }
        }
        return list(chosen, Value.Kind.STREAM);
    }

    private static Value end(List<Value> items, boolean first) {
        if (items.isEmpty()) {
            return new Value.Undefined("nothing is first or last in an empty list");
        }
        return first ? items.getFirst() : items.getLast();
    }

    private Value reversed(Value input) {
        List<Value> items = filters.copy(items(input));
        Collections.reverse(items);
        return input instanceof Value.Text
                ? filters.joined(items, Value.ofTemplate(""))
                : new Value.Sequence(items, Value.Kind.STREAM);
    }

    private UnaryOperator<Value> sortKey(Arguments arguments, int caseSensitive, int attribute) {
        boolean sensitive = arguments.flag(caseSensitive, "case_sensitive");
        Value path = arguments.get(attribute, "attribute", Value.NONE);
        return item -> filters.folded(path instanceof Value.None ? item : attributes.path(item, path), sensitive);
    }

    /// With what is compared worked out once.
    private List<Value> sorted(List<Value> items, UnaryOperator<Value> key, boolean reverse) {
        record Keyed(Value key, Value item) {}
        budget.pay((long) Budget.ELEMENT * items.size());
        var keyed = new ArrayList<Keyed>();
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = (a, b) -> Operations.order(a.key(), b.key(), budget);
        try {
            keyed.sort(reverse ? order.reversed() : order);
        } catch (IllegalArgumentException e) {
            throw e instanceof JinjaException known ? known : new JinjaException("the values have no order");
        }
        return keyed.stream().map(Keyed::item).toList();
    }

    private Value sorted(List<Value> items, Arguments arguments) {
        arguments.allow("reverse", "case_sensitive", "attribute");
        return list(sorted(items, sortKey(arguments, 1, 2), arguments.flag(0, "reverse")), Value.Kind.LIST);
    }

    private Value dictsort(Value.Dict dict, Arguments arguments) {
        arguments.allow("case_sensitive", "by", "reverse");
        boolean sensitive = arguments.flag(0, "case_sensitive");
        int place = arguments.text(1, "by", "key").equals("value") ? 1 : 0;
        List<Value> pairs = items(attributes.items(dict, Value.Kind.LIST));
        UnaryOperator<Value> key = pair -> filters.folded(items(pair).get(place), sensitive);
        return list(sorted(pairs, key, arguments.flag(2, "reverse")), Value.Kind.LIST);
    }

    private Value extreme(List<Value> items, Arguments arguments, boolean largest) {
        UnaryOperator<Value> key = sortKey(arguments, 0, 1);
        Value best = null;
        for (Value item : items) {
            int order = best == null ? 1 : Operations.order(key.apply(item), key.apply(best), budget);
            if (best == null || (largest ? order > 0 : order < 0)) {
                best = item;
            }
        }
        return best == null ? end(items, true) : best;
    }

    private Value sum(List<Value> items, Arguments arguments) {
        Value path = arguments.get(0, "attribute", Value.NONE);
        Value sum = arguments.get(1, "start", Value.of(0));
        var operations = new Operations(budget);
        for (Value item : items) {
            sum = operations.arithmetic("+", sum, path instanceof Value.None ? item : attributes.path(item, path));
        }
        return sum;
    }

    private Value unique(List<Value> items, Arguments arguments) {
        UnaryOperator<Value> key = sortKey(arguments, 0, 1);
        var seen = new HashSet<Value>();
        var unique = new ArrayList<Value>();
        for (Value item : items) {
            if (seen.add(Operations.key(key.apply(item), budget))) {
                unique.add(item);
            }
        }
        return list(unique, Value.Kind.STREAM);
    }

    private Value batch(List<Value> items, Arguments arguments) {
        int size = arguments.integer(0, "linecount", 1);
        Value fill = arguments.get(1, "fill_with", Value.NONE);
        if (size < 1) {
            throw new JinjaException("'batch' wants a size of 1 or more");
        }
        var batches = new ArrayList<Value>();
        for (int begin = 0; begin < items.size(); begin += size) {
            int end = (int) Math.min(items.size(), begin + (long) size);
            List<Value> batch = filters.copy(items.subList(begin, end));
            if (!(fill instanceof Value.None) && end - begin < size) {
                budget.pay((long) Budget.ELEMENT * size);
                batch.addAll(Collections.nCopies(size - (end - begin), fill));
            }
            batches.add(new Value.Sequence(batch, Value.Kind.LIST));
            if (end == items.size()) {
                break;
            }
        }
        return list(batches, Value.Kind.STREAM);
    }

    /// Tuples of what the items of a group share, and the group.
    private Value groups(List<Value> items, Arguments arguments) {
        Value path = arguments.require(0, "attribute");
        Value absent = arguments.find(1, "default");
        boolean sensitive = arguments.flag(2, "case_sensitive");
        UnaryOperator<Value> key = item -> {
            Value value = attributes.path(item, path);
            return filters.folded(absent != null && value instanceof Value.Undefined ? absent : value, sensitive);
        };
        var groups = new LinkedHashMap<Value, List<Value>>();
        for (Value item : sorted(items, key, false)) {
            groups.computeIfAbsent(Operations.key(key.apply(item), budget), _ -> new ArrayList<>())
                    .add(item);
        }
        var tuples = new ArrayList<Value>();
        groups.forEach((shared, group) -> {
            MarkedText none = MarkedText.EMPTY;
            Value grouper = attributes.path(group.getFirst(), path);
            Value shown = grouper instanceof Value.Undefined ? absent == null ? new Value.Text(none) : absent : grouper;
            tuples.add(new Value.Sequence(List.of(shown, list(group, Value.Kind.LIST)), Value.Kind.TUPLE));
        });
        return list(tuples, Value.Kind.LIST);
    }
}
