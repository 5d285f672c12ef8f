package ai.epitome.text.jinja;

import ai.epitome.text.MarkedText;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

/// A chat template in Jinja, rendered as transformers does: `trim_blocks`, `lstrip_blocks`, loop controls, the block
/// `generation`, and the functions `raise_exception` and `strftime_now`.
///
/// ```java
/// var template = Template.parse("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}");
/// template.render(Map.of("messages", messages), LocalDateTime.now());
/// ```
///
/// A template comes with a model file and is not trusted. It can reach nothing but the values that it is given; those
/// do not change; it cannot go on for long or make much ([Budget]); and what it nests is bounded. Immutable and
/// thread-safe.
public final class Template {
    private final List<Statement> statements;

    private Template(List<Statement> statements) {
        this.statements = statements;
    }

    /// @throws JinjaException that names the line, if it is malformed or asks for what is not there
    public static Template parse(String source) {
        return new Template(Parser.parse(source));
    }

    /// Renders it. Texts of the template, and of values made with [Value#ofTemplate(String)], are marked as the
    /// template's.
    ///
    /// @param context the variables
    /// @param now what time it is said to be
    /// @throws JinjaException that names the line, if it goes wrong, takes too much, or refuses the context
    public MarkedText render(Map<String, Value> context, LocalDateTime now) {
        long input = Value.weight(context.values());
        return new Interpreter(new Budget(input), now).render(statements, context);
    }
}
