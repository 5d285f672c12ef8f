package ai.epitome.serve.conversation;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.http.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Whatever a body says, it is within bounds or refused.
class ConversationFieldsTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final ConversationFields FIELDS = new ConversationFields(4096);
    private static final List<String> NAMES = List.of(
            "title",
            "folder",
            "mode",
            "model",
            "system",
            "temperature",
            "top_p",
            "max_tokens",
            "leaf",
            "content",
            "parent",
            "attachments",
            "name",
            "text",
            "number",
            "role",
            "state",
            "rating",
            "note",
            "created_at",
            "cost_pico",
            "chosen",
            "rejected",
            "messages",
            "conversation");
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "0",
            "1",
            "-1",
            "2",
            "1e400",
            "-1e9",
            "99999999999999999999",
            "0.5",
            "\"\"",
            "\"chat\"",
            "\"user\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"" + "x".repeat(2_001) + "\"",
            "[]",
            "{}",
            "[[]]",
            "[{}]");

    @Provide
    Arbitrary<String> bodies() {
        return objects(values(values(Arbitraries.of(VALUES))));
    }

    /// Values, and what is made of them.
    private static Arbitrary<String> values(Arbitrary<String> smaller) {
        Arbitrary<String> lists = smaller.list().ofMaxSize(3).map(list -> "[" + String.join(",", list) + "]");
        return Arbitraries.oneOf(smaller, smaller, objects(smaller), lists);
    }

    private static Arbitrary<String> objects(Arbitrary<String> values) {
        Arbitrary<String> field =
                Combinators.combine(Arbitraries.of(NAMES), values).as((name, value) -> "\"" + name + "\":" + value);
        return field.list().ofMaxSize(5).map(list -> "{" + String.join(",", list) + "}");
    }

    @Property(tries = 1000)
    void nothingPassesThatIsOutOfBounds(@ForAll("bodies") String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        StoredConversation plain = new StoredConversation("", "", "", Settings.DEFAULT, 0, 0, 0);
        attempt(() -> {
            Settings settings = FIELDS.change(bytes, plain).settings();
            assertThat(settings.maxTokens()).isBetween(1, 4096);
            assertThat(settings.temperature()).isBetween(0.0, 2.0);
            assertThat(settings.system().length()).isLessThanOrEqualTo(50_000);
        });
        attempt(() -> {
            ConversationFields.Said said = FIELDS.said(bytes);
            assertThat(said.parent()).isNotNegative();
            assertThat(said.content().length()).isLessThanOrEqualTo(ConversationFields.MOST_CONTENT);
        });
        attempt(() -> assertThat(FIELDS.answered(bytes).parent()).isNotNegative());
        attempt(() -> assertThat(FIELDS.rating(bytes).rating()).isBetween(-1, 1));
        attempt(() -> FIELDS.choice(bytes));
        attempt(() -> {
            JsonNode json = JSON.readTree(body);
            ConversationFields.File file = FIELDS.file(json.path("conversation"), json.path("messages"));
            assertThat(file.messages()).allMatch(message -> message.parent() < message.number());
        });
    }

    private static void attempt(Runnable reading) {
        try {
            reading.run();
        } catch (ApiException e) {
            assertThat(e.status()).isBetween(400, 499);
        } catch (tools.jackson.core.JacksonException e) {
            assertThat(e).as("only the test's own reading").hasNoCause();
        }
    }
}
