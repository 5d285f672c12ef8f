package ai.epitome.text.jinja;

/// What rendering may cost: a template comes with a model file, which is not trusted. Every step, character and element
/// that is made or compared is paid for; so time and memory are bounded together.
///
/// A unit is about one character copied. What a conversation costs grows with its length, and so does the budget.
final class Budget {
    /// Of one evaluated expression or statement.
    static final int STEP = 8;
    /// Of an element of a list or dictionary.
    static final int ELEMENT = 16;

    private static final long LEAST = 1L << 24;
    private static final long FOR_EACH_INPUT = 64;

    private final long limit;
    private long left;

    /// @param input characters and elements of what the template is given
    Budget(long input) {
        limit = LEAST + FOR_EACH_INPUT * input;
        left = limit;
    }

    /// @throws JinjaException if it is used up
    void pay(long units) {
        left -= units;
        if (left < 0) {
            throw new JinjaException(
                    "rendering takes too much: it was stopped after %,d units of work (a unit is about a character copied)"
                            .formatted(limit));
        }
    }

    /// For looking for `needle` in `text`.
    void search(String text, String needle) {
        pay(text.length() * (1 + needle.length() / 64L));
    }

    /// For comparing two values, which stops at their first difference.
    void compare(Value a, Value b) {
        pay(1 + Math.min(Value.weight(a), Value.weight(b)) / 8);
    }
}
