package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.conversations.Conversation;
import com.openai.models.conversations.ConversationCreateParams;
import com.openai.models.conversations.ConversationUpdateParams;
import com.openai.models.conversations.items.ConversationItem;
import com.openai.models.conversations.items.ItemCreateParams;
import com.openai.models.conversations.items.ItemDeleteParams;
import com.openai.models.conversations.items.ItemListParams;
import com.openai.models.conversations.items.ItemRetrieveParams;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseIncludable;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.ToolChoiceOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// OpenAI's own Java client at `/v1/responses` and `/v1/conversations`, every answer validated against its schema.
class ResponsesApiTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.RESPONSES);
        UntrainedModel.on(server);
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ResponseCreateParams.Builder asked(String input) {
        return ResponseCreateParams.builder()
                .model(UntrainedModel.ID)
                .input(input)
                .maxOutputTokens(12)
                .temperature(0.0);
    }

    private static Response create(ResponseCreateParams.Builder params) {
        return client.responses().create(params.build()).validate();
    }

    private static String text(Response response) {
        return response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .map(part -> part.asOutputText().text())
                .collect(Collectors.joining());
    }

    @Test
    void answersAndIsKept() {
        Response made = create(asked("Hi").instructions("Be brief."));
        assertThat(made.id()).startsWith("resp_");
        assertThat(made.status()).contains(ResponseStatus.INCOMPLETE);
        assertThat(made.incompleteDetails().orElseThrow().reason())
                .contains(Response.IncompleteDetails.Reason.MAX_OUTPUT_TOKENS);
        var usage = made.usage().orElseThrow();
        assertThat(usage.inputTokens()).isEqualTo("Be brief.\n\nUser: Hi\nAssistant:".length());
        assertThat(usage.outputTokens()).isEqualTo(12);
        assertThat(text(made)).isNotEmpty();
        Response found = client.responses().retrieve(made.id()).validate();
        assertThat(found).isEqualTo(made);
        var items = client.responses().inputItems().list(made.id());
        assertThat(items.data()).hasSize(1);
        items.data().forEach(item -> item.validate());
        client.responses().delete(made.id());
        assertThatThrownBy(() -> client.responses().retrieve(made.id())).isInstanceOf(NotFoundException.class);
    }

    @Test
    void goesOnFromTheResponseBefore() {
        Response first = create(asked("One"));
        Response second = create(asked("Two").previousResponseId(first.id()));
        long alone = create(asked("Two")).usage().orElseThrow().inputTokens();
        assertThat(second.usage().orElseThrow().inputTokens())
                .isGreaterThan(alone + text(first).length());
        assertThat(second.previousResponseId()).contains(first.id());
        Response third = create(asked("Three").previousResponseId(second.id()));
        assertThat(third.usage().orElseThrow().inputTokens())
                .isGreaterThan(second.usage().orElseThrow().inputTokens());
        client.responses().delete(first.id());
        assertThatThrownBy(() -> create(asked("Four").previousResponseId(third.id())))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.code()).contains("previous_response_not_found"));
    }

    @Test
    void whatIsNotToBeKeptIsNot() {
        Response made = create(asked("Hi").store(false));
        assertThatThrownBy(() -> client.responses().retrieve(made.id())).isInstanceOf(NotFoundException.class);
    }

    private static List<ResponseStreamEvent> stream(ResponseCreateParams.Builder params) {
        try (StreamResponse<ResponseStreamEvent> response = client.responses().createStreaming(params.build())) {
            return response.stream().map(ResponseStreamEvent::validate).toList();
        }
    }

    private static List<String> types(List<ResponseStreamEvent> events) {
        return events.stream()
                .map(event -> JsonMapper.shared()
                        .readTree(event._json()
                                .map(json -> json.convert(Map.class).get("type"))
                                .map(type -> "\"" + type + "\"")
                                .orElse("null"))
                        .asString())
                .toList();
    }

    @Test
    void streamsInTheOrderOfOpenAi() {
        List<ResponseStreamEvent> events = stream(asked("Hi"));
        assertThat(types(events).stream().distinct())
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.incomplete");
        String text = events.stream()
                .flatMap(event -> event.outputTextDelta().stream())
                .map(event -> event.delta())
                .collect(Collectors.joining());
        Response made = events.getLast().asIncomplete().response();
        assertThat(text(made)).isEqualTo(text);
        assertThat(text(client.responses().retrieve(made.id()).validate())).isEqualTo(text);
    }

    @Test
    void eventsAreNumberedAndNamed() throws Exception {
        String body = server.post(
                        "v1/responses",
                        "{\"model\": \"untrained\", \"input\": \"Hi\", \"stream\": true, \"max_output_tokens\": 4}",
                        "application/json")
                .body();
        String[] events = body.strip().split("\n\n");
        for (int i = 0; i < events.length; i++) {
            JsonNode data = JsonMapper.shared().readTree(events[i].substring(events[i].indexOf("data: ") + 6));
            assertThat(data.path("sequence_number").intValue()).isEqualTo(i);
            assertThat(events[i]).startsWith("event: " + data.path("type").stringValue() + "\ndata: ");
        }
        assertThat(body).doesNotContain("[DONE]");
    }

    private static ResponseCreateParams.Builder withTool(ResponseCreateParams.Builder params) {
        return params.maxOutputTokens(400)
                .addTool(FunctionTool.builder()
                        .name("add")
                        .strict(true)
                        .parameters(FunctionTool.Parameters.builder()
                                .putAdditionalProperty("type", JsonValue.from("object"))
                                .putAdditionalProperty(
                                        "properties",
                                        JsonValue.from(
                                                Map.of("n", Map.of("type", "integer", "minimum", 0, "maximum", 99))))
                                .putAdditionalProperty("required", JsonValue.from(List.of("n")))
                                .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                                .build())
                        .build())
                .toolChoice(ToolChoiceOptions.REQUIRED)
                .parallelToolCalls(false);
    }

    @Test
    void callsFunctionsAndTakesTheirResults() throws Exception {
        Response made = create(withTool(asked("Add.")));
        assertThat(made.status()).contains(ResponseStatus.COMPLETED);
        var call = made.output().getFirst().asFunctionCall();
        assertThat(JsonMapper.shared().readTree(call.arguments()).path("n").intValue())
                .isBetween(0, 99);
        String next = """
                {"model": "untrained", "previous_response_id": "%s", "max_output_tokens": 3,
                 "input": [{"type": "function_call_output", "call_id": "%s", "output": "5"}]}""".formatted(made.id(), call.callId());
        assertThat(server.post("v1/responses", next, "application/json").statusCode())
                .isEqualTo(200);
        List<ResponseStreamEvent> events = stream(withTool(asked("Add.")));
        assertThat(types(events))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed");
    }

    @Test
    void tellsProbabilities() {
        Response made = create(asked("Hi")
                .addInclude(ResponseIncludable.MESSAGE_OUTPUT_TEXT_LOGPROBS)
                .topLogprobs(2));
        var part = made.output().getFirst().asMessage().content().getFirst().asOutputText();
        assertThat(part.logprobs().orElseThrow()).hasSize(12);
        assertThat(part.logprobs().orElseThrow().getFirst().topLogprobs()).hasSize(2);
    }

    @Test
    void textOfASchema() throws Exception {
        String body = """
                {"model": "untrained", "input": "x", "max_output_tokens": 200, "text": {"format": {"type": "json_schema",
                 "name": "n", "strict": true, "schema": {"type": "object", "properties": {"n": {"enum": [1, 2]}},
                 "required": ["n"], "additionalProperties": false}}}}""";
        JsonNode made = JsonMapper.shared()
                .readTree(server.post("v1/responses", body, "application/json").body());
        JsonNode text =
                JsonMapper.shared().readTree(made.at("/output/0/content/0/text").asString());
        assertThat(text.path("n").intValue()).isBetween(1, 2);
    }

    @Test
    void inTheBackground() throws Exception {
        Response queued = create(asked("Hi").background(true));
        assertThat(queued.status()).contains(ResponseStatus.QUEUED);
        Response made = queued;
        for (int i = 0; i < 200 && made.output().isEmpty(); i++) {
            Thread.sleep(50);
            made = client.responses().retrieve(queued.id()).validate();
        }
        assertThat(text(made)).isNotEmpty();
        assertThat(client.responses().cancel(made.id()).validate()).isEqualTo(made); // it is over
        assertThatThrownBy(() -> client.responses().cancel(create(asked("Hi")).id()))
                .isInstanceOf(BadRequestException.class);
    }

    @Test
    void whatIsMadeInTheBackgroundCanBeCancelled() throws Exception {
        try (TestServer slow = TestServer.start(5)) {
            slow.models.put(slow.model, TestServer.CREATED, Optional.of(UntrainedModel.format()));
            OpenAIClient own = slow.openai();
            Response queued = own.responses()
                    .create(ResponseCreateParams.builder()
                            .model(TestServer.MODEL)
                            .input("Hi")
                            .background(true)
                            .build());
            while (slow.model.running.get() == 0) {
                Thread.sleep(5);
            }
            assertThat(own.responses().cancel(queued.id()).validate().status()).contains(ResponseStatus.CANCELLED);
            for (int i = 0; i < 200 && slow.model.running.get() > 0; i++) {
                Thread.sleep(10);
            }
            assertThat(slow.model.running.get()).isZero();
            assertThat(own.responses().retrieve(queued.id()).status()).contains(ResponseStatus.CANCELLED);
            own.close();
        }
    }

    @Test
    void conversationsGrowWithTheirResponses() {
        Conversation made = client.conversations()
                .create(ConversationCreateParams.builder()
                        .metadata(ConversationCreateParams.Metadata.builder()
                                .putAdditionalProperty("topic", JsonValue.from("x"))
                                .build())
                        .addItem(EasyInputMessage.builder()
                                .role(EasyInputMessage.Role.USER)
                                .content("One")
                                .build())
                        .build())
                .validate();
        assertThat(made.id()).startsWith("conv_");
        Response response = create(asked("Two").conversation(made.id()));
        assertThat(response.conversation().orElseThrow().id()).isEqualTo(made.id());
        List<ConversationItem> items = items(made.id());
        assertThat(items).hasSize(3);
        assertThat(items.get(1).asMessage().content().getFirst().asInputText().text())
                .isEqualTo("Two");
        assertThat(items.get(2).asMessage().content().getFirst().asOutputText().text())
                .isEqualTo(text(response));
        Response next = create(asked("Three").conversation(made.id()));
        assertThat(next.usage().orElseThrow().inputTokens())
                .isGreaterThan(response.usage().orElseThrow().inputTokens());
        assertThat(client.conversations().retrieve(made.id()).validate()).isEqualTo(made);
        Conversation updated = client.conversations()
                .update(
                        made.id(),
                        ConversationUpdateParams.builder()
                                .metadata(ConversationUpdateParams.Metadata.builder()
                                        .putAdditionalProperty("topic", JsonValue.from("y"))
                                        .build())
                                .build())
                .validate();
        assertThat(updated._metadata().toString()).contains("y");
        assertThat(client.conversations().delete(made.id()).validate().deleted())
                .isTrue();
        assertThatThrownBy(() -> client.conversations().retrieve(made.id())).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> create(asked("x").conversation(made.id()))).isInstanceOf(NotFoundException.class);
    }

    private static List<ConversationItem> items(String id) {
        return client
                .conversations()
                .items()
                .list(
                        id,
                        ItemListParams.builder()
                                .order(ItemListParams.Order.ASC)
                                .limit(2)
                                .build())
                .autoPager()
                .stream()
                .map(ConversationItem::validate)
                .toList();
    }

    @Test
    void itemsOfConversations() {
        String id = client.conversations().create().validate().id();
        assertThat(items(id)).isEmpty();
        var added = client.conversations()
                .items()
                .create(
                        id,
                        ItemCreateParams.builder()
                                .addItem(EasyInputMessage.builder()
                                        .role(EasyInputMessage.Role.USER)
                                        .content("One")
                                        .build())
                                .addItem(EasyInputMessage.builder()
                                        .role(EasyInputMessage.Role.ASSISTANT)
                                        .content("Two")
                                        .build())
                                .build())
                .validate();
        assertThat(added.data()).hasSize(2);
        String first = added.firstId();
        assertThat(client.conversations()
                        .items()
                        .retrieve(
                                first,
                                ItemRetrieveParams.builder().conversationId(id).build())
                        .validate()
                        .asMessage()
                        .id())
                .isEqualTo(first);
        client.conversations()
                .items()
                .delete(first, ItemDeleteParams.builder().conversationId(id).build())
                .validate();
        assertThat(items(id)).hasSize(1);
    }

    @Test
    @SuppressWarnings("deprecation") // `truncation` is, in the client, and still part of the API
    void aTooLongConversationIsShortenedWhereItMay() {
        String longText = "x".repeat(900);
        Response first = create(asked(longText));
        Response second = create(asked(longText).previousResponseId(first.id()));
        assertThatThrownBy(() -> create(asked(longText).previousResponseId(second.id())))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.code()).contains("context_length_exceeded"));
        create(asked(longText).previousResponseId(second.id()).truncation(ResponseCreateParams.Truncation.AUTO));
    }

    @Test
    void whatIsWrongIsNamed() throws Exception {
        String[][] wrong = {
            {"\"input\": 5", "input"},
            {"\"input\": []", "input"},
            {"\"input\": [{\"type\": \"image\"}]", "input[0].type"},
            {"\"input\": [{\"role\": \"king\", \"content\": \"x\"}]", "input[0].role"},
            {"\"input\": [{\"role\": \"user\", \"content\": [{\"type\": \"input_image\"}]}]", "input[0].content"},
            {"\"input\": \"x\", \"max_output_tokens\": 1e9", "max_output_tokens"},
            {"\"input\": \"x\", \"top_logprobs\": 21", "top_logprobs"},
            {"\"input\": \"x\", \"background\": true, \"stream\": true", "background"},
            {"\"input\": \"x\", \"previous_response_id\": \"a\", \"conversation\": \"b\"", "conversation"},
            {"\"input\": \"x\", \"metadata\": {\"a\": 5}", "metadata"},
            {"\"input\": \"x\", \"tools\": [{\"type\": \"web_search\"}]", "tools"},
            {"\"input\": \"x\", \"tool_choice\": \"required\"", "tool_choice"},
            {"\"input\": \"x\", \"include\": [\"file_search_call.results\"]", "include"},
            {"\"input\": \"x\", \"text\": {\"format\": {\"type\": \"json_schema\"}}", "response_format"},
            {"\"input\": \"x\", \"reasoning\": {\"effort\": \"high\"}", "reasoning"}
        };
        for (String[] each : wrong) {
            var response =
                    server.post("v1/responses", "{\"model\": \"untrained\", " + each[0] + "}", "application/json");
            assertThat(response.statusCode()).as(each[0]).isEqualTo(400);
            assertThat(response.body()).as(each[0]).contains("\"param\":\"" + each[1] + "\"");
        }
    }
}
