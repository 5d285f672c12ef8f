package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.generation.Penalties;
import ai.epitome.model.generation.Sampling;
import ai.epitome.serve.completion.CompletionRequest;
import ai.epitome.serve.completion.CompletionRequestParser;
import ai.epitome.serve.completion.ConstraintFields;
import ai.epitome.serve.http.ApiException;
import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompletionRequestParserTest {
    private static final CompletionRequestParser PARSER = new CompletionRequestParser(4096, new ConstraintFields());

    private static CompletionRequest parse(String json) {
        return PARSER.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    private static ApiException refusal(String json) {
        return catchThrowableOfType(ApiException.class, () -> parse(json));
    }

    @Test
    void fillsInDefaults() {
        assertThat(parse("{\"model\": \"m\"}"))
                .usingRecursiveComparison()
                .isEqualTo(new CompletionRequest(
                        "m",
                        List.of(new CompletionRequest.Prompt.Text("")),
                        16,
                        Sampling.ofTemperature(1, 0),
                        1,
                        1,
                        false,
                        false,
                        OptionalInt.empty(),
                        false,
                        List.of(),
                        OptionalLong.empty(),
                        Optional.empty()));
    }

    @Test
    void nullMeansAbsent() {
        CompletionRequest request = parse("""
                {"model": "m", "prompt": null, "max_tokens": null, "stop": null, "seed": null, "logprobs": null,
                 "logit_bias": null, "suffix": null, "stream_options": null, "user": null, "echo": null}""");
        assertThat(request.maxTokens()).isEqualTo(16);
        assertThat(request.stop()).isEmpty();
    }

    @Test
    void acceptsFieldsThatAskForNothing() {
        assertThat(parse("""
                {"model": "m", "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {"5": 0}, "suffix": "",
                 "user": "someone", "top_p": 0, "best_of": 1}""").sampling().topP()).isPositive();
    }

    @Test
    void takesEverySamplingField() {
        assertThat(parse("""
                {"model": "m", "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "typical_p": 0.8,
                 "repetition_penalty": 1.2, "frequency_penalty": -0.5, "presence_penalty": 2,
                 "logit_bias": {"0": -100, "17": 2.5}}""").sampling())
                .isEqualTo(new Sampling(
                        0.5, 40, 0.9, 0.05, 0.8, new Penalties(1.2, -0.5, 2), Map.of(0, -100.0, 17, 2.5), 0));
        assertThat(parse("{\"model\": \"m\", \"top_k\": -1}").sampling().topK())
                .as("-1 means all in other servers")
                .isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "response_format | {\"type\": \"json_object\"} | {\"a\":[1]}",
                "response_format | {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"n\", \"strict\": true, \"schema\": {\"type\": \"integer\"}}} | 5",
                "structured_outputs | {\"json\": {\"type\": \"integer\"}} | 5",
                "structured_outputs | {\"json\": \"{\\\"type\\\": \\\"null\\\"}\"} | null",
                "structured_outputs | {\"regex\": \"[ab]+\"} | abba",
                "structured_outputs | {\"grammar\": \"root ::= [ab]+\"} | abba",
                "structured_outputs | {\"choice\": [\"yes\", \"no\"]} | no",
                "structured_outputs | {\"json_object\": true} | {}"
            })
    void takesConstraints(String field, String value, String text) {
        String body = "{\"model\": \"m\", \"" + field + "\": " + value + "}";
        Constraint constraint = parse(body).constraint().orElseThrow();
        assertThat(constraint.accepts(text.getBytes(StandardCharsets.UTF_8))).isTrue();
        assertThat(constraint.accepts("[]".getBytes(StandardCharsets.UTF_8))).isFalse();
        assertThat(parse(body).constraint()).as("kept").containsSame(constraint);
        assertThat(parse("{\"model\": \"m\", \"response_format\": {\"type\": \"text\"}}")
                        .constraint())
                .isEmpty();
    }

    @Test
    void saysWhatIsWrongWithAConstraint() {
        ApiException refusal = refusal("{\"model\": \"m\", \"structured_outputs\": {\"regex\": \"a(b\"}}");
        assertThat(refusal.getMessage())
                .isEqualTo(
                        "'structured_outputs' cannot be used: `(` without `)`, at character 2 of the pattern `a(b`.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "max_tokens | -1",
                "max_tokens | 0",
                "max_tokens | 4097",
                "max_tokens | 1.5",
                "max_tokens | 99999999999999999999",
                "max_tokens | \"5\"",
                "temperature | -0.1",
                "temperature | 2.1",
                "temperature | 1e400",
                "temperature | true",
                "top_p | 1.01",
                "min_p | 2",
                "n | 0",
                "n | 17",
                "best_of | 17",
                "logprobs | 6",
                "logprobs | true",
                "echo | 1",
                "stream | \"true\"",
                "stop | \"\"",
                "stop | 5",
                "stop | [\"a\",\"b\",\"c\",\"d\",\"e\"]",
                "seed | 1.5",
                "seed | 9223372036854775808",
                "top_k | -2",
                "typical_p | 1.5",
                "presence_penalty | 2.5",
                "frequency_penalty | -3",
                "repetition_penalty | 0",
                "repetition_penalty | 11",
                "logit_bias | {\"the\": 1}",
                "logit_bias | {\"-5\": 1}",
                "logit_bias | {\"5\": \"1\"}",
                "logit_bias | {\"5\": 101}",
                "logit_bias | []",
                "suffix | \"x\"",
                "user | 5",
                "stream_options | {\"include_usage\": true}",
                "prompt | 5",
                "prompt | []",
                "prompt | [\"a\", 5]",
                "prompt | [5, \"a\"]",
                "prompt | [[5], 5]",
                "prompt | [-1]",
                "prompt | [1.5]",
                "prompt | {}",
                "response_format | {\"type\": \"xml\"}",
                "response_format | 5",
                "response_format | {\"type\": \"json_schema\"}",
                "response_format | {\"type\": \"json_schema\", \"json_schema\": {\"schema\": {\"not\": true}}}",
                "structured_outputs | {\"json\": 5}",
                "structured_outputs | {\"json\": \"{\"}",
                "structured_outputs | {}",
                "structured_outputs | {\"regex\": \"a\", \"grammar\": \"root ::= a\"}",
                "structured_outputs | {\"regex\": \"(\"}",
                "structured_outputs | {\"grammar\": \"root ::= root\"}",
                "structured_outputs | {\"choice\": [5]}",
                "structured_outputs | {\"json_object\": false}",
                "structured_outputs | {\"yaml\": true}",
                "chatty | true"
            })
    void refusesAndNamesTheField(String field, String value) {
        ApiException refusal = refusal("{\"model\": \"m\", \"" + field + "\": " + value + "}");
        assertThat(refusal.status()).isEqualTo(400);
        assertThat(refusal.body().at("/error/param").asString()).isEqualTo(field);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "5",
                "null",
                "{\"model\": \"m\"} {}",
                "{\"model\": \"m\", \"model\": \"m\"}",
                "{\"model\": \"m\", \"temperature\": NaN}",
                "{'model': 'm'}",
                "{\"model\": \"m\",}",
                "\u0000",
            })
    void refusesWhatIsNotOneJsonObject(String body) {
        assertThat(refusal(body).body().at("/error/code").asString()).isEqualTo("invalid_json");
    }

    @Test
    void refusesDeepNestingAndManyGenerations() {
        assertThat(refusal("{\"model\": " + "[".repeat(100_000)).status()).isEqualTo(400);
        String prompts = "[" + "\"a\",".repeat(31) + "\"a\"]";
        assertThat(refusal("{\"model\": \"m\", \"n\": 3, \"prompt\": " + prompts + "}")
                        .getMessage())
                .contains("at most 64");
        assertThat(refusal("{\"model\": \"m\", \"n\": 2, \"best_of\": 1}").getMessage())
                .contains("at least 'n'");
        assertThat(refusal("{\"model\": \"m\", \"best_of\": 2, \"stream\": true}")
                        .getMessage())
                .contains("cannot be streamed");
        assertThat(refusal("{}").body().at("/error/param").asString()).isEqualTo("model");
    }

    /// Whatever the bytes: a request within its bounds, or status 400.
    @FuzzTest(maxDuration = "10m")
    @DictionaryFile(resourcePath = "bodies.dict")
    void anyBytes(byte[] body) {
        checkAny(body);
    }

    @Property(tries = 2_000)
    void anyBytesThatLookLikeJson(@ForAll @Size(max = 60) List<@ByteRange(min = 0, max = 40) Byte> pieces) {
        String[] words = {
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"model\":",
            "\"m\"",
            "\"prompt\":",
            "\"n\":",
            "\"stop\":",
            "1",
            "-1",
            "0.5",
            "1e9",
            "true",
            "null",
            "\"stream\":",
            "\"logprobs\":",
            "\"max_tokens\":",
            "\"temperature\":",
            "\"seed\":",
            "{\"model\":\"m\",",
            "\"\\ud800\"",
            "\"best_of\":",
            "\"echo\":",
            "\"logit_bias\":",
            "\"stream_options\":",
            "\"suffix\":",
            "\"\"",
            " ",
            "\n",
            "5",
            "16",
            "[1,2]",
            "[\"a\"]",
            "{}",
            "[]",
            "9e99",
            "\\",
            "\"user\":"
        };
        var text = new StringBuilder();
        pieces.forEach(piece -> text.append(words[piece]));
        checkAny(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void checkAny(byte[] body) {
        try {
            CompletionRequest request = PARSER.parse(body);
            assertThat(request.maxTokens()).isBetween(0, 4096);
            assertThat(request.sampling().temperature()).isBetween(0.0, 2.0);
            assertThat(request.prompts().size() * request.bestOf()).isBetween(1, 64);
            assertThat(request.n()).isBetween(1, request.bestOf());
            assertThat(request.stop()).hasSizeLessThanOrEqualTo(4).doesNotContain("");
        } catch (ApiException e) {
            assertThat(e.status()).isEqualTo(400);
        }
    }
}
