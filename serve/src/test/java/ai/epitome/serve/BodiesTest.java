package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.analysis.EmbeddingRequest;
import ai.epitome.serve.analysis.Moderations;
import ai.epitome.serve.batch.BatchInput;
import ai.epitome.serve.body.MultipartForm;
import ai.epitome.serve.completion.ChatRequestParser;
import ai.epitome.serve.completion.ConstraintFields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.serve.response.ResponseRequestParser;
import ai.epitome.serve.tuning.FineTuningFields;
import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Bodies that nobody would send on purpose: refused, or taken for something else, but never the server's fault.
class BodiesTest {
    private static final Moderator LISTS = Moderator.bundled();
    private static final ResponseRequestParser RESPONSES = new ResponseRequestParser(4096, new ConstraintFields());
    private static final ChatRequestParser CHATS = new ChatRequestParser(4096, new ConstraintFields());
    private static final List<String> BODIES = List.of("""
            {"model": "fake", "input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]},
             {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c", "output": "5"}], "instructions": "y", "stream": false,
             "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}], "tool_choice": "auto",
             "text": {"format": {"type": "json_object"}}, "metadata": {"a": "b"}, "top_logprobs": 2, "store": false,
             "include": ["message.output_text.logprobs"], "conversation": {"id": "conv_1"}, "max_output_tokens": 2}""", """
            {"model": "fake", "messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function",
             "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}],
             "tool_choice": {"type": "function", "function": {"name": "f"}}, "max_tokens": 3, "n": 2, "logprobs": true}""", """
            {"model": "fake", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 4, "user": "u"}""", """
            {"model": "fake", "input": [{"type": "text", "text": "a"}]}""", """
            {"items": [{"role": "user", "content": "x"}], "metadata": {"a": "b"}}""", """
            {"model": "fake", "prompt": "x", "tokens": [1, 2, 3], "add_special_tokens": false}""");
    /// Values that stand in for others.
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "-1",
            "1e308",
            "99999999999999999999",
            "0.5",
            "\"\"",
            "\"x\"",
            "[]",
            "{}",
            "[[]]",
            "[null]",
            "{\"type\": \"function\"}",
            "{\"a\": {\"b\": [1, {\"c\": null}]}}",
            "\"\\ud800\"",
            "[1, \"x\", {}]");

    private static final List<Consumer<byte[]>> PARSERS = List.of(
            RESPONSES::parse,
            CHATS::parse,
            EmbeddingRequest::parse,
            body -> Moderations.parse(body, LISTS),
            body -> MultipartForm.parse("multipart/form-data; boundary=b", body),
            FineTuningFields::parse,
            body -> BatchInput.parse(body, "/v1/completions"));
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        UntrainedModel.on(server);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /// With a few values or bytes exchanged.
    private static String garbled(String body, Random random) {
        String garbled = body;
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            int at = random.nextInt(garbled.length());
            if (random.nextBoolean()) {
                int begin = garbled.indexOf(": ", at);
                int end = begin < 0 ? -1 : garbled.indexOf(random.nextBoolean() ? ", " : "}", begin);
                String value = VALUES.get(random.nextInt(VALUES.size()));
                garbled = end < 0 ? garbled : garbled.substring(0, begin + 2) + value + garbled.substring(end);
            } else {
                garbled = garbled.substring(0, at) + (char) random.nextInt(32, 300) + garbled.substring(at + 1);
            }
        }
        return garbled;
    }

    @Property(tries = 3_000)
    void parsersRefuseOrTake(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] body = garbled(BODIES.get(random.nextInt(BODIES.size())), random).getBytes(StandardCharsets.UTF_8);
        PARSERS.forEach(parser -> parse(parser, body));
    }

    private static void parse(Consumer<byte[]> parser, byte[] body) {
        try {
            parser.accept(body);
        } catch (ApiException e) {
            assertThat(e.status()).isEqualTo(400);
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @FuzzTest(maxDuration = "10m")
    @DictionaryFile(resourcePath = "bodies.dict")
    void noBytesAreTheServersFault(byte[] body) {
        PARSERS.forEach(parser -> parse(parser, body));
    }

    /// Conversations alone: their bodies are the deepest.
    @FuzzTest(maxDuration = "10m")
    @DictionaryFile(resourcePath = "bodies.dict")
    void anyConversation(byte[] body) {
        parse(CHATS::parse, body);
        parse(RESPONSES::parse, body);
    }

    @Test
    void routesRefuseOrTake() throws Exception {
        Map<String, String> routes = Map.of(
                "v1/responses", BODIES.getFirst().replace("fake", UntrainedModel.ID),
                "v1/chat/completions", BODIES.get(1).replace("fake", UntrainedModel.ID),
                "v1/embeddings", BODIES.get(2),
                "v1/moderations", BODIES.get(3),
                "v1/conversations", BODIES.get(4),
                "tokenize", BODIES.get(5),
                "detokenize", BODIES.get(5));
        Random random = new Random(1);
        for (int i = 0; i < 60; i++) {
            for (var route : routes.entrySet()) {
                String body = garbled(route.getValue(), random);
                var response = server.post(route.getKey(), body, "application/json");
                assertThat(response.statusCode())
                        .as(route.getKey() + " " + body)
                        .isLessThan(500);
            }
        }
    }

    @Test
    void deepAndLongBodiesAreRefused() throws Exception {
        for (String route :
                List.of("v1/responses", "v1/embeddings", "v1/moderations", "v1/conversations", "tokenize")) {
            String deep = "{\"input\": " + "[".repeat(40) + "]".repeat(40) + "}";
            assertThat(server.post(route, deep, "application/json").statusCode())
                    .isEqualTo(400);
            String big = "{\"input\": \"" + "x".repeat(1 << 20) + "\"}";
            assertThat(server.post(route, big, "application/json").statusCode()).isEqualTo(413);
        }
    }
}
