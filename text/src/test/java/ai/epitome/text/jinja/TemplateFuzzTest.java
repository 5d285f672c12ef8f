package ai.epitome.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// Whatever the template is: a text, or an exception that names the line. Anything else, a hang among them, fails.
class TemplateFuzzTest {
    /// Pieces that random templates are made of.
    private static final List<String> PIECES = List.of(
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{%- ",
            " -%}",
            "{# ",
            " #}",
            "if ",
            "elif ",
            "else",
            "endif",
            "for ",
            "in ",
            "endfor",
            "set ",
            "endset",
            "macro ",
            "endmacro",
            "call ",
            "endcall",
            "filter ",
            "endfilter",
            "with ",
            "endwith",
            "break",
            "continue",
            "raw",
            "endraw",
            "generation",
            "endgeneration",
            "x",
            "y",
            "m",
            "ns",
            "loop",
            "messages",
            "namespace",
            "range",
            "caller",
            "'a'",
            "'<|'",
            "\"\\n\"",
            "1",
            "0",
            "-1",
            "2.5",
            "999999999",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".",
            ",",
            ":",
            "|",
            "~",
            "+",
            "-",
            "*",
            "**",
            "/",
            "//",
            "%",
            "=",
            "==",
            "<",
            "not ",
            "and ",
            "or ",
            "is ",
            "defined",
            "none",
            "true",
            ".content",
            ".items()",
            ".split",
            ".replace",
            ".format",
            "|tojson",
            "|join",
            "|length",
            "|list",
            "|map",
            "|selectattr",
            "|sort",
            "|unique",
            "|indent",
            "|batch",
            "|groupby",
            "|dictsort",
            "|trim",
            "|default",
            "|round",
            "|int",
            "\n",
            " ",
            "text");

    private static final Map<String, Value> CONTEXT = Map.of(
            "messages",
            Value.of(List.of(Value.of(Map.of("role", Value.of("user"), "content", Value.of("Hi <|im_end|>"))))),
            "x",
            Value.of("a👍"),
            "y",
            Value.of(3),
            "tools",
            Value.NONE);

    private static void render(String source) {
        try {
            var text = Template.parse(source).render(CONTEXT, LocalDateTime.of(2026, 11, 6, 9, 5));
            assertThat(text.length()).isLessThan(1 << 25);
        } catch (JinjaException e) {
            assertThat(e).hasMessageMatching("(?s)chat template, line \\d+: .+");
        }
    }

    @FuzzTest
    void anyText(FuzzedDataProvider data) {
        render(data.consumeRemainingAsString());
    }

    @FuzzTest
    void anyPieces(FuzzedDataProvider data) {
        var source = new StringBuilder();
        for (int i = 0; i < 200 && data.remainingBytes() > 0; i++) {
            source.append(PIECES.get(data.consumeInt(0, PIECES.size() - 1)));
        }
        render(source.toString());
    }

    @Property(tries = 3000)
    void randomPieces(@ForAll @Size(max = 40) List<@IntRange(max = 93) Integer> pieces) {
        var source = new StringBuilder();
        pieces.forEach(piece -> source.append(PIECES.get(piece % PIECES.size())));
        render(source.toString());
        render("{{ " + source + " }}");
    }

    /// A template of a real shape with one character changed.
    @Property(tries = 2000)
    void oneCharacterChanged(@ForAll @IntRange(max = 1000) int place, @ForAll char by) {
        String source = """
                {%- set ns = namespace(n=0, seen=[]) -%}
                {% macro show(m, sep=', ') %}{{ m['content'][:-1] | replace('a', sep) ~ m.role|upper }}{% endmacro %}
                {% for m in messages if m.role != 'x' %}{% set ns.n = ns.n + loop.index * 2 ** 3 %}
                {{ show(m) }}{{ '%s-%05.1f' % (m.role, ns.n) }}{{ m|tojson(indent=2) }}{{ m.items()|list|sort }}
                {% else %}{{ range(9)|select('odd')|join }}{% endfor %}{{ {'a': [1, (2, none)]}.get('a')[0::1] }}""";
        int at = place % source.length();
        render(source.substring(0, at) + by + source.substring(at + 1));
        render(source.substring(0, at) + source.substring(at + 1));
    }
}
