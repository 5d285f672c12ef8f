package ai.epitome.model.generation;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.model.Bytes;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.constraint.RandomSchemas;
import ai.epitome.model.constraint.SchemaJudge;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.file.JsonObject;
import ai.epitome.model.transformer.Transformer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// An untrained model writes what it is made to write.
class ConstrainedGenerationTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Transformer MODEL = Models.modern(64);
    private static final TextGenerator GENERATOR =
            new TextGenerator("small", MODEL, new Bytes(), Set.of(256), Reference.BACKEND);

    @AfterAll
    static void close() {
        MODEL.close();
    }

    private static GenerationResult generate(Constraint constraint, Sampling sampling, int tokens) {
        return GENERATOR.generate(
                new GenerationRequest(GENERATOR.encode("x"), tokens, sampling, List.of(), 0, Optional.of(constraint)),
                _ -> {},
                () -> false);
    }

    @Test
    void everySeedMatchesThePattern() {
        String pattern = "(\\d{1,3}|[a-fé日]+x)(, \\d{4}){0,3};";
        Constraint constraint = Constraint.regex(pattern);
        for (int seed = 0; seed < 40; seed++) {
            GenerationResult result = generate(constraint, Sampling.ofTemperature(1, seed), 30);
            assertThat(result.text()).matches(Pattern.compile(pattern));
            assertThat(result.finish()).isEqualTo(FinishReason.STOP);
        }
    }

    @Test
    void biasCannotBreakAConstraint() {
        Sampling sampling = new Sampling(
                1, 0, 1, 0, 1, new Penalties(1.3, 2, 2), Map.of((int) 'z', 100.0, (int) 'a', -100.0, 256, 100.0), 1);
        GenerationResult result = generate(Constraint.regex("a{7}b"), sampling, 20);
        assertThat(result.text()).isEqualTo("aaaaaaab");
    }

    @Test
    void aTextThatMayGoOnEndsByItsTokenOrTheLimit() {
        Constraint digits = Constraint.regex("\\d+");
        for (int seed = 0; seed < 20; seed++) {
            GenerationResult result = generate(digits, Sampling.ofTemperature(1, seed), 5);
            assertThat(result.text()).matches("\\d{1,5}");
            assertThat(result.finish())
                    .isEqualTo(result.text().length() == 5 ? FinishReason.LENGTH : FinishReason.STOP);
        }
    }

    @Test
    void constraintsOfTheSameSeedGiveTheSameText() {
        Constraint shared = Constraint.jsonObject();
        String first = generate(shared, Sampling.ofTemperature(1, 5), 60).text();
        generate(shared, Sampling.ofTemperature(1, 6), 60);
        assertThat(generate(shared, Sampling.ofTemperature(1, 5), 60).text()).isEqualTo(first);
        assertThat(generate(Constraint.jsonObject(), Sampling.ofTemperature(1, 5), 60)
                        .text())
                .isEqualTo(first);
    }

    @Test
    void anyJsonObjectIsWhole() {
        Constraint object = Constraint.jsonObject();
        for (int seed = 0; seed < 40; seed++) {
            String text = generate(object, Sampling.ofTemperature(1, seed), 12 + 3 * seed)
                    .text();
            assertThat(JsonObject.MAPPER
                            .readTree(text.getBytes(StandardCharsets.UTF_8))
                            .isObject())
                    .as(text)
                    .isTrue();
        }
    }

    /// 60 random schemas, each with a budget just above what its shortest value needs and one far above.
    @Test
    void anUntrainedModelMeetsAnySchema() {
        int met = 0;
        for (int seed = 1000; met < 60; seed++) {
            String schema = new RandomSchemas(seed).schema();
            Constraint constraint;
            try {
                constraint = Constraint.jsonSchema(schema);
            } catch (ConstraintException e) {
                continue; // contradicts itself
            }
            int least = (int) constraint.shortest();
            SchemaJudge judge = new SchemaJudge(MAPPER.readTree(schema));
            for (int tokens : new int[] {least + 1, least + 120}) {
                String text = generate(constraint, Sampling.ofTemperature(1, seed), tokens)
                        .text();
                assertThat(judge.meets(MAPPER.readTree(text)))
                        .as("%s of %s", text, schema)
                        .isTrue();
            }
            met++;
        }
    }
}
