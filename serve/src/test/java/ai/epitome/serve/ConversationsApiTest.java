package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.moderation.ModerationPolicy;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/api/conversations`, as a page uses it.
class ConversationsApiTest {
    private static final String MODEL = "talker";
    private static final JsonMapper JSON = new JsonMapper();

    private Accounts accounts;
    private TestServer server;
    private TalkingModel model;

    @BeforeEach
    void start() {
        accounts = new Accounts(Database.inMemory());
        server = TestServer.start(ServerConfig.local(0), accounts);
        server.models.remove(TestServer.MODEL);
        serve(400, "Hello there.", "Once more.");
    }

    @AfterEach
    void stop() {
        server.close();
        accounts.close();
    }

    private void serve(int context, String... answers) {
        model = new TalkingModel(MODEL, context, List.of(answers));
        server.models.put(model, TestServer.CREATED, Optional.of(TalkingModel.format()));
    }

    private static JsonNode json(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        return JSON.readTree(response.body());
    }

    private static String create(TestServer who, String body) throws Exception {
        return json(who.post("api/conversations/", body, "application/json"), 201)
                .path("id")
                .stringValue();
    }

    private record Event(String name, JsonNode value) {}

    private static List<Event> answer(TestServer who, String path, String body) throws Exception {
        HttpResponse<String> response = who.post("api/conversations/" + path, body, "application/json");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        List<Event> events = new ArrayList<>();
        for (String block : response.body().split("\n\n")) {
            String[] lines = block.split("\n");
            events.add(new Event(lines[0].substring(7), JSON.readTree(lines[1].substring(6))));
        }
        return events;
    }

    private static JsonNode get(TestServer who, String id) throws Exception {
        return json(who.get("api/conversations/" + id), 200);
    }

    @Test
    void anAnswerIsStreamedStoredAndCounted() throws Exception {
        accounts.prices().set(MODEL, new Price(1_000_000, 1_000_000, 2_000_000));
        String id = create(server, "{\"system\": \"Be brief.\", \"temperature\": 0}");
        List<Event> events = answer(server, id + "/messages", "{\"content\": \"  Hi\\nthere\"}");
        assertThat(events).extracting(Event::name).startsWith("stored", "delta").endsWith("delta", "done");
        JsonNode stored = events.getFirst().value();
        assertThat(stored.path("messages")).hasSize(2);
        assertThat(stored.path("conversation").path("title").stringValue()).isEqualTo("Hi");
        JsonNode done = events.getLast().value();
        assertThat(done.path("content").stringValue()).isEqualTo("Hello there.");
        assertThat(done.path("state").stringValue()).isEqualTo("done");
        assertThat(model.prompt).contains("Be brief.").contains("Hi\nthere");
        assertThat(get(server, id).path("messages").path(1)).isEqualTo(done);

        UsageRow row =
                accounts.usage().rows(UsageStore.month(Instant.now()), 10).getFirst();
        assertThat(row.route()).contains("/messages");
        assertThat(row.completionTokens())
                .isEqualTo(done.path("completion_tokens").longValue());
        assertThat(row.costPico()).isEqualTo(done.path("cost_pico").longValue());
        assertThat(row.costPico()).isEqualTo((row.promptTokens() + 2 * row.completionTokens()) * 1_000_000);
    }

    @Test
    void thePageIsHeldToTheKeysModerationPolicyToo() throws Exception {
        serve(4096, "All is well here, my friend. And now I will kill you. Goodbye.");
        TestServer holder = server.withKey(accounts.keys()
                .create(
                        "moderated",
                        EnumSet.of(Scope.INFERENCE),
                        KeyLimits.NONE,
                        Optional.of(ModerationPolicy.parse("refuse")),
                        Instant.now(),
                        Optional.empty())
                .secret());
        String id = create(holder, "{}");
        HttpResponse<String> refused = holder.post(
                "api/conversations/" + id + "/messages", "{\"content\": \"I will kill you\"}", "application/json");
        assertThat(json(refused, 400).path("error").path("code").stringValue()).isEqualTo("content_filter");
        assertThat(get(holder, id).path("messages")).isEmpty(); // it stays with its writer
        List<Event> events = answer(holder, id + "/messages", "{\"content\": \"How are you?\"}");
        JsonNode done = events.getLast().value();
        assertThat(done.path("state").stringValue()).isEqualTo("filtered");
        assertThat(done.path("content").stringValue()).isEqualTo("All is well here, my friend.");
        assertThat(get(holder, id).path("messages").path(1)).isEqualTo(done);
    }

    @Test
    void presetsBelongToTheirOwner() throws Exception {
        TestServer other = server.withKey(accounts.keys()
                .create("other", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, Instant.now(), Optional.empty())
                .secret());
        String pirate = """
                {"name": " Pirate ", "mode": "chat", "system": "Arr", "temperature": 1.5, "top_p": 0.5, "max_tokens": 9}""";
        JsonNode made = json(server.post("api/presets/", pirate, "application/json"), 201);
        assertThat(made.path("name").stringValue()).isEqualTo("Pirate");
        String id = made.path("id").stringValue();
        assertThat(json(server.get("api/presets/"), 200).path("data").path(0)).isEqualTo(made);
        assertThat(json(other.get("api/presets/"), 200).path("data")).isEmpty();
        assertThat(server.post("api/presets/", pirate, "application/json").statusCode())
                .isEqualTo(409);
        assertThat(other.post("api/presets/", pirate, "application/json").statusCode())
                .isEqualTo(201);

        assertThat(other.send("PATCH", "api/presets/" + id, "{\"name\": \"Mine\"}")
                        .statusCode())
                .isEqualTo(404);
        JsonNode renamed = json(server.send("PATCH", "api/presets/" + id, "{\"name\": \"Captain\"}"), 200);
        assertThat(renamed.path("name").stringValue()).isEqualTo("Captain");
        assertThat(renamed.path("system").stringValue()).isEqualTo("Arr");
        assertThat(server.send("PATCH", "api/presets/" + id, "{\"name\": \" \"}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(server.send("PATCH", "api/presets/" + id, "{\"temperature\": 3}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(other.send("DELETE", "api/presets/" + id, "").statusCode()).isEqualTo(404);
        assertThat(server.send("DELETE", "api/presets/" + id, "").statusCode()).isEqualTo(200);
        assertThat(json(server.get("api/presets/"), 200).path("data")).isEmpty();
        assertThat(server.send("DELETE", "api/presets/" + id, "").statusCode()).isEqualTo(404);
    }

    @Test
    void filesAreReadBeforeTheQuestion() throws Exception {
        String id = create(server, "{}");
        answer(server, id + "/messages", """
                {"content": "What is it?", "attachments": [{"name": "a.md", "text": "```x```"}]}""");
        assertThat(model.prompt).contains("a.md:\n````\n```x```\n````\n\nWhat is it?");
        assertThat(get(server, id)
                        .path("messages")
                        .path(0)
                        .path("attachments")
                        .path(0)
                        .path("name")
                        .stringValue())
                .isEqualTo("a.md");
    }

    @Test
    void whatNoLongerFitsIsForgottenFromTheBeginning() throws Exception {
        serve(400, "answer ".repeat(8));
        String id = create(server, "{\"system\": \"Rules.\", \"max_tokens\": 50}");
        int parent = 0;
        List<Event> events = List.of();
        for (int i = 0; i < 8; i++) {
            events = answer(
                    server, id + "/messages", "{\"content\": \"question " + i + "\", \"parent\": " + parent + "}");
            parent = events.getLast().value().path("number").intValue();
        }
        int forgotten = events.getFirst().value().path("forgotten").intValue();
        assertThat(forgotten).isBetween(2, 14);
        assertThat(forgotten % 2).isZero();
        assertThat(model.prompt)
                .contains("Rules.", "question 7", "question " + forgotten / 2)
                .doesNotContain("question " + (forgotten / 2 - 1));
        assertThat(model.prompt.length()).isBetween(200, 350);
        HttpResponse<String> tooLong = server.post(
                "api/conversations/" + id + "/messages",
                "{\"content\": \"" + "x".repeat(500) + "\"}",
                "application/json");
        assertThat(json(tooLong, 400).path("error").path("code").stringValue()).isEqualTo("context_length_exceeded");
        assertThat(get(server, id).path("messages")).hasSize(16); // what cannot be answered is not stored
    }

    @Test
    void aKeySeesItsOwnAndIsHeldToItsLimits() throws Exception {
        TestServer ann = server.withKey(key("ann", KeyLimits.NONE));
        TestServer bob = server.withKey(
                key("bob", new KeyLimits(OptionalLong.of(2), OptionalLong.empty(), OptionalLong.empty())));
        String id = create(ann, "{}");
        for (TestServer other : List.of(bob, server)) {
            assertThat(other.get("api/conversations/" + id).statusCode()).isEqualTo(404);
            assertThat(json(other.get("api/conversations/"), 200).path("data")).isEmpty();
        }
        String his = create(bob, "{}");
        answer(bob, his + "/messages", "{\"content\": \"one\"}");
        answer(bob, his + "/answers", "{\"parent\": 1}");
        assertThat(bob.post("api/conversations/" + his + "/answers", "{\"parent\": 1}", "application/json")
                        .statusCode())
                .isEqualTo(429);
        assertThat(bob.get("api/conversations/" + his).statusCode()).isEqualTo(200);
    }

    private String key(String name, KeyLimits limits) {
        return accounts.keys()
                .create(name, EnumSet.of(Scope.INFERENCE), limits, Instant.now(), Optional.empty())
                .secret();
    }

    @Test
    void aFileBecomesTheSameConversation() throws Exception {
        String id = create(server, "{\"folder\": \"F\", \"system\": \"S\"}");
        answer(server, id + "/messages", "{\"content\": \"one\"}");
        answer(server, id + "/answers", "{\"parent\": 1}");
        HttpResponse<String> file = server.get("api/conversations/" + id + "/export");
        assertThat(file.headers().firstValue("content-disposition").orElseThrow())
                .contains(id + ".json");
        JsonNode copy = json(server.post("api/conversations/import", file.body(), "application/json"), 201);
        assertThat(copy.path("id").stringValue()).isNotEqualTo(id);
        ObjectNode again = (ObjectNode) get(server, copy.path("id").stringValue());
        ObjectNode first = (ObjectNode) get(server, id);
        List.of("id", "created_at", "updated_at").forEach(name -> {
            again.remove(name);
            first.remove(name);
        });
        assertThat(again).isEqualTo(first);

        String markdown = server.get("api/conversations/" + id + "/export?format=markdown")
                .body();
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("markdown", markdown);
        JsonNode read = json(server.post("api/conversations/import", body.toString(), "application/json"), 201);
        assertThat(read.path("title").stringValue()).isEqualTo("one");
        assertThat(read.path("system").stringValue()).isEqualTo("S");
        assertThat(get(server, read.path("id").stringValue())
                        .path("messages")
                        .path(1)
                        .path("content")
                        .stringValue())
                .isEqualTo("Once more.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | [] | 400",
                "'' | {\"temperature\": 3} | 400",
                "'' | {\"max_tokens\": 1e9} | 400",
                "'' | {\"mode\": \"song\"} | 400",
                "'' | {\"unknown\": 1} | 400",
                "ID/messages | {} | 400",
                "ID/messages | {\"content\": \" \"} | 400",
                "ID/messages | {\"content\": \"x\", \"parent\": 9} | 404",
                "ID/messages | {\"content\": \"x\", \"attachments\": [1]} | 400",
                "ID/messages | {\"content\": \"x\", \"attachments\": [{\"name\": 1}]} | 400",
                "ID/answers | {\"parent\": 0} | 400",
                "ID/answers | {\"parent\": -1} | 400",
                "none/messages | {\"content\": \"x\"} | 404",
                "import | {} | 400",
                "import | {\"conversation\": {}, \"messages\": [{\"number\": 2}]} | 400",
                "import | {\"conversation\": {}, \"messages\": [[[[]]]]} | 400"
            })
    void whatIsWrongIsSaidSo(String path, String body, int status) throws Exception {
        String id = create(server, "{}");
        HttpResponse<String> response =
                server.post("api/conversations/" + path.replace("ID", id), body, "application/json");
        assertThat(json(response, status).path("error").path("message").stringValue())
                .isNotBlank();
        assertThat(get(server, id).path("messages")).isEmpty();
    }
}
