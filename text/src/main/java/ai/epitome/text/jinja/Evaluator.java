package ai.epitome.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Evaluates expressions.
final class Evaluator {
    private final Interpreter interpreter;
    private final Budget budget;
    private final Globals globals;
    private final Operations operations;
    private final Attributes attributes;
    private final Filters filters;

    Evaluator(Interpreter interpreter, Budget budget, Globals globals) {
        this.interpreter = interpreter;
        this.budget = budget;
        this.globals = globals;
        this.operations = new Operations(budget);
        this.attributes = new Attributes(budget);
        this.filters = new Filters(budget, attributes);
    }

    Value evaluate(Expression expression, Scope scope) {
        interpreter.enter();
        Value value = value(expression, scope);
        interpreter.leave();
        return value;
    }

    private Value value(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal(Value value) -> value;
            case Expression.Name(String name, int line) -> name(name, line, scope);
            case Expression.Items(List<Expression> items, Value.Kind kind) ->
                new Value.Sequence(values(items, scope), kind);
            case Expression.Pairs pairs -> pairs(pairs, scope);
            case Expression.Attribute(Expression object, String name, int line) -> {
                Value owner = evaluate(object, scope);
                interpreter.at(line);
                yield attributes.attribute(owner, name);
            }
            case Expression.Item(Expression object, Expression index, int line) -> {
                Value owner = evaluate(object, scope);
                Value key = evaluate(index, scope);
                interpreter.at(line);
                yield attributes.item(owner, key);
            }
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call call -> call(call, scope, null);
            case Expression.Filter(Expression object, String name, Expression.Given given, int line) -> {
                Value input = evaluate(object, scope);
                Arguments arguments = arguments(given, scope);
                interpreter.at(line);
                yield filters.apply(name, input, arguments);
            }
            case Expression.Test(Expression object, String name, Expression.Given given, int line) -> {
                Value input = evaluate(object, scope);
                Arguments arguments = arguments(given, scope);
                interpreter.at(line);
                yield Value.of(Tests.test(name, input, arguments, budget));
            }
            case Expression.Not(Expression operand) -> Value.of(!Python.isTrue(evaluate(operand, scope)));
            case Expression.Sign(Expression operand, boolean negative, int line) -> {
                Value value = evaluate(operand, scope);
                interpreter.at(line);
                yield operations.sign(value, negative);
            }
            case Expression.Arithmetic(String operator, Expression left, Expression right, int line) -> {
                Value first = evaluate(left, scope);
                Value second = evaluate(right, scope);
                interpreter.at(line);
                yield operations.arithmetic(operator, first, second);
            }
            case Expression.Concatenation(List<Expression> parts) -> {
                var text = new TextBuilder(budget);
                values(parts, scope).forEach(part -> text.append(Python.text(part, budget)));
                yield text.value();
            }
            case Expression.Comparison comparison -> Value.of(comparison(comparison, scope));
            case Expression.And(Expression left, Expression right) -> {
                Value first = evaluate(left, scope);
                yield Python.isTrue(first) ? evaluate(right, scope) : first;
            }
            case Expression.Or(Expression left, Expression right) -> {
                Value first = evaluate(left, scope);
                yield Python.isTrue(first) ? first : evaluate(right, scope);
            }
            case Expression.Conditional(Expression condition, Expression then, Expression otherwise) -> {
                if (Python.isTrue(evaluate(condition, scope))) {
                    yield evaluate(then, scope);
                }
                yield otherwise == null
                        ? new Value.Undefined("an inline 'if' without 'else' was false")
                        : evaluate(otherwise, scope);
            }
        };
    }

    private Value name(String name, int line, Scope scope) {
        interpreter.at(line);
        Value value = scope.find(name);
        if (value == null) {
            value = globals.find(name);
        }
        return value == null ? new Value.Undefined("'" + name + "' is undefined") : value;
    }

    private List<Value> values(List<Expression> expressions, Scope scope) {
        budget.pay((long) Budget.ELEMENT * expressions.size());
        var values = new ArrayList<Value>();
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private Value pairs(Expression.Pairs pairs, Scope scope) {
        var entries = new LinkedHashMap<Value, Value>();
        for (int i = 0; i < pairs.keys().size(); i++) {
            Value key = evaluate(pairs.keys().get(i), scope);
            interpreter.at(pairs.line());
            entries.put(Operations.key(key, budget), evaluate(pairs.values().get(i), scope));
        }
        return new Value.Dict(entries);
    }

    private Value slice(Expression.Slice slice, Scope scope) {
        Value object = evaluate(slice.object(), scope);
        Value start = slice.start() == null ? Value.NONE : evaluate(slice.start(), scope);
        Value stop = slice.stop() == null ? Value.NONE : evaluate(slice.stop(), scope);
        Value step = slice.step() == null ? Value.NONE : evaluate(slice.step(), scope);
        interpreter.at(slice.line());
        return new Slices(budget).slice(object, start, stop, step);
    }

    /// @param caller what a `call` block hands over, or null
    Value call(Expression.Call call, Scope scope, Value caller) {
        Value callee = evaluate(call.callee(), scope);
        Arguments arguments = arguments(call.arguments(), scope);
        if (caller != null) {
            Map<String, Value> named = new LinkedHashMap<>(arguments.named());
            named.put("caller", caller);
            arguments = new Arguments(arguments.positional(), named);
        }
        interpreter.at(call.line());
        if (Python.requireDefined(callee) instanceof Value.Callable callable) {
            return callable.function().call(arguments);
        }
        throw new JinjaException("a " + Python.type(callee) + " cannot be called");
    }

    private Arguments arguments(Expression.Given given, Scope scope) {
        if (given == Expression.Given.NOTHING) {
            return Arguments.NONE;
        }
        List<Value> positional = values(given.positional(), scope);
        if (given.rest() != null) {
            positional.addAll(Python.iterate(Python.requireDefined(evaluate(given.rest(), scope)), budget));
            budget.pay((long) Budget.ELEMENT * positional.size());
        }
        Map<String, Value> named = new LinkedHashMap<>();
        given.named().forEach((name, expression) -> named.put(name, evaluate(expression, scope)));
        if (given.namedRest() != null) {
            Value.Dict rest = Python.requireDict(evaluate(given.namedRest(), scope));
            budget.pay((long) Budget.ELEMENT * rest.entries().size());
            rest.entries()
                    .forEach((key, value) -> named.put(Python.requireText(key).characters(), value));
        }
        return new Arguments(positional, named);
    }

    private boolean comparison(Expression.Comparison comparison, Scope scope) {
        Value left = evaluate(comparison.first(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Value right = evaluate(comparison.others().get(i), scope);
            interpreter.at(comparison.line());
            if (!operations.compare(comparison.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }
}
