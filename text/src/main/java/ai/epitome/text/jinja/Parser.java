package ai.epitome.text.jinja;

import ai.epitome.text.jinja.Statement.Target;
import ai.epitome.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/// Parses a template into statements.
final class Parser extends ExpressionParser {
    private int loops;

    private Parser(List<Token> tokens) {
        super(tokens);
    }

    /// @throws JinjaException if it is no template, or asks for what is not there
    static List<Statement> parse(String template) {
        var parser = new Parser(Lexer.tokens(template));
        List<Statement> body = parser.body();
        if (parser.current().kind() != Kind.END) {
            throw parser.fail("'" + parser.current().text() + "' ends no block that is open here");
        }
        return body;
    }

    /// Up to a tag that ends or goes on with the block around it, whose name is then the current token.
    private List<Statement> body(String... ends) {
        enter();
        var body = new ArrayList<Statement>();
        while (current().kind() != Kind.END) {
            Token token = next();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(token.text()));
                case OUTPUT_BEGIN -> {
                    body.add(new Statement.Output(expressions(), token.line()));
                    expect(Kind.OUTPUT_END, "'}}'");
                }
                default -> {
                    String name = current().text();
                    if (current().kind() == Kind.NAME && List.of(ends).contains(name)) {
                        leave();
                        return body;
                    }
                    if (current().kind() != Kind.NAME) {
                        throw expected("a statement");
                    }
                    next();
                    body.add(statement(name, token.line()));
                    expect(Kind.BLOCK_END, "'%}'");
                }
            }
        }
        if (ends.length > 0) {
            throw fail("the template ends, but a block still wants its '" + ends[ends.length - 1] + "'");
        }
        leave();
        return body;
    }

    private void expect(Kind kind, String shown) {
        if (current().kind() != kind) {
            throw expected(shown);
        }
        next();
    }

    /// A block's body, and its end.
    private List<Statement> block(String end) {
        expect(Kind.BLOCK_END, "'%}'");
        List<Statement> body = body(end);
        next();
        return body;
    }

    private Statement statement(String name, int line) {
        return switch (name) {
            case "if" -> branches(line);
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> {
                String macro = expectName();
                yield new Statement.Macro(macro, signature(), outsideLoop("endmacro"), line);
            }
            case "call" -> call(line);
            case "filter" -> {
                Expression filtered = filters(new Expression.Name(Statement.BODY, line));
                yield new Statement.FilterBlock(filtered, outsideLoop("endfilter"), line);
            }
            case "with" -> with(line);
            // what a model says, marked for training
            case "generation" -> new Statement.Scoped(List.of(), List.of(), outsideLoop("endgeneration"), line);
            case "break" -> jump(new Statement.Break(), name);
            case "continue" -> jump(new Statement.Continue(), name);
            case "print" -> new Statement.Output(expressions(), line);
            case "include", "import", "from", "extends" ->
                throw new JinjaException("'" + name + "' would read another file, which templates may not").at(line);
            default -> throw new JinjaException("there is no statement '" + name + "' here").at(line);
        };
    }

    private Statement jump(Statement jump, String name) {
        if (loops == 0) {
            throw fail("'" + name + "' outside of a loop");
        }
        return jump;
    }

    /// A body that no `break` leads out of.
    private List<Statement> outsideLoop(String end) {
        int around = loops;
        loops = 0;
        List<Statement> body = block(end);
        loops = around;
        return body;
    }

    private Statement branches(int line) {
        var branches = new ArrayList<Statement.Branch>();
        Expression condition = expressions();
        while (true) {
            expect(Kind.BLOCK_END, "'%}'");
            List<Statement> body = condition == null ? body("endif") : body("elif", "else", "endif");
            branches.add(new Statement.Branch(condition, body));
            switch (next().text()) {
                case "elif" -> condition = expressions();
                case "else" -> condition = null;
                default -> {
                    return new Statement.If(branches, line);
                }
            }
        }
    }

    private Statement loop(int line) {
        Target target = target(false);
        if (!skipName("in")) {
            throw expected("'in'");
        }
        Expression items = unconditional();
        Expression condition = skipName("if") ? expression() : null;
        if (current().isName("recursive")) {
            throw fail("recursive loops are not supported");
        }
        expect(Kind.BLOCK_END, "'%}'");
        loops++;
        List<Statement> body = body("else", "endfor");
        loops--;
        List<Statement> otherwise = next().text().equals("else") ? block("endfor") : List.of();
        return new Statement.For(target, items, condition, body, otherwise, line);
    }

    private Statement set(int line) {
        Target target = target(true);
        if (skipOperator("=")) {
            return new Statement.Set(target, expressions(), line);
        }
        Expression body = new Expression.Name(Statement.BODY, line);
        Expression filtered = skipOperator("|") ? filters(body) : body;
        return new Statement.SetBlock(target, filtered, outsideLoop("endset"), line);
    }

    private Statement call(int line) {
        Statement.Signature signature = current().isOperator("(") ? signature() : Statement.Signature.NOTHING;
        if (!(expression() instanceof Expression.Call call)) {
            throw fail("'call' wants a call of a macro");
        }
        return new Statement.CallBlock(signature, call, outsideLoop("endcall"), line);
    }

    private Statement with(int line) {
        var targets = new ArrayList<Target>();
        var values = new ArrayList<Expression>();
        while (current().kind() != Kind.BLOCK_END) {
            targets.add(target(false));
            expectOperator("=");
            values.add(expression());
            if (current().kind() != Kind.BLOCK_END) {
                expectOperator(",");
            }
        }
        return new Statement.Scoped(targets, values, outsideLoop("endwith"), line);
    }

    private Statement.Signature signature() {
        expectOperator("(");
        var parameters = new ArrayList<String>();
        var defaults = new ArrayList<Expression>();
        while (!current().isOperator(")")) {
            String name = expectName();
            if (parameters.contains(name)) {
                throw fail("the parameter '" + name + "' appears twice");
            }
            parameters.add(name);
            if (skipOperator("=")) {
                defaults.add(expression());
            } else if (!defaults.isEmpty()) {
                throw fail("the parameter '" + name + "' has no default, but stands behind one that has");
            }
            if (!current().isOperator(")")) {
                expectOperator(",");
            }
        }
        next();
        return new Statement.Signature(parameters, defaults);
    }

    private Target target(boolean namespaces) {
        Target first = oneTarget(namespaces);
        if (!current().isOperator(",")) {
            return first;
        }
        var targets = new ArrayList<>(List.of(first));
        while (skipOperator(",") && (current().kind() == Kind.NAME || current().isOperator("("))) {
            targets.add(oneTarget(namespaces));
        }
        return new Target.Unpacked(targets);
    }

    private Target oneTarget(boolean namespaces) {
        if (skipOperator("(")) {
            enter();
            Target inner = target(namespaces);
            leave();
            expectOperator(")");
            return inner;
        }
        String name = expectName();
        if (namespaces && skipOperator(".")) {
            return new Target.NamespaceAttribute(name, expectName());
        }
        if (List.of("true", "false", "none", "True", "False", "None", "loop").contains(name)) {
            throw fail("'" + name + "' cannot be assigned to");
        }
        return new Target.Variable(name);
    }
}
