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
final class ExpressionParser {
    private static final int LONGEST_INTEGER = 300;

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final Tokens tokens;

    ExpressionParser(Tokens tokens) {
        this.tokens = tokens;
    }

    /// An expression, or a tuple without parentheses.
    Expression expressions() {
        return tuple(false);
    }

    Expression expression() {
        tokens.enter();
        Expression then = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            then = new Expression.Conditional(condition, then, otherwise);
        }
        tokens.leave();
        return then;
    }

    /// What a loop goes over: no conditional, whose `if` is the loop's.
    Expression unconditional() {
        Expression first = or();
        if (!tokens.current().isOperator(",")) {
            return first;
        }
        var items = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")) {
            items.add(or());
        }
        return new Expression.Items(items, Value.Kind.TUPLE);
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        int line = tokens.current().line();
        Expression first = sum();
        var operators = new ArrayList<String>();
        var others = new ArrayList<Expression>();
        while (true) {
            if (tokens.current().kind() == Kind.OPERATOR
                    && COMPARISONS.contains(tokens.current().text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (tokens.current().isName("not") && tokens.following().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others, line);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
            Token operator = tokens.next();
            left = new Expression.Arithmetic(operator.text(), left, concatenation(), operator.line());
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!tokens.current().isOperator("~")) {
            return first;
        }
        var parts = new ArrayList<>(List.of(first));
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(parts);
    }

    private Expression product() {
        Expression left = power();
        while (tokens.current().isOperator("*")
                || tokens.current().isOperator("/")
                || tokens.current().isOperator("//")
                || tokens.current().isOperator("%")) {
            Token operator = tokens.next();
            left = new Expression.Arithmetic(operator.text(), left, power(), operator.line());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.current().isOperator("**")) {
            int line = tokens.next().line();
            left = new Expression.Arithmetic("**", left, unary(true), line);
        }
        return left;
    }

    private Expression unary(boolean filters) {
        tokens.enter();
        int line = tokens.current().line();
        Expression expression;
        if (tokens.current().isOperator("-") || tokens.current().isOperator("+")) {
            boolean negative = tokens.next().text().equals("-");
            expression = new Expression.Sign(unary(false), negative, line);
        } else {
            expression = primary();
        }
        expression = postfix(expression);
        if (filters) {
            expression = filtersAndTests(expression);
        }
        tokens.leave();
        return expression;
    }

    Expression primary() {
        Token token = tokens.current();
        switch (token.kind()) {
            case NAME -> {
                tokens.next();
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(Value.TRUE);
                    case "false", "False" -> new Expression.Literal(Value.FALSE);
                    case "none", "None" -> new Expression.Literal(Value.NONE);
                    default -> new Expression.Name(token.text(), token.line());
                };
            }
            case STRING -> {
                var text = new StringBuilder();
                while (tokens.current().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                return new Expression.Literal(Value.ofTemplate(text.toString()));
            }
            case INTEGER, FLOAT -> {
                return new Expression.Literal(number(tokens.next()));
            }
            case OPERATOR -> {
                return bracketed(token);
            }
            default -> throw tokens.expected("an expression");
        }
    }

    private Value number(Token token) {
        if (token.text().length() > LONGEST_INTEGER) {
            throw tokens.fail("a number of " + token.text().length() + " digits");
        }
        return token.kind() == Kind.INTEGER
                ? new Value.Int(new BigInteger(token.text()))
                : new Value.Real(Double.parseDouble(token.text()));
    }

    private Expression bracketed(Token token) {
        switch (token.text()) {
            case "(" -> {
                tokens.next();
                Expression inner = tuple(true);
                tokens.expectOperator(")");
                return inner;
            }
            case "[" -> {
                tokens.next();
                var items = new ArrayList<Expression>();
                while (!tokens.current().isOperator("]")) {
                    items.add(expression());
                    if (!tokens.current().isOperator("]")) {
                        tokens.expectOperator(",");
                    }
                }
                tokens.next();
                return new Expression.Items(items, Value.Kind.LIST);
            }
            case "{" -> {
                tokens.next();
                return pairs(token.line());
            }
            default -> throw tokens.expected("an expression");
        }
    }

    private Expression pairs(int line) {
        var keys = new ArrayList<Expression>();
        var values = new ArrayList<Expression>();
        while (!tokens.current().isOperator("}")) {
            keys.add(expression());
            tokens.expectOperator(":");
            values.add(expression());
            if (!tokens.current().isOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        tokens.next();
        return new Expression.Pairs(keys, values, line);
    }

    private Expression tuple(boolean parentheses) {
        var items = new ArrayList<Expression>();
        boolean tuple = false;
        while (!endsTuple()) {
            items.add(expression());
            if (!tokens.skipOperator(",")) {
                break;
            }
            tuple = true;
        }
        if (!tuple && items.size() == 1) {
            return items.getFirst();
        }
        if (items.isEmpty() && !parentheses) {
            throw tokens.expected("an expression");
        }
        return new Expression.Items(items, Value.Kind.TUPLE);
    }

    private boolean endsTuple() {
        return switch (tokens.current().kind()) {
            case OUTPUT_END, BLOCK_END, END -> true;
            default -> tokens.current().isOperator(")");
        };
    }

    private Expression postfix(Expression start) {
        Expression expression = start;
        while (tokens.current().kind() == Kind.OPERATOR) {
            int line = tokens.current().line();
            switch (tokens.current().text()) {
                case "." -> {
                    tokens.next();
                    expression = tokens.current().kind() == Kind.INTEGER
                            ? new Expression.Item(expression, new Expression.Literal(number(tokens.next())), line)
                            : new Expression.Attribute(expression, tokens.expectName(), line);
                }
                case "[" -> {
                    tokens.next();
                    expression = subscript(expression, line);
                    tokens.expectOperator("]");
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
        Expression start = tokens.current().isOperator(":") ? null : expression();
        if (!tokens.skipOperator(":")) {
            return new Expression.Item(object, start, line);
        }
        Expression stop = tokens.current().isOperator(":") || tokens.current().isOperator("]") ? null : expression();
        Expression step = tokens.skipOperator(":") && !tokens.current().isOperator("]") ? expression() : null;
        return new Expression.Slice(object, start, stop, step, line);
    }

    private Expression filtersAndTests(Expression start) {
        Expression expression = start;
        while (true) {
            if (tokens.current().isOperator("|")) {
                tokens.next();
                expression = filter(expression);
            } else if (tokens.current().isName("is")) {
                expression = test(expression);
            } else if (tokens.current().isOperator("(")) {
                expression = new Expression.Call(
                        expression, arguments(), tokens.current().line());
            } else {
                return expression;
            }
        }
    }

    /// A filter's name and arguments, and those of the filters behind it.
    Expression filters(Expression object) {
        Expression expression = filter(object);
        while (tokens.skipOperator("|")) {
            expression = filter(expression);
        }
        return expression;
    }

    private Expression filter(Expression object) {
        int line = tokens.current().line();
        String name = tokens.expectName();
        if (!Filters.isKnown(name)) {
            throw new JinjaException("there is no filter '" + name + "'").at(line);
        }
        Expression.Given arguments = tokens.current().isOperator("(") ? arguments() : Expression.Given.NOTHING;
        return new Expression.Filter(object, name, arguments, line);
    }

    private Expression test(Expression object) {
        int line = tokens.next().line();
        boolean negated = tokens.skipName("not");
        String name = tokens.expectName();
        if (!Tests.isKnown(name)) {
            throw new JinjaException("there is no test '" + name + "'").at(line);
        }
        Expression.Given arguments = Expression.Given.NOTHING;
        if (tokens.current().isOperator("(")) {
            arguments = arguments();
        } else if (beginsArgument(tokens.current())) {
            tokens.enter();
            arguments = new Expression.Given(List.of(postfix(primary())), new LinkedHashMap<>(), null, null);
            tokens.leave();
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

    Expression.Given arguments() {
        tokens.expectOperator("(");
        var positional = new ArrayList<Expression>();
        var named = new LinkedHashMap<String, Expression>();
        Expression rest = null;
        Expression namedRest = null;
        while (!tokens.current().isOperator(")")) {
            if (tokens.skipOperator("*")) {
                rest = expression();
            } else if (tokens.skipOperator("**")) {
                namedRest = expression();
            } else if (tokens.current().kind() == Kind.NAME
                    && tokens.following().isOperator("=")) {
                String name = tokens.next().text();
                tokens.next();
                if (named.put(name, expression()) != null) {
                    throw tokens.fail("the argument '" + name + "' is given twice");
                }
            } else if (named.isEmpty() && rest == null && namedRest == null) {
                positional.add(expression());
            } else {
                throw tokens.fail("an argument without a name stands behind one with a name");
            }
            if (!tokens.current().isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        tokens.next();
        return new Expression.Given(positional, named, rest, namedRest);
    }
}
