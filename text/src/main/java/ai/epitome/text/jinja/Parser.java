package ai.epitome.text.jinja;

import ai.epitome.text.jinja.Statement.Target;
import ai.epitome.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/// Parses a template into statements.
final class Parser {
    private final Tokens tokens;
    private final ExpressionParser expressions;
    private int loops;

    private Parser(Tokens tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /// @throws JinjaException if it is no template, or asks for what is not there
    static List<Statement> parse(String template) {
        var parser = new Parser(new Tokens(Lexer.tokens(template)));
        List<Statement> body = parser.body();
        if (parser.tokens.current().kind() != Kind.END) {
            throw parser.tokens.fail("'" + parser.tokens.current().text() + "' ends no block that is open here");
        }
        return body;
    }

    /// Up to a tag that ends or goes on with the block around it, whose name is then the current token.
    private List<Statement> body(String... ends) {
        tokens.enter();
        var body = new ArrayList<Statement>();
        while (tokens.current().kind() != Kind.END) {
            Token token = tokens.next();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(token.text()));
                case OUTPUT_BEGIN -> {
                    body.add(new Statement.Output(expressions.expressions(), token.line()));
                    expect(Kind.OUTPUT_END, "'}}'");
                }
                default -> {
                    String name = tokens.current().text();
                    if (tokens.current().kind() == Kind.NAME && List.of(ends).contains(name)) {
                        tokens.leave();
                        return body;
                    }
                    if (tokens.current().kind() != Kind.NAME) {
                        throw tokens.expected("a statement");
                    }
                    tokens.next();
                    body.add(statement(name, token.line()));
                    expect(Kind.BLOCK_END, "'%}'");
                }
            }
        }
        if (ends.length > 0) {
            throw tokens.fail("the template ends, but a block still wants its '" + ends[ends.length - 1] + "'");
        }
        tokens.leave();
        return body;
    }

    private void expect(Kind kind, String shown) {
        if (tokens.current().kind() != kind) {
            throw tokens.expected(shown);
        }
        tokens.next();
    }

    /// A block's body, and its end.
    private List<Statement> block(String end) {
        expect(Kind.BLOCK_END, "'%}'");
        List<Statement> body = body(end);
        tokens.next();
        return body;
    }

    private Statement statement(String name, int line) {
        return switch (name) {
            case "if" -> branches(line);
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> {
                String macro = tokens.expectName();
                yield new Statement.Macro(macro, signature(), outsideLoop("endmacro"), line);
            }
            case "call" -> call(line);
            case "filter" -> {
                Expression filtered = expressions.filters(new Expression.Name(Statement.BODY, line));
                yield new Statement.FilterBlock(filtered, outsideLoop("endfilter"), line);
            }
            case "with" -> with(line);
            // what a model says, marked for training
            case "generation" -> new Statement.Scoped(List.of(), List.of(), outsideLoop("endgeneration"), line);
            case "break" -> jump(new Statement.Break(), name);
            case "continue" -> jump(new Statement.Continue(), name);
            case "print" -> new Statement.Output(expressions.expressions(), line);
            case "include", "import", "from", "extends" ->
                throw new JinjaException("'" + name + "' would read another file, which templates may not").at(line);
            default -> throw new JinjaException("there is no statement '" + name + "' here").at(line);
        };
    }

    private Statement jump(Statement jump, String name) {
        if (loops == 0) {
            throw tokens.fail("'" + name + "' outside of a loop");
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
        Expression condition = expressions.expressions();
        while (true) {
            expect(Kind.BLOCK_END, "'%}'");
            List<Statement> body = condition == null ? body("endif") : body("elif", "else", "endif");
            branches.add(new Statement.Branch(condition, body));
            switch (tokens.next().text()) {
                case "elif" -> condition = expressions.expressions();
                case "else" -> condition = null;
                default -> {
                    return new Statement.If(branches, line);
                }
            }
        }
    }

    private Statement loop(int line) {
        Target target = target(false);
        if (!tokens.skipName("in")) {
            throw tokens.expected("'in'");
        }
        Expression items = expressions.unconditional();
        Expression condition = tokens.skipName("if") ? expressions.expression() : null;
        if (tokens.current().isName("recursive")) {
            throw tokens.fail("recursive loops are not supported");
        }
        expect(Kind.BLOCK_END, "'%}'");
        loops++;
        List<Statement> body = body("else", "endfor");
        loops--;
        List<Statement> otherwise = tokens.next().text().equals("else") ? block("endfor") : List.of();
        return new Statement.For(target, items, condition, body, otherwise, line);
    }

    private Statement set(int line) {
        Target target = target(true);
        if (tokens.skipOperator("=")) {
            return new Statement.Set(target, expressions.expressions(), line);
        }
        Expression body = new Expression.Name(Statement.BODY, line);
        Expression filtered = tokens.skipOperator("|") ? expressions.filters(body) : body;
        return new Statement.SetBlock(target, filtered, outsideLoop("endset"), line);
    }

    private Statement call(int line) {
        Statement.Signature signature = tokens.current().isOperator("(") ? signature() : Statement.Signature.NOTHING;
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw tokens.fail("'call' wants a call of a macro");
        }
        return new Statement.CallBlock(signature, call, outsideLoop("endcall"), line);
    }

    private Statement with(int line) {
        var targets = new ArrayList<Target>();
        var values = new ArrayList<Expression>();
        while (tokens.current().kind() != Kind.BLOCK_END) {
            targets.add(target(false));
            tokens.expectOperator("=");
            values.add(expressions.expression());
            if (tokens.current().kind() != Kind.BLOCK_END) {
                tokens.expectOperator(",");
            }
        }
        return new Statement.Scoped(targets, values, outsideLoop("endwith"), line);
    }

    private Statement.Signature signature() {
        tokens.expectOperator("(");
        var parameters = new ArrayList<String>();
        var defaults = new ArrayList<Expression>();
        while (!tokens.current().isOperator(")")) {
            String name = tokens.expectName();
            if (parameters.contains(name)) {
                throw tokens.fail("the parameter '" + name + "' appears twice");
            }
            parameters.add(name);
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.fail("the parameter '" + name + "' has no default, but stands behind one that has");
            }
            if (!tokens.current().isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        tokens.next();
        return new Statement.Signature(parameters, defaults);
    }

    private Target target(boolean namespaces) {
        Target first = oneTarget(namespaces);
        if (!tokens.current().isOperator(",")) {
            return first;
        }
        var targets = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")
                && (tokens.current().kind() == Kind.NAME || tokens.current().isOperator("("))) {
            targets.add(oneTarget(namespaces));
        }
        return new Target.Unpacked(targets);
    }

    private Target oneTarget(boolean namespaces) {
        if (tokens.skipOperator("(")) {
            tokens.enter();
            Target inner = target(namespaces);
            tokens.leave();
            tokens.expectOperator(")");
            return inner;
        }
        String name = tokens.expectName();
        if (namespaces && tokens.skipOperator(".")) {
            return new Target.NamespaceAttribute(name, tokens.expectName());
        }
        if (List.of("true", "false", "none", "True", "False", "None", "loop").contains(name)) {
            throw tokens.fail("'" + name + "' cannot be assigned to");
        }
        return new Target.Variable(name);
    }
}
