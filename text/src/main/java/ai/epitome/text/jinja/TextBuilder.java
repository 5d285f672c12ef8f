package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;

/// Puts text together, and pays for it.
final class TextBuilder {
    private final MarkedText.Builder text = new MarkedText.Builder();
    private final Budget budget;

    TextBuilder(Budget budget) {
        this.budget = budget;
    }

    /// Adds what a template wrote.
    TextBuilder template(String characters) {
        return append(characters, true);
    }

    TextBuilder append(String characters, boolean template) {
        budget.pay(characters.length());
        text.append(characters, template);
        return this;
    }

    TextBuilder append(MarkedText other) {
        return append(other, 0, other.length());
    }

    TextBuilder append(MarkedText other, int from, int to) {
        budget.pay(to - from);
        text.append(other, from, to);
        return this;
    }

    int length() {
        return text.length();
    }

    MarkedText build() {
        return text.build();
    }

    Value value() {
        return new Value.Text(text.build());
    }
}
