package ai.epitome.model.transformer;

import ai.epitome.tensor.autograd.Parameter;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// The parameters of a model in the order in which they were made, with their roles.
final class ParameterList {
    private final Arena arena;
    private final List<Parameter> parameters = new ArrayList<>();
    private final Map<Parameter, Role> roles = new IdentityHashMap<>();

    ParameterList(Arena arena) {
        this.arena = arena;
    }

    Parameter add(String name, Role role, int... shape) {
        Parameter parameter = new Parameter(arena, name, shape);
        parameters.add(parameter);
        roles.put(parameter, role);
        return parameter;
    }

    List<Parameter> all() {
        return Collections.unmodifiableList(parameters);
    }

    Role role(Parameter parameter) {
        Role role = roles.get(parameter);
        if (role == null) {
            throw new IllegalArgumentException("parameter " + parameter.name() + " does not belong to this model");
        }
        return role;
    }
}
