package ai.epitome.text.jinja;

import java.util.List;
import java.util.Map;

/// The variable `loop`.
final class LoopState {
    private LoopState() {}

    /// Sets its attributes for one turn.
    static void fill(Value.Namespace loop, List<Value> items, int index, Budget budget) {
        int count = items.size();
        Map<String, Value> attributes = loop.attributes;
        attributes.put("index", Value.of(index + 1));
        attributes.put("index0", Value.of(index));
        attributes.put("revindex", Value.of(count - index));
        attributes.put("revindex0", Value.of(count - index - 1));
        attributes.put("first", Value.of(index == 0));
        attributes.put("last", Value.of(index == count - 1));
        attributes.put("length", Value.of(count));
        attributes.put("depth", Value.of(1));
        attributes.put("depth0", Value.of(0));
        attributes.put(
                "previtem", index == 0 ? new Value.Undefined("there is no previous item") : items.get(index - 1));
        attributes.put(
                "nextitem", index == count - 1 ? new Value.Undefined("there is no next item") : items.get(index + 1));
        attributes.put("cycle", new Value.Callable("cycle", arguments -> {
            if (arguments.positional().isEmpty()) {
                throw new JinjaException("'loop.cycle' wants something to choose from");
            }
            return arguments.positional().get(index % arguments.positional().size());
        }));
        if (index == 0) {
            attributes.put("changed", changed(budget));
        }
    }

    /// Whether its arguments differ from those of the last call.
    private static Value changed(Budget budget) {
        Value[] last = {null};
        return new Value.Callable("changed", arguments -> {
            var now = new Value.Sequence(arguments.positional(), Value.Kind.TUPLE);
            boolean changed = last[0] == null || !Operations.equal(last[0], now, budget);
            last[0] = now;
            return Value.of(changed);
        });
    }
}
