package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `/tokenize` and `/detokenize` as vLLM has them.
class TokenRoutesTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.TOKENS);
        UntrainedModel.on(server);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode post(String path, String body) throws Exception {
        var response = server.post(path, body, "application/json");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(response.body());
    }

    @Test
    void textToTokensAndBack() throws Exception {
        JsonNode answer = post("tokenize", "{\"model\": \"fake\", \"prompt\": \"Grüße\", \"return_token_strs\": true}");
        assertThat(answer.path("count").intValue()).isEqualTo(7);
        assertThat(answer.path("max_model_len").intValue()).isEqualTo(256);
        assertThat(answer.at("/token_strs/2").stringValue()).isEqualTo("bytes:\\xc3");
        String tokens = answer.path("tokens").toString();
        assertThat(post("detokenize", "{\"model\": \"fake\", \"tokens\": " + tokens + "}")
                        .path("prompt")
                        .stringValue())
                .isEqualTo("Grüße");
        assertThat(post("tokenize", "{\"model\": \"fake\", \"prompt\": \"a\", \"add_special_tokens\": false}")
                        .toString())
                .isEqualTo("{\"count\":1,\"max_model_len\":256,\"tokens\":[97],\"token_strs\":null}");
    }

    @Test
    void conversationsAsTheModelReadsThem() throws Exception {
        JsonNode answer = post(
                "tokenize", "{\"model\": \"untrained\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}");
        assertThat(answer.path("count").intValue()).isEqualTo("User: Hi\nAssistant:".length());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "tokenize | {\"model\": \"fake\"} | prompt",
                "tokenize | {\"model\": \"fake\", \"prompt\": 5} | prompt",
                "tokenize | {\"model\": \"fake\", \"prompt\": \"x\", \"messages\": []} | prompt",
                "tokenize | {\"model\": \"fake\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]} | model",
                "detokenize | {\"model\": \"fake\", \"tokens\": 5} | tokens",
                "detokenize | {\"model\": \"fake\", \"tokens\": [257]} | tokens",
                "detokenize | {\"model\": \"fake\", \"tokens\": [-1]} | tokens",
                "detokenize | {\"model\": \"fake\", \"tokens\": [1.5]} | tokens",
                "detokenize | {\"model\": \"fake\", \"prompt\": \"x\"} | prompt"
            })
    void whatIsWrongIsNamed(String path, String body, String param) throws Exception {
        var response = server.post(path, body, "application/json");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("\"param\":\"" + param + "\"");
    }

    @Test
    void unknownModelsAreNotFound() throws Exception {
        assertThat(server.post("tokenize", "{\"model\": \"no\", \"prompt\": \"x\"}", "application/json")
                        .statusCode())
                .isEqualTo(404);
    }
}
