package ai.epitome.model.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.constraint.grammar.ConstraintException;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

class JsonSchemaTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Tokens TOKENS = Tokens.piecesOf(
            List.of("{\"name\": \"größe\", \"id\": 12.5, \"tags\": [true, null]}", "\"2024-02-29T12:00:00Z\", -117.25"),
            300,
            1);
    private static final TokenVocabulary VOCABULARY = TOKENS.vocabulary();

    private static String json(String relaxed) {
        return relaxed.replace('\'', '"');
    }

    private static boolean accepts(String schema, String text) {
        return Constraint.jsonSchema(json(schema)).accepts(json(text).getBytes(StandardCharsets.UTF_8));
    }

    /// A text of tokens that are drawn evenly among those allowed.
    private static String draw(Constraint constraint, int budget, Random random) {
        Guide guide = constraint.guide(VOCABULARY);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int left = budget; left > 0 && !guide.isFinished(); left--) {
            long[] allowed = guide.allowed(left);
            int token = random.nextInt(TOKENS.bytes().size());
            while (!GuideTest.has(allowed, token)) {
                token = (token + 1) % TOKENS.bytes().size();
            }
            guide.accept(token);
            text.writeBytes(TOKENS.token(token));
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    @Property(tries = 400)
    void whateverIsDrawnMeetsTheSchema(@ForAll long seed) {
        drawsWhatMeetsTheSchema(seed);
    }

    @Test
    void mostRandomSchemasCanBeMet() {
        assertThat(LongStream.range(0, 200)
                        .filter(JsonSchemaTest::drawsWhatMeetsTheSchema)
                        .count())
                .isGreaterThan(150);
    }

    /// False where the schema is refused.
    private static boolean drawsWhatMeetsTheSchema(long seed) {
        String schema = new RandomSchemas(seed).schema();
        Constraint constraint;
        try {
            constraint = Constraint.jsonSchema(schema);
        } catch (ConstraintException e) {
            assertThat(e.getMessage()).as(schema).containsAnyOf("no text meets it", "supported", "too complex");
            return false;
        }
        SchemaJudge judge = new SchemaJudge(MAPPER.readTree(schema));
        Random random = new Random(seed);
        for (int run = 0; run < 4; run++) {
            int budget = (int) constraint.shortest() + random.nextInt(150);
            String text = draw(constraint, budget, random);
            assertThat(judge.meets(MAPPER.readTree(text)))
                    .as("%s of %s", text, schema)
                    .isTrue();
        }
        return true;
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " ~ ",
            quoteCharacter = '§',
            value = {
                "true ~ [1, {'a': null}] ~ true",
                "{} ~ -1.5e+10 ~ true",
                "{'type': 'integer'} ~ 1.5 ~ false",
                "{'type': 'integer'} ~ -0 ~ false",
                "{'type': 'integer', 'minimum': -12, 'maximum': 105} ~ -12 ~ true",
                "{'type': 'integer', 'minimum': -12, 'maximum': 105} ~ -13 ~ false",
                "{'type': 'integer', 'minimum': -12, 'maximum': 105} ~ 105 ~ true",
                "{'type': 'integer', 'minimum': -12, 'maximum': 105} ~ 106 ~ false",
                "{'type': 'integer', 'exclusiveMinimum': 9, 'exclusiveMaximum': 11} ~ 10 ~ true",
                "{'type': 'integer', 'exclusiveMinimum': 9, 'exclusiveMaximum': 11} ~ 11 ~ false",
                "{'type': 'number', 'minimum': 0.5, 'maximum': 2} ~ 0.49 ~ false",
                "{'type': 'number', 'minimum': 0.5, 'maximum': 2} ~ 1.99 ~ true",
                "{'type': 'number', 'minimum': 0.5, 'maximum': 2} ~ 2.0 ~ true",
                "{'type': 'number', 'minimum': 0.5, 'maximum': 2} ~ 2.01 ~ false",
                "{'type': 'number', 'minimum': -0.5, 'maximum': 0} ~ -0.50 ~ true",
                "{'type': 'number', 'minimum': -0.5, 'maximum': 0} ~ -0.51 ~ false",
                "{'type': 'number', 'minimum': -0.5, 'maximum': 0} ~ -0.0 ~ false",
                "{'type': 'integer', 'multipleOf': 7} ~ -21 ~ true",
                "{'type': 'integer', 'multipleOf': 7} ~ 22 ~ false",
                "{'type': 'string', 'pattern': 'b+c'} ~ 'abbcd' ~ true",
                "{'type': 'string', 'pattern': '^b+c$'} ~ 'abbcd' ~ false",
                "{'type': 'string', 'minLength': 2, 'maxLength': 2} ~ '\\ud83d\\ude00é' ~ true",
                "{'type': 'string', 'minLength': 2, 'maxLength': 2} ~ '\\ud83d\\ude00' ~ false",
                "{'type': 'string'} ~ '\\ud83d' ~ false",
                "{'const': {'a': [1, 'x']}} ~ {'a':[1,'x']} ~ true",
                "{'enum': [1, 'b', 3], 'type': 'integer', 'minimum': 2} ~ 3 ~ true",
                "{'enum': [1, 'b', 3], 'type': 'integer', 'minimum': 2} ~ 1 ~ false",
                "{'properties': {'a': {'type': 'null'}, 'b': true}, 'required': ['b']} ~ {'b':1} ~ true",
                "{'properties': {'a': {'type': 'null'}, 'b': true}, 'required': ['b']} ~ {'a': null, 'b': 1} ~ true",
                "{'properties': {'a': {'type': 'null'}, 'b': true}, 'required': ['b']} ~ {'a':null} ~ false",
                "{'properties': {'a': {'type': 'null'}, 'b': true}, 'required': ['b']} ~ {'b':1,'c':2} ~ false",
                "{'properties': {'a': true}, 'additionalProperties': {'type': 'integer'}} ~ {'b':1,'c':2} ~ true",
                "{'properties': {'a': true}, 'additionalProperties': {'type': 'integer'}} ~ {'b':'x'} ~ false",
                "{'properties': {'a': {'type': 'null'}}, 'additionalProperties': true} ~ {'aa':1} ~ true",
                "{'properties': {'a': {'type': 'null'}}, 'additionalProperties': true} ~ {'\\u0061':1} ~ false",
                "{'type': 'object'} ~ {'any': [1]} ~ true",
                "{'required': ['z'], 'additionalProperties': {'type': 'null'}} ~ {'z':null} ~ true",
                "{'type': 'object', 'maxProperties': 1} ~ {'a':1,'b':1} ~ false",
                "{'patternProperties': {'^n': {'type': 'null'}}} ~ {'no':null,'nb':null} ~ true",
                "{'patternProperties': {'^n': {'type': 'null'}}} ~ {'on':null} ~ false",
                "{'prefixItems': [{'const': 1}, {'const': 2}]} ~ [1] ~ true",
                "{'prefixItems': [{'const': 1}, {'const': 2}]} ~ [1,2] ~ true",
                "{'prefixItems': [{'const': 1}, {'const': 2}]} ~ [1,2,3] ~ false",
                "{'prefixItems': [{'const': 1}], 'items': {'const': 2}, 'minItems': 2} ~ [1] ~ false",
                "{'prefixItems': [{'const': 1}], 'items': {'const': 2}, 'minItems': 2} ~ [1, 2, 2] ~ true",
                "{'type': 'array', 'maxItems': 0} ~ [] ~ true",
                "{'allOf': [{'minimum': 3}, {'type': 'integer', 'maximum': 4}]} ~ 3 ~ true",
                "{'allOf': [{'minimum': 3}, {'type': 'integer', 'maximum': 4}]} ~ 5 ~ false",
                "{'properties': {'a': {'minimum': 3}}, 'allOf': [{'properties': {'a': {'type': 'integer', 'maximum': 4}}}]} ~ {'a':4} ~ true",
                "{'properties': {'a': {'minimum': 3}}, 'allOf': [{'properties': {'a': {'type': 'integer', 'maximum': 4}}}]} ~ {'a':2} ~ false",
                "{'type': 'string', 'anyOf': [{'maxLength': 1}, {'pattern': '^x'}]} ~ 'xyz' ~ true",
                "{'type': 'string', 'anyOf': [{'maxLength': 1}, {'pattern': '^x'}]} ~ 'yz' ~ false",
                "{'$ref': '#/$defs/t', '$defs': {'t': {'type': 'array', 'items': {'$ref': '#/$defs/t'}}}} ~ [[],[[]]] ~ true",
                "{'$ref': '#/$defs/a~1b%25', '$defs': {'a/b%': {'type': 'null'}}} ~ null ~ true",
                "{'type': 'object', 'properties': {'n': {'$ref': '#'}}} ~ {'n':{'n':{}}} ~ true",
                "{'type': 'string', 'format': 'date'} ~ '2023-02-29' ~ false",
                "{'type': 'string', 'format': 'date'} ~ '2000-02-29' ~ true",
                "{'type': 'string', 'format': 'ipv4'} ~ '256.1.1.1' ~ false"
            })
    void allowsWhatTheSchemaSays(String schema, String text, boolean expected) {
        assertThat(accepts(schema, text)).isEqualTo(expected);
    }

    @Test
    void spaceIsLimited() {
        String schema = "{'properties': {'a': {'type': 'array'}}}";
        for (String right :
                List.of("{}", "{ }", "{'a':[1,2]}", "{'a': [1, 2]}", "{\n  'a': [\n    1,\n    2\n  ]\n}")) {
            assertThat(accepts(schema, right)).as(right).isTrue();
        }
        for (String wrong : List.of(" {}", "{  }", "{'a' :[]}", "{'a':\n[]}", "{'a':[1 ,2]}", "{}\n", "{\n\n}", "[]")) {
            assertThat(accepts(schema, wrong)).as(wrong).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " ~ ",
            quoteCharacter = '§',
            value = {
                "{'a' ~ not valid JSON",
                "{'type': 'string', 'type': 'null'} ~ not valid JSON",
                "5 ~ at `/`: a schema is an object",
                "{'properties': {'a/b': {'not': {}}}} ~ at `/properties/a~1b/not`: this keyword is not supported",
                "{'items': {'uniqueItems': true}} ~ at `/items/uniqueItems`: this keyword is not supported",
                "{'if': {}} ~ at `/if`: this keyword",
                "{'type': 'text'} ~ at `/type`: expected one of",
                "{'minLength': -1} ~ at `/minLength`: expected a whole number",
                "{'maxItems': 2000000} ~ at `/maxItems`: expected a whole number of 0 to 1,000,000",
                "{'minimum': 'x'} ~ at `/minimum`: expected a number",
                "{'minimum': 1e90} ~ at `/minimum`: expected a number with at most 40 digits",
                "{'minimum': 1e99999999999} ~ too large an exponent",
                "{'enum': [1e999999999], 'multipleOf': 3} ~ at `/enum`: expected a number with at most 40 digits",
                "{'const': -1e-999999999, 'minimum': 3} ~ at `/const`: expected a number with at most 40 digits",
                "{'multipleOf': 0} ~ at `/multipleOf`: expected above 0",
                "{'type': 'number', 'multipleOf': 0.3} ~ only whole numbers and 0.1",
                "{'pattern': '('} ~ at `/pattern`: `(` without `)`",
                "{'patternProperties': {'(': true}} ~ at `/patternProperties`: `(` without",
                "{'format': 'colour'} ~ at `/format`: expected one of the formats date",
                "{'enum': []} ~ at `/enum`: expected a list of values",
                "{'anyOf': {}} ~ at `/anyOf`: expected a list of schemas",
                "{'items': [true]} ~ at `/items`: a schema is an object",
                "{'required': 'a'} ~ at `/required`: expected a list of names",
                "{'$ref': 'http://example.com'} ~ leads out of it",
                "{'$ref': '#thing'} ~ none of the form",
                "{'$ref': '#/$defs/none'} ~ leads nowhere",
                "{'$ref': '#/enum/0', 'enum': [{'not': 1}]} ~ at `/enum/0/not`: this keyword",
                "{'$ref': '#'} ~ go round in a circle",
                "{'allOf': [{'$ref': '#'}]} ~ go round in a circle",
                "{'type': 'integer', 'minimum': 3, 'maximum': 2} ~ no text meets it",
                "{'allOf': [{'type': 'string'}, {'type': 'null'}]} ~ no text meets it",
                "{'required': ['a'], 'properties': {'a': false}} ~ no text meets it",
                "{'type': 'object', 'properties': {'n': {'$ref': '#'}}, 'required': ['n']} ~ no text meets it",
                "{'type': 'object', 'minProperties': 2} ~ `minProperties` 2 is not supported here",
                "{'const': [1], 'items': true} ~ is not supported beside keywords"
            })
    void refusesWithThePlace(String schema, String message) {
        assertThatThrownBy(() -> Constraint.jsonSchema(json(schema)))
                .isInstanceOf(ConstraintException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatIsTooMuchIsRefused() {
        String nested = "{'items':".repeat(65) + "{}" + "}".repeat(65);
        assertThatThrownBy(() -> Constraint.jsonSchema(json(nested))).hasMessageContaining("schemas in each other");
        assertThatThrownBy(() -> Constraint.jsonSchema("[".repeat(300))).hasMessageContaining("not valid JSON");
        assertThatThrownBy(() -> Constraint.jsonSchema(" ".repeat(400_001))).hasMessageContaining("at most 400,000");
        StringBuilder doubling = new StringBuilder("{'$defs': {'d0': {'type': 'object'}");
        for (int i = 1; i <= 40; i++) {
            doubling.append(
                    ",'d%d': {'allOf': [{'$ref': '#/$defs/d%d'}, {'$ref': '#/$defs/d%d'}]}".formatted(i, i - 1, i - 1));
        }
        doubling.append("}, '$ref': '#/$defs/d40'}");
        assertThatThrownBy(() -> Constraint.jsonSchema(json(doubling.toString())))
                .hasMessageContaining("too many to merge");
        String ways = "{'anyOf': [" + "{'minimum': 1},".repeat(40) + "{}]}";
        assertThatThrownBy(() -> Constraint.jsonSchema(json("{'allOf': [" + ways + "," + ways + "]}")))
                .hasMessageContaining("more than 512 ways");
        assertThatThrownBy(() ->
                        Constraint.jsonSchema(json("{'type': 'string', 'pattern': '[ab]*a[ab]{30}', 'maxLength': 99}")))
                .hasMessageContaining("too complex");
        assertThat(Constraint.jsonSchema(json("{'type': 'string', 'minLength': 1000000}"))
                        .shortest())
                .isEqualTo(1_000_002);
    }

    @FuzzTest(maxDuration = "10m")
    @DictionaryEntries({
        "\"type\"",
        "\"$ref\"",
        "\"#/$defs/a\"",
        "\"$defs\"",
        "\"anyOf\"",
        "\"allOf\"",
        "\"oneOf\"",
        "\"enum\"",
        "\"const\"",
        "\"properties\"",
        "\"required\"",
        "\"additionalProperties\"",
        "\"items\"",
        "\"prefixItems\"",
        "\"minItems\"",
        "\"maxItems\"",
        "\"minLength\"",
        "\"maxLength\"",
        "\"pattern\"",
        "\"format\"",
        "\"minimum\"",
        "\"exclusiveMaximum\"",
        "\"multipleOf\"",
        "\"object\"",
        "\"array\"",
        "\"string\"",
        "\"integer\"",
        "\"number\"",
        "\"boolean\"",
        "\"null\""
    })
    void anySchema(byte[] bytes) {
        check(new String(bytes, StandardCharsets.UTF_8));
    }

    @Property(tries = 1000)
    void aSchemaWithSomeOfItChanged(@ForAll long seed) {
        StringBuilder schema = new StringBuilder(new RandomSchemas(seed).schema());
        Random random = new Random(seed);
        String[] pieces = {
            "\"type\"",
            "\"$ref\"",
            "{}",
            "[]",
            "true",
            "false",
            "null",
            "\"\"",
            "-1",
            "1e9",
            "\"#\"",
            "{\"allOf\":[true]}"
        };
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = schema.indexOf(":", random.nextInt(schema.length()));
            int end = at < 0 ? -1 : Math.max(schema.indexOf(",", at), at + 1);
            if (at > 0) {
                schema.replace(
                        at + 1,
                        random.nextBoolean() ? at + 1 : Math.min(end, schema.length()),
                        pieces[random.nextInt(pieces.length)] + ",");
            }
        }
        check(schema.toString());
    }

    private static void check(String schema) {
        try {
            Constraint constraint = Constraint.jsonSchema(schema);
            if (constraint.shortest() < 500) {
                MAPPER.readTree(draw(constraint, (int) constraint.shortest() + 9, new Random(1)));
            }
        } catch (ConstraintException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{'n':1} | true",
                "[{'n':1}] | true",
                "[{'n':1}, {'n': 2}] | true",
                "<tool_call>{'n':1}</tool_call> | true",
                "<tool_call>~{'n':1}~</tool_call>~<tool_call>{'n':2}</tool_call> | true",
                "[] | false",
                "[{'n':1},{'n':2},{'n':3}] | false",
                "{'n':1}{'n':1} | false",
                "<tool_call>{'n':1} | false",
                "<tool_call>{'m':1}</tool_call> | false",
                "I would rather not. | false"
            })
    void callsOfToolsInTheFormsOfModels(String text, boolean accepted) {
        String schema = json("{'properties': {'n': {'type': 'integer'}}, 'required': ['n'], 'type': 'object'}");
        byte[] bytes = json(text).replace('~', '\n').getBytes(StandardCharsets.UTF_8);
        assertThat(Constraint.toolCalls(schema, 2).accepts(bytes)).isEqualTo(accepted);
    }
}
