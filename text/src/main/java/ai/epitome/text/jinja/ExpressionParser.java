package ai.epitome.text.jinja;

import ai.epitome.text.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;

/// Parses expressions by recursive descent, loosest binding first:
///
/// ```
/// conditional   a if b else c          or   and   not
/// comparison    == != < <= > >= in, not in
/// sum           + -        concatenation  ~        product  * / // %        power  **
/// unary         + -        postfix  .name [index] (call)        filters and tests  | name   is name
/// ```
class ExpressionParser {
    /// Parentheses and blocks within each other.
    private static final int DEEPEST = 100;

    private static final int LONGEST_INTEGER = 300;

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final List<Token> tokens;
    private int at;
    private int depth;

    ExpressionParser(List<Token> tokens) {
        this.tokens = tokens;
    }

    final Token current() {
        return tokens.get(at);
    }

    final Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    private Token following() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    final JinjaException fail(String message) {
        return new JinjaException(message).at(current().line());
    }

    final JinjaException expected(String what) {
        return fail("expected " + what + ", found " + current().shown());
    }

    final boolean skipOperator(String symbol) {
        return skip(current().isOperator(symbol));
    }

    final boolean skipName(String name) {
        return skip(current().isName(name));
    }

    private boolean skip(boolean found) {
        if (found) {
            next();
        }
        return found;
    }

    final void expectOperator(String symbol) {
        if (!skipOperator(symbol)) {
            throw expected("'" + symbol + "'");
        }
    }

    final String expectName() {
        if (current().kind() != Kind.NAME) {
            throw expected("a name");
        }
        return next().text();
    }

    /// Goes one level deeper; [#leave] comes back.
    final void enter() {
        if (++depth > DEEPEST) {
            throw fail("nested more than " + DEEPEST + " deep");
        }
    }

    final void leave() {
        depth--;
    }

    /// An expression, or a tuple without parentheses.
    final Expression expressions() {
        return tuple(false);
    }

    final Expression expression() {
        enter();
        Expression then = or();
        while (skipName("if")) {
            Expression condition = or();
            Expression otherwise = skipName("else") ? expression() : null;
            then = new Expression.Conditional(condition, then, otherwise);
        }
        leave();
        return then;
    }

    /// What a loop goes over: no conditional, whose `if` is the loop's.
    final Expression unconditional() {
        Expression first = or();
        if (!current().isOperator(",")) {
            return first;
        }
        var items = new ArrayList<>(List.of(first));
        while (skipOperator(",")) {
            items.add(or());
        }
        return new Expression.Items(items, Value.Kind.TUPLE);
    }

    private Expression or() {
        Expression left = and();
        while (skipName("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (skipName("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!skipName("not")) {
            return comparison();
        }
        enter();
        Expression operand = not();
        leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        int line = current().line();
        Expression first = sum();
        var operators = new ArrayList<String>();
        var others = new ArrayList<Expression>();
        while (true) {
            if (current().kind() == Kind.OPERATOR && COMPARISONS.contains(current().text())) {
                operators.add(next().text());
            } else if (skipName("in")) {
                operators.add("in");
            } else if (current().isName("not") && following().isName("in")) {
                next();
                next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others, line);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (current().isOperator("+") || current().isOperator("-")) {
            Token operator = next();
            left = new Expression.Arithmetic(operator.text(), left, concatenation(), operator.line());
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!current().isOperator("~")) {
            return first;
        }
        var parts = new ArrayList<>(List.of(first));
        while (skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(parts);
    }

    private Expression product() {
        Expression left = power();
        while (current().isOperator("*")
                || current().isOperator("/")
                || current().isOperator("//")
                || current().isOperator("%")) {
            Token operator = next();
            left = new Expression.Arithmetic(operator.text(), left, power(), operator.line());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (current().isOperator("**")) {
            int line = next().line();
            left = new Expression.Arithmetic("**", left, unary(true), line);
        }
        return left;
    }

    private Expression unary(boolean filters) {
        enter();
        int line = current().line();
        Expression expression;
        if (current().isOperator("-") || current().isOperator("+")) {
            boolean negative = next().text().equals("-");
            expression = new Expression.Sign(unary(false), negative, line);
        } else {
            expression = primary();
        }
        expression = postfix(expression);
        if (filters) {
            expression = filtersAndTests(expression);
        }
        leave();
        return expression;
    }

    final Expression primary() {
        Token token = current();
        switch (token.kind()) {
            case NAME -> {
                next();
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(Value.TRUE);
                    case "false", "False" -> new Expression.Literal(Value.FALSE);
                    case "none", "None" -> new Expression.Literal(Value.NONE);
                    default -> new Expression.Name(token.text(), token.line());
                };
            }
            case STRING -> {
                var text = new StringBuilder();
                while (current().kind() == Kind.STRING) {
                    text.append(next().text());
                }
                return new Expression.Literal(Value.ofTemplate(text.toString()));
            }
            case INTEGER, FLOAT -> {
                return new Expression.Literal(number(next()));
            }
            case OPERATOR -> {
                return bracketed(token);
            }
            default -> throw expected("an expression");
        }
    }

    private Value number(Token token) {
        if (token.text().length() > LONGEST_INTEGER) {
            throw fail("a number of " + token.text().length() + " digits");
        }
        return token.kind() == Kind.INTEGER
                ? new Value.Int(new BigInteger(token.text()))
                : new Value.Real(Double.parseDouble(token.text()));
    }

    private Expression bracketed(Token token) {
        switch (token.text()) {
            case "(" -> {
                next();
                Expression inner = tuple(true);
                expectOperator(")");
                return inner;
            }
            case "[" -> {
                next();
                var items = new ArrayList<Expression>();
                while (!current().isOperator("]")) {
                    items.add(expression());
                    if (!current().isOperator("]")) {
                        expectOperator(",");
                    }
                }
                next();
                return new Expression.Items(items, Value.Kind.LIST);
            }
            case "{" -> {
                next();
                return pairs(token.line());
            }
            default -> throw expected("an expression");
        }
    }

    private Expression pairs(int line) {
        var keys = new ArrayList<Expression>();
        var values = new ArrayList<Expression>();
        while (!current().isOperator("}")) {
            keys.add(expression());
            expectOperator(":");
            values.add(expression());
            if (!current().isOperator("}")) {
                expectOperator(",");
            }
        }
        next();
        return new Expression.Pairs(keys, values, line);
    }

    private Expression tuple(boolean parentheses) {
        var items = new ArrayList<Expression>();
        boolean tuple = false;
        while (!endsTuple()) {
            items.add(expression());
            if (!skipOperator(",")) {
                break;
            }
            tuple = true;
        }
        if (!tuple && items.size() == 1) {
            return items.getFirst();
        }
        if (items.isEmpty() && !parentheses) {
            throw expected("an expression");
        }
        return new Expression.Items(items, Value.Kind.TUPLE);
    }

    private boolean endsTuple() {
        return switch (current().kind()) {
            case OUTPUT_END, BLOCK_END, END -> true;
            default -> current().isOperator(")");
        };
    }

    private Expression postfix(Expression start) {
        Expression expression = start;
        while (current().kind() == Kind.OPERATOR) {
            int line = current().line();
            switch (current().text()) {
                case "." -> {
                    next();
                    expression = current().kind() == Kind.INTEGER
                            ? new Expression.Item(expression, new Expression.Literal(number(next())), line)
                            : new Expression.Attribute(expression, expectName(), line);
                }
                case "[" -> {
                    next();
                    expression = subscript(expression, line);
                    expectOperator("]");
                }
                case "(" -> expression = new Expression.Call(expression, arguments(), line);
                default -> {
                    return expression;
                }
            }
        }
        return expression;
    }

    private Expression subscript(Expression object, int line) {
        Expression start = current().isOperator(":") ? null : expression();
        if (!skipOperator(":")) {
            return new Expression.Item(object, start, line);
        }
        Expression stop = current().isOperator(":") || current().isOperator("]") ? null : expression();
        Expression step = skipOperator(":") && !current().isOperator("]") ? expression() : null;
        return new Expression.Slice(object, start, stop, step, line);
    }

    private Expression filtersAndTests(Expression start) {
        Expression expression = start;
        while (true) {
            if (current().isOperator("|")) {
                next();
                expression = filter(expression);
            } else if (current().isName("is")) {
                expression = test(expression);
            } else if (current().isOperator("(")) {
                expression = new Expression.Call(expression, arguments(), current().line());
            } else {
                return expression;
            }
        }
    }

    /// A filter's name and arguments, and those of the filters behind it.
    final Expression filters(Expression object) {
        Expression expression = filter(object);
        while (skipOperator("|")) {
            expression = filter(expression);
        }
        return expression;
    }

    private Expression filter(Expression object) {
        int line = current().line();
        String name = expectName();
        if (!Filters.isKnown(name)) {
            throw new JinjaException("there is no filter '" + name + "'").at(line);
        }
        Expression.Given arguments = current().isOperator("(") ? arguments() : Expression.Given.NOTHING;
        return new Expression.Filter(object, name, arguments, line);
    }

    private Expression test(Expression object) {
        int line = next().line();
        boolean negated = skipName("not");
        String name = expectName();
        if (!Tests.isKnown(name)) {
            throw new JinjaException("there is no test '" + name + "'").at(line);
        }
        Expression.Given arguments = Expression.Given.NOTHING;
        if (current().isOperator("(")) {
            arguments = arguments();
        } else if (beginsArgument(current())) {
            enter();
            arguments = new Expression.Given(List.of(postfix(primary())), new LinkedHashMap<>(), null, null);
            leave();
        }
        Expression test = new Expression.Test(object, name, arguments, line);
        return negated ? new Expression.Not(test) : test;
    }

    private static boolean beginsArgument(Token token) {
        return switch (token.kind()) {
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            case NAME -> !Set.of("else", "or", "and", "is", "if").contains(token.text());
            default -> false;
        };
    }

    final Expression.Given arguments() {
        expectOperator("(");
        var positional = new ArrayList<Expression>();
        var named = new LinkedHashMap<String, Expression>();
        Expression rest = null;
        Expression namedRest = null;
        while (!current().isOperator(")")) {
            if (skipOperator("*")) {
                rest = expression();
            } else if (skipOperator("**")) {
                namedRest = expression();
            } else if (current().kind() == Kind.NAME && following().isOperator("=")) {
                String name = next().text();
                next();
                if (named.put(name, expression()) != null) {
                    throw fail("the argument '" + name + "' is given twice");
                }
            } else if (named.isEmpty() && rest == null && namedRest == null) {
                positional.add(expression());
            } else {
                throw fail("an argument without a name stands behind one with a name");
            }
            if (!current().isOperator(")")) {
                expectOperator(",");
            }
        }
        next();
        return new Expression.Given(positional, named, rest, namedRest);
    }
}
