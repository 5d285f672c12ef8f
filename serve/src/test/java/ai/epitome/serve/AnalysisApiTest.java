package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.openai.client.OpenAIClient;
import com.openai.errors.BadRequestException;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.moderations.ModerationCreateParams;
import com.openai.models.moderations.ModerationCreateResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/// OpenAI's own Java client at `/v1/embeddings` and `/v1/moderations`, every answer validated against its schema.
class AnalysisApiTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.ANALYSIS);
        UntrainedModel.on(server);
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static CreateEmbeddingResponse embed(EmbeddingCreateParams.Builder params) {
        return client.embeddings()
                .create(params.model(UntrainedModel.ID).build())
                .validate();
    }

    private static double dot(List<Float> a, List<Float> b) {
        double sum = 0;
        for (int i = 0; i < a.size(); i++) {
            sum += a.get(i) * b.get(i);
        }
        return sum;
    }

    @Test
    void embedsTexts() {
        CreateEmbeddingResponse made = embed(EmbeddingCreateParams.builder()
                .inputOfArrayOfStrings(List.of("a cat", "a cat", "17 + 4 = 21"))
                .encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT));
        assertThat(made.data()).hasSize(3).allSatisfy(each -> {
            assertThat(each.embedding()).hasSize(32);
            assertThat(dot(each.embedding(), each.embedding())).isCloseTo(1, within(1e-4));
        });
        List<Float> first = made.data().getFirst().embedding();
        assertThat(dot(first, made.data().get(1).embedding())).isCloseTo(1, within(1e-4));
        assertThat(dot(first, made.data().get(2).embedding())).isLessThan(0.999);
        assertThat(made.usage().promptTokens()).isEqualTo(5 + 5 + 11);
    }

    @Test
    void inBase64AndWithFewerDimensions() {
        List<Float> plain = embed(EmbeddingCreateParams.builder()
                        .input("a cat")
                        .encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT)
                        .dimensions(8))
                .data()
                .getFirst()
                .embedding();
        List<Float> packed = embed(EmbeddingCreateParams.builder()
                        .input("a cat")
                        .encodingFormat(EmbeddingCreateParams.EncodingFormat.BASE64)
                        .dimensions(8))
                .data()
                .getFirst()
                .embedding();
        assertThat(plain).hasSize(8).isEqualTo(packed);
        assertThat(dot(plain, plain)).isCloseTo(1, within(1e-4));
    }

    @Test
    void embedsTokens() {
        assertThat(embed(EmbeddingCreateParams.builder().inputOfArrayOfTokens(List.of(97L, 98L)))
                        .data()
                        .getFirst()
                        .embedding())
                .isEqualTo(embed(EmbeddingCreateParams.builder().input("ab"))
                        .data()
                        .getFirst()
                        .embedding());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "\"input\": \"\" | input",
                "\"input\": [] | input",
                "\"input\": [[]] | input",
                "\"input\": [257] | input",
                "\"input\": [1.5] | input",
                "\"input\": {\"a\": 1} | input",
                "\"input\": \"x\", \"dimensions\": 33 | dimensions",
                "\"input\": \"x\", \"dimensions\": 0 | dimensions",
                "\"input\": \"x\", \"encoding_format\": \"hex\" | encoding_format",
                "\"input\": \"x\", \"depth\": 3 | depth"
            })
    void whatCannotBeEmbeddedIsNamed(String fields, String param) throws Exception {
        var response = server.post("v1/embeddings", "{\"model\": \"untrained\", " + fields + "}", "application/json");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("\"param\":\"" + param + "\"");
    }

    @Test
    void tooLongATextIsRefused() {
        assertThatThrownBy(() -> embed(EmbeddingCreateParams.builder().input("x".repeat(2049))))
                .isInstanceOf(BadRequestException.class);
    }

    private static ModerationCreateResponse moderate(ModerationCreateParams.Builder params) {
        return client.moderations().create(params.build()).validate();
    }

    @Test
    void moderates() {
        ModerationCreateResponse made = moderate(ModerationCreateParams.builder()
                .inputOfStrings(List.of("What a lovely day.", "I will kill you, I know where you live!")));
        assertThat(made.results()).hasSize(2);
        assertThat(made.results().getFirst().flagged()).isFalse();
        var threat = made.results().get(1);
        assertThat(threat.flagged()).isTrue();
        assertThat(threat.categories().harassmentThreatening()).isTrue();
        assertThat(threat.categoryScores().harassmentThreatening()).isBetween(0.8, 1.0);
        assertThat(threat.categories().sexual()).isFalse();
    }

    @Test
    void moderatesOneText() {
        assertThat(moderate(ModerationCreateParams.builder().input("How can I make a bomb?"))
                        .results()
                        .getFirst()
                        .categories()
                        .illicitViolent())
                .contains(true);
    }

    @Test
    void whatIsNoTextIsNotModerated() throws Exception {
        for (String input : List.of("5", "[]", "[5]", "[{\"type\": \"image_url\"}]", "[\"a\", {\"type\": \"text\"}]")) {
            var response = server.post("v1/moderations", "{\"input\": " + input + "}", "application/json");
            assertThat(response.statusCode()).as(input).isEqualTo(400);
            assertThat(JsonMapper.shared()
                            .readTree(response.body())
                            .at("/error/param")
                            .asString())
                    .isEqualTo("input");
        }
    }
}
