package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import ai.epitome.text.jinja.Statement.Target;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs the statements of a template, once.
final class Interpreter {
    /// Expressions, statements and macros within each other. Each takes some 500 bytes of the thread's stack.
    private static final int DEEPEST = 500;

    /// How a body ended.
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final Budget budget;
    private final Evaluator evaluator;
    private int depth;
    private int line = 1;

    Interpreter(Budget budget, LocalDateTime now) {
        this.budget = budget;
        this.evaluator = new Evaluator(this, budget, new Globals(budget, now));
    }

    /// @throws JinjaException that names the line
    MarkedText render(List<Statement> template, Map<String, Value> context) {
        var globals = new Scope(null);
        context.forEach(globals::set);
        var out = new TextBuilder(budget);
        try {
            run(template, new Scope(globals), out);
        } catch (JinjaException e) {
            throw e.at(line);
        }
        return out.build();
    }

    /// Begins an expression or statement; [#leave] ends it.
    void enter() {
        budget.pay(Budget.STEP);
        if (++depth > DEEPEST) {
            throw new JinjaException(
                    "expressions, blocks and macros within each other, more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }

    /// Says where it is, for error messages.
    void at(int line) {
        this.line = line;
    }

    private Flow run(List<Statement> body, Scope scope, TextBuilder out) {
        for (Statement statement : body) {
            enter();
            Flow flow = run(statement, scope, out);
            leave();
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Scope scope, TextBuilder out) {
        switch (statement) {
            case Statement.Data(String text) -> out.template(text);
            case Statement.Output(Expression expression, int at) -> {
                line = at;
                out.append(Python.text(evaluator.evaluate(expression, scope), budget));
            }
            case Statement.If branches -> {
                return run(branches, scope, out);
            }
            case Statement.For loop -> loop(loop, scope, out);
            case Statement.Break _ -> {
                return Flow.BREAK;
            }
            case Statement.Continue _ -> {
                return Flow.CONTINUE;
            }
            case Statement.Set(Target target, Expression value, int at) -> {
                line = at;
                assign(target, evaluator.evaluate(value, scope), scope);
            }
            case Statement.SetBlock block ->
                assign(block.target(), filtered(block.body(), block.filtered(), block.line(), scope), scope);
            case Statement.FilterBlock block ->
                out.append(Python.text(filtered(block.body(), block.filtered(), block.line(), scope), budget));
            case Statement.Macro macro ->
                scope.set(macro.name(), macro(macro.name(), macro.signature(), macro.body(), scope));
            case Statement.CallBlock block -> {
                line = block.line();
                Value caller = macro("caller", block.signature(), block.body(), scope);
                out.append(Python.text(evaluator.call(block.call(), scope, caller), budget));
            }
            case Statement.Scoped block -> {
                line = block.line();
                var inner = new Scope(scope);
                for (int i = 0; i < block.targets().size(); i++) {
                    assign(
                            block.targets().get(i),
                            evaluator.evaluate(block.values().get(i), scope),
                            inner);
                }
                run(block.body(), inner, out);
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement.If branches, Scope scope, TextBuilder out) {
        line = branches.line();
        for (Statement.Branch branch : branches.branches()) {
            if (branch.condition() == null || Python.isTrue(evaluator.evaluate(branch.condition(), scope))) {
                return run(branch.body(), scope, out);
            }
        }
        return Flow.NEXT;
    }

    private Value filtered(List<Statement> body, Expression filters, int at, Scope scope) {
        var inner = new Scope(scope);
        var text = new TextBuilder(budget);
        run(body, inner, text);
        inner.set(Statement.BODY, text.value());
        line = at;
        return evaluator.evaluate(filters, inner);
    }

    private void loop(Statement.For loop, Scope scope, TextBuilder out) {
        line = loop.line();
        Value iterated = evaluator.evaluate(loop.items(), scope);
        List<Value> items = Python.iterate(iterated, budget);
        if (loop.condition() != null) {
            items = items.stream()
                    .filter(item -> {
                        var inner = new Scope(scope);
                        assign(loop.target(), item, inner);
                        return Python.isTrue(evaluator.evaluate(loop.condition(), inner));
                    })
                    .toList();
        }
        Value.Namespace state = new Value.Namespace("loop");
        for (int index = 0; index < items.size(); index++) {
            var inner = new Scope(scope);
            budget.pay(Budget.STEP);
            LoopState.fill(state, items, index, budget);
            inner.set("loop", state);
            assign(loop.target(), items.get(index), inner);
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
        if (items.isEmpty()) {
            run(loop.otherwise(), new Scope(scope), out);
        }
    }

    private void assign(Target target, Value value, Scope scope) {
        switch (target) {
            case Target.Variable(String name) -> scope.set(name, value);
            case Target.Unpacked(List<Target> targets) -> {
                List<Value> items = Python.iterate(Python.requireDefined(value), budget);
                if (items.size() != targets.size()) {
                    throw new JinjaException("%d values for %d variables".formatted(items.size(), targets.size()));
                }
                for (int i = 0; i < items.size(); i++) {
                    assign(targets.get(i), items.get(i), scope);
                }
            }
            case Target.NamespaceAttribute(String name, String attribute) -> {
                if (!(scope.find(name) instanceof Value.Namespace namespace)
                        || !namespace.name.equals(Globals.NAMESPACE)) {
                    throw new JinjaException("'" + name + "' is no namespace, so '" + name + "." + attribute
                            + "' cannot be assigned to");
                }
                namespace.attributes.put(attribute, value);
            }
        }
    }

    private Value macro(String name, Statement.Signature signature, List<Statement> body, Scope around) {
        return new Value.Callable(name, arguments -> {
            var scope = new Scope(around);
            bind(name, signature, arguments, scope);
            var text = new TextBuilder(budget);
            int calledFrom = line;
            run(body, scope, text);
            line = calledFrom;
            return text.value();
        });
    }

    private void bind(String name, Statement.Signature signature, Arguments arguments, Scope scope) {
        List<String> parameters = signature.parameters();
        int required = parameters.size() - signature.defaults().size();
        for (int place = 0; place < parameters.size(); place++) {
            String parameter = parameters.get(place);
            Value value = arguments.find(place, parameter);
            if (value == null) {
                value = place < required
                        ? new Value.Undefined("parameter '" + parameter + "' of '" + name + "' was not given")
                        : evaluator.evaluate(signature.defaults().get(place - required), scope);
            }
            scope.set(parameter, value);
        }
        var others = new LinkedHashMap<Value, Value>();
        arguments.named().forEach((key, value) -> {
            if (key.equals("caller")) {
                scope.set(key, value);
            } else if (!parameters.contains(key)) {
                others.put(Value.ofTemplate(key), value);
            }
        });
        scope.set("kwargs", new Value.Dict(others));
        List<Value> more = arguments.skip(parameters.size()).positional();
        scope.set("varargs", new Value.Sequence(new ArrayList<>(more), Value.Kind.TUPLE));
    }
}
