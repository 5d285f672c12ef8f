package ai.epitome.text.jinja;

import ai.epitome.text.jinja.Token.Kind;
import java.util.List;

/// The tokens of a template, and how far a parser has come.
final class Tokens {
    /// Parentheses and blocks within each other.
    private static final int DEEPEST = 100;

    private final List<Token> tokens;
    private int at;
    private int depth;

    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(at);
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    Token following() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    JinjaException fail(String message) {
        return new JinjaException(message).at(current().line());
    }

    JinjaException expected(String what) {
        return fail("expected " + what + ", found " + current().shown());
    }

    boolean skipOperator(String symbol) {
        return skip(current().isOperator(symbol));
    }

    boolean skipName(String name) {
        return skip(current().isName(name));
    }

    private boolean skip(boolean found) {
        if (found) {
            next();
        }
        return found;
    }

    void expectOperator(String symbol) {
        if (!skipOperator(symbol)) {
            throw expected("'" + symbol + "'");
        }
    }

    String expectName() {
        if (current().kind() != Kind.NAME) {
            throw expected("a name");
        }
        return next().text();
    }

    /// Goes one level deeper; [#leave] comes back.
    void enter() {
        if (++depth > DEEPEST) {
            throw fail("nested more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }
}
