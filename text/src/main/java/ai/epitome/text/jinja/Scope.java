package ai.epitome.text.jinja;

import java.util.HashMap;
import java.util.Map;

/// The variables of a block, in those of the block around it.
final class Scope {
    private final Scope around;
    private final Map<String, Value> variables = new HashMap<>();

    Scope(Scope around) {
        this.around = around;
    }

    void set(String name, Value value) {
        variables.put(name, value);
    }

    /// The innermost value of this name, or null.
    Value find(String name) {
        for (Scope scope = this; scope != null; scope = scope.around) {
            Value value = scope.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }
}
