package ai.epitome.text.jinja;

/// A piece of a template.
///
/// @param text of data and strings what they stand for, else as written
/// @param line counted from 1
record Token(Kind kind, String text, int line) {
    enum Kind {
        /// Text between tags.
        DATA,
        /// `{{`
        OUTPUT_BEGIN,
        /// `}}`
        OUTPUT_END,
        /// `{%`
        BLOCK_BEGIN,
        /// `%}`
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean isOperator(String symbol) {
        return kind == Kind.OPERATOR && text.equals(symbol);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    /// How an error message calls it.
    String shown() {
        return switch (kind) {
            case DATA -> "text";
            case OUTPUT_BEGIN -> "'{{'";
            case OUTPUT_END -> "'}}'";
            case BLOCK_BEGIN -> "'{%'";
            case BLOCK_END -> "'%}'";
            case END -> "the end of the template";
            case STRING -> "a string";
            default -> "'" + text + "'";
        };
    }
}
