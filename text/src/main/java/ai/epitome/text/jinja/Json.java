package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// Python's `json.dumps`, as transformers gives it to templates: letters of all scripts as they are, a space behind
/// commas and colons.
///
/// @param indent put before each level; null for all in one line
record Json(TextBuilder out, boolean ascii, String indent, String comma, String colon, boolean sorted, Budget budget) {
    private static final int WIDEST_INDENT = 100;

    static Value write(Value value, Arguments arguments, Budget budget) {
        arguments.allow("ensure_ascii", "indent", "separators", "sort_keys");
        Value wanted = arguments.get(1, "indent", Value.NONE);
        String indent = switch (wanted) {
            case Value.None _ -> null;
            case Value.Text(MarkedText text) -> text.characters();
            default -> " ".repeat(Math.clamp(Python.index(wanted), 0, WIDEST_INDENT));
        };
        String comma = indent == null ? ", " : ",";
        String colon = ": ";
        if (arguments.get(2, "separators", Value.NONE) instanceof Value.Sequence separators
                && separators.items().size() == 2) {
            comma = Python.requireText(separators.items().get(0)).characters();
            colon = Python.requireText(separators.items().get(1)).characters();
        }
        var json = new Json(
                new TextBuilder(budget),
                arguments.flag(0, "ensure_ascii"),
                indent,
                comma,
                colon,
                arguments.flag(3, "sort_keys"),
                budget);
        json.value(value, 1);
        return json.out.value();
    }

    private void value(Value value, int depth) {
        budget.pay(Budget.STEP);
        switch (Python.requireDefined(value)) {
            case Value.Text(MarkedText text) -> quoted(text);
            case Value.Int(BigInteger integer) -> out.template(integer.toString());
            case Value.Real(double real) -> out.template(number(real));
            case Value.Bool(boolean truth) -> out.template(truth ? "true" : "false");
            case Value.None _ -> out.template("null");
            case Value.Sequence sequence -> list(sequence.items(), depth);
            case Value.Dict dict -> dict(dict, depth);
            default -> throw new JinjaException("a " + Python.type(value) + " cannot be written as JSON");
        }
    }

    private static String number(double value) {
        return Double.isNaN(value)
                ? "NaN"
                : Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : Python.repr(value);
    }

    private void list(List<Value> items, int depth) {
        out.template("[");
        for (int i = 0; i < items.size(); i++) {
            out.template(i == 0 ? "" : comma);
            line(depth);
            value(items.get(i), depth + 1);
        }
        if (!items.isEmpty()) {
            line(depth - 1);
        }
        out.template("]");
    }

    private void dict(Value.Dict dict, int depth) {
        var entries = new ArrayList<>(dict.entries().entrySet());
        if (sorted) {
            entries.sort(Map.Entry.comparingByKey((Comparator<Value>) (a, b) -> Operations.order(a, b, budget)));
        }
        out.template("{");
        for (int i = 0; i < entries.size(); i++) {
            out.template(i == 0 ? "" : comma);
            line(depth);
            key(entries.get(i).getKey());
            out.template(colon);
            value(entries.get(i).getValue(), depth + 1);
        }
        if (!entries.isEmpty()) {
            line(depth - 1);
        }
        out.template("}");
    }

    private void key(Value key) {
        if (key instanceof Value.Text(MarkedText text)) {
            quoted(text);
        } else {
            out.template("\"");
            value(key, 1);
            out.template("\"");
        }
    }

    private void line(int depth) {
        if (indent != null) {
            out.template("\n");
            for (int i = 0; i < depth; i++) {
                out.template(indent);
            }
        }
    }

    private void quoted(MarkedText text) {
        String characters = text.characters();
        out.template("\"");
        int done = 0;
        for (int at = 0; at < characters.length(); at++) {
            String escaped = escaped(characters.charAt(at));
            if (escaped != null) {
                out.append(text, done, at).append(escaped, text.isTemplate(at, at + 1));
                done = at + 1;
            }
        }
        out.append(text, done, characters.length()).template("\"");
    }

    private String escaped(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < ' ' || (ascii && c > '~') ? "\\u%04x".formatted((int) c) : null;
        };
    }
}
