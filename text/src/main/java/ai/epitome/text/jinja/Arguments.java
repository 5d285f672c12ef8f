package ai.epitome.text.jinja;

import java.util.List;
import java.util.Map;

/// What something is called with.
///
/// @param positional by place
/// @param named by name
record Arguments(List<Value> positional, Map<String, Value> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /// The argument of this place or name, or null.
    Value find(int place, String name) {
        return place < positional.size() ? positional.get(place) : named.get(name);
    }

    Value get(int place, String name, Value absent) {
        Value value = find(place, name);
        return value == null ? absent : value;
    }

    /// @throws JinjaException if it is missing
    Value require(int place, String name) {
        Value value = find(place, name);
        if (value == null) {
            throw new JinjaException("the argument '" + name + "' is missing");
        }
        return value;
    }

    boolean flag(int place, String name) {
        return Python.isTrue(get(place, name, Value.FALSE));
    }

    int integer(int place, String name, int absent) {
        Value value = find(place, name);
        return value == null ? absent : Python.index(value);
    }

    String text(int place, String name, String absent) {
        Value value = find(place, name);
        return value == null ? absent : Python.requireText(value).characters();
    }

    /// All but the first positional ones.
    Arguments skip(int count) {
        return new Arguments(positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }

    /// @throws JinjaException if there are more, or others, than those of these names
    void allow(String... names) {
        if (positional.size() > names.length) {
            throw new JinjaException(
                    "called with " + positional.size() + " arguments, but takes " + names.length + " at most");
        }
        for (String name : named.keySet()) {
            int place = List.of(names).indexOf(name);
            if (place < 0) {
                throw new JinjaException("there is no argument '" + name + "'; known are " + List.of(names));
            }
            if (place < positional.size()) {
                throw new JinjaException("the argument '" + name + "' is given twice");
            }
        }
    }
}
