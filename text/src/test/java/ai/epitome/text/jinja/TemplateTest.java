package ai.epitome.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.MarkedText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Judged by Jinja2 itself, in the environment of transformers: `bench/peers/render_chat_templates.py` made what is
/// expected.
class TemplateTest {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 6, 9, 5, 3);

    private static JsonNode resource(String name) throws IOException {
        try (InputStream in = TemplateTest.class.getResourceAsStream(name)) {
            return JSON.readTree(in);
        }
    }

    private static Map<String, Value> context(JsonNode json) {
        Map<String, Value> context = new LinkedHashMap<>();
        json.properties().forEach(entry -> context.put(entry.getKey(), JsonValues.of(entry.getValue())));
        return context;
    }

    /// Null where it fails.
    private static String rendered(String template, Map<String, Value> context) {
        try {
            return Template.parse(template).render(context, NOW).characters();
        } catch (JinjaException e) {
            assertThat(e).hasMessageMatching("(?s)chat template, line \\d+: .+");
            return null;
        }
    }

    private static String render(String template) {
        return Template.parse(template).render(Map.of(), NOW).characters();
    }

    @Test
    void everyCaseIsRenderedAsJinjaDoes() throws IOException {
        List<String> differences = new ArrayList<>();
        JsonNode cases = resource("cases.json");
        for (JsonNode one : cases.values()) {
            String template = one.path("template").stringValue();
            String expected =
                    one.path("expected").isNull() ? null : one.path("expected").stringValue();
            String found = rendered(template, context(one.path("context")));
            if (!Objects.equals(found, expected)) {
                differences.add("%s%n   expected %s%n   found    %s".formatted(template, expected, found));
            }
        }
        assertThat(differences).isEmpty();
        assertThat(cases).hasSizeGreaterThan(200);
    }

    /// What is rendered here, and fails in Jinja2: JSON of what `map` gives, as llama.cpp allows.
    private static final TreeSet<String> MORE = new TreeSet<>(List.of(
            "llama-cpp-deepseek-r1.jinja: tool call answered",
            "llama-cpp-deepseek-r1.jinja: tool result",
            "llama-cpp-deepseek-r1.jinja: tool result, arguments as text",
            "llama-cpp-deepseek-r1.jinja: tool result, empty content",
            "llama-cpp-deepseek-r1.jinja: tool result, everything as text",
            "llama-cpp-deepseek-r1.jinja: tools",
            "llama-cpp-deepseek-r1.jinja: tools as functions",
            "llama-cpp-deepseek-r1.jinja: tools, system",
            "llama-cpp-deepseek-r1.jinja: two tool calls"));

    @Test
    void templatesOfRealModelsRenderConversationsAsJinjaDoes() throws IOException {
        JsonNode expected = resource("expected.json");
        JsonNode conversations = resource("conversations.json");
        List<String> differences = new ArrayList<>();
        var more = new TreeSet<String>();
        int compared = 0;
        for (var template : realTemplates().entrySet()) {
            for (JsonNode conversation : conversations.values()) {
                String name = conversation.path("name").stringValue();
                Map<String, Value> context = context(conversation);
                context.remove("name");
                context.putIfAbsent("add_generation_prompt", Value.FALSE);
                context.put("bos_token", Value.ofTemplate("<s>"));
                context.put("eos_token", Value.ofTemplate("</s>"));
                String found = rendered(template.getValue(), context);
                JsonNode wanted = expected.path(template.getKey()).path(name);
                compared++;
                if (found != null && wanted.isNull()) {
                    more.add(template.getKey() + ": " + name);
                } else if (!(found == null ? wanted.isNull() : hash(found).equals(wanted.stringValue("")))) {
                    differences.add(template.getKey() + ": " + name + ": " + found);
                }
            }
        }
        assertThat(differences).isEmpty();
        assertThat(MORE).containsAll(more);
        assertThat(compared).isEqualTo(19 * 25);
    }

    private static Map<String, String> realTemplates() throws IOException {
        Path folder = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "tokenizers");
        assumeTrue(Files.exists(folder), () -> "no chat templates of models: " + folder + " is absent");
        Map<String, String> templates = new LinkedHashMap<>();
        try (var files = Files.list(folder.resolve("llama.cpp/templates"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".jinja"))
                    .sorted()
                    .toList()) {
                templates.put(file.getFileName().toString(), Files.readString(file));
            }
        }
        for (String model : List.of("llama3", "qwen3")) {
            Path file = folder.resolve("hf").resolve(model).resolve("tokenizer_config.json.gz");
            try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
                templates.put(model, JSON.readTree(in).path("chat_template").stringValue());
            }
        }
        return templates;
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{{ x.y }}                            | line 1: 'x' is undefined",
                "{% if 1 %}\\n{{ 1 + 'a' }}{% endif %} | line 2: '+' cannot be done with int and str",
                "\\n\\n{% for x in 5 %}{% endfor %}   | line 3: a int cannot be iterated over",
                "{{ raise_exception('Not so.') }}     | line 1: the template refuses this: Not so.",
                "\\n{% include 'file' %}              | line 2: 'include' would read another file",
                "{% if a %}                           | line 1: the template ends, but a block still wants its 'endif'",
                "{{ 'a }}                             | line 1: a string has no closing '",
                "{{ [].append(1) }}                   | line 1: a list has no 'append'",
                "{{ 'a'.__class__ ~ ''.__class__.x }} | line 1: a str has no '__class__'",
            })
    void anErrorNamesItsLineAndWhatIsWrong(String template, String message) {
        assertThatExceptionOfType(JinjaException.class)
                .isThrownBy(() -> render(template.replace("\\n", "\n")))
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% set ns = namespace(s='x') %}{% for i in range(99999) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
                "{{ 'x' * 2000000000 }}",
                "{{ [0] * 2000000000 }}",
                "{{ 'x'.center(2000000000) }}",
                "{{ 'x'|indent(2000000000) }}",
                "{{ '%999999999d' % 1 }}",
                "{{ 2 ** 2000000000 }}",
                "{{ range(1000000) }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% set ns = namespace(l=[]) %}{% for i in range(999) %}{% set ns.l = [ns.l] %}{% endfor %}",
                "{% set ns = namespace(l=['x']) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}"
                        + "{{ ns.l }}",
                "{% set ns = namespace(l=['x']) %}{% for i in range(60) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}"
                        + "{{ ns.l == ns.l|tojson }}{{ {ns.l: 1} }}",
                "{% set s = 'a' * 3000000 %}{{ (s ~ 'b') in (s ~ s) }}{{ s.replace(s[1:] ~ 'b', '') }}",
                "{% set s = 'ab' * 500000 %}{{ s.replace('a', s) }}",
                "{% for i in range(99999) %}{{ [1, 2, 3] * 1000 }}{% endfor %}",
            })
    void whatTakesTooMuchIsStopped(String template) {
        long start = System.nanoTime();
        assertThatExceptionOfType(JinjaException.class).isThrownBy(() -> render(template));
        // no promise of speed: without the bounds, all of these take hours or more memory than there is
        assertThat(System.nanoTime() - start).isLessThan(60_000_000_000L);
    }

    @Test
    void deepNestingOfTheTemplateItselfIsRefused() {
        for (String deep : List.of(
                "{{ " + "(".repeat(20_000) + "1" + ")".repeat(20_000) + " }}",
                "{{ " + "not ".repeat(20_000) + "1 }}",
                "{{ " + "-".repeat(20_000) + "1 }}",
                "{{ " + "[".repeat(20_000) + " }}",
                "{{ 1" + " + 1".repeat(20_000) + " }}",
                "{{ x" + ".y".repeat(20_000) + " }}",
                "{{ x" + "|trim".repeat(20_000) + " }}",
                "{{ 1" + " if 1 else 1".repeat(20_000) + " }}",
                "{% if 1 %}".repeat(20_000),
                "{% set " + "(".repeat(20_000) + " %}",
                "x".repeat(Lexer.LONGEST + 1))) {
            assertThatExceptionOfType(JinjaException.class)
                    .as(deep.substring(0, 20))
                    .isThrownBy(() -> render(deep));
        }
    }

    @Test
    void textRemembersWhoWroteIt() {
        Map<String, Value> context =
                Map.of("c", Value.of("<x> Ä"), "bos", Value.ofTemplate("<s>"), "l", Value.of(List.of(Value.of("<y>"))));
        assertThat(marked("{{ bos }}<a>{{ c }}", context)).isEqualTo("<s><a>[<x> Ä]");
        assertThat(marked("{{ ('<a>' + c)|upper|trim }}", context)).isEqualTo("<A>[<X> Ä]");
        assertThat(marked("{{ c[1:] ~ '>' }}{{ c.split('>')[0] }}", context)).isEqualTo("[x> Ä]>[<x]");
        assertThat(marked("{{ c|replace('x', 'z') }}", context)).isEqualTo("[<]z[> Ä]");
        assertThat(marked("{{ l|tojson }}{{ l }}{{ l|join('<b>') }}", context)).isEqualTo("[\"[<y>]\"]['[<y>]'][<y>]");
        assertThat(marked("{% macro m(a) %}<m>{{ a }}{% endmacro %}{{ m(c) }}", context))
                .isEqualTo("<m>[<x> Ä]");
        assertThat(marked("{% set x %}<m>{{ c }}{% endset %}{{ x }}", context)).isEqualTo("<m>[<x> Ä]");
        assertThat(marked("{{ '%s%s' % (c, '<b>') }}{{ '<{}>'.format(c) }}", context))
                .isEqualTo("[<x> Ä]<b><[<x> Ä]>");
        assertThat(marked("{{ c|indent(2, true) }}{{ c.center(7, '-') }}", context))
                .isEqualTo("  [<x> Ä]-[<x> Ä]-");
        assertThat(marked("{% for i in c %}{{ i }}{% endfor %}", context)).isEqualTo("[<x> Ä]");
        assertThat(marked("{{ {c: 1} }}{{ c|title }}{{ c|e }}", context))
                .isEqualTo("{'[<x> Ä]': 1}[<X> Ä]&lt;[x]&gt;[ Ä]");
    }

    /// The text with what comes from elsewhere in brackets.
    private static String marked(String template, Map<String, Value> context) {
        var shown = new StringBuilder();
        for (MarkedText part : Template.parse(template).render(context, NOW).parts()) {
            boolean own = part.isTemplate(0, part.length());
            shown.append(own ? part.characters() : "[" + part.characters() + "]");
        }
        return shown.toString();
    }
}
