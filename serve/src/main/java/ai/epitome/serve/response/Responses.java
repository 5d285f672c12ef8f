package ai.epitome.serve.response;

import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.completion.ChatTurn;
import ai.epitome.serve.completion.ToolCalls;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.EventStream;
import ai.epitome.serve.http.ObjectId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Makes one response. It is kept before the client sees the last of it.
///
/// Streamed, it is told in OpenAI's order of events:
///
/// ```
/// response.created, response.in_progress
///     response.output_item.added, response.content_part.added                              a message
///         response.output_text.delta ..., response.output_text.done
///     response.content_part.done, response.output_item.done
///     response.output_item.added                                                           each call
///         response.function_call_arguments.delta, response.function_call_arguments.done
///     response.output_item.done
/// response.completed, or response.incomplete, or response.failed
/// ```
final class Responses implements Answer {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ResponseShapes shapes;
    private final ChatTurn turn;
    private final boolean logprobs;
    private final Consumer<ObjectNode> keeper;
    private int sequence;

    /// @param logprobs whether they are wanted
    /// @param keeper keeps the response's object, where it is to be kept
    Responses(ResponseShapes shapes, ChatTurn turn, boolean logprobs, Consumer<ObjectNode> keeper) {
        this.shapes = shapes;
        this.turn = turn;
        this.logprobs = logprobs;
        this.keeper = keeper;
    }

    @Override
    public ObjectNode answer() {
        ChatTurn.Said said = turn.take((_, _) -> {});
        return finish(ResponseShapes.output(said, logprobs), said);
    }

    private ObjectNode finish(List<ObjectNode> output, ChatTurn.Said said) {
        ObjectNode response = shapes.finished(output, said.finish(), turn.usage());
        keeper.accept(response);
        return response;
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        chunk.accept(event("response.created").set("response", shapes.response("in_progress")));
        chunk.accept(event("response.in_progress").set("response", shapes.response("in_progress")));
        Message message = new Message(chunk);
        ChatTurn.Said said = turn.take(message::delta);
        List<ObjectNode> output = new ArrayList<>();
        if (message.begun || said.calls().isEmpty()) {
            output.add(message.end(said));
        }
        for (ToolCalls.Call call : said.calls()) {
            output.add(call(output.size(), call, chunk));
        }
        ObjectNode response = finish(output, said);
        chunk.accept(event("response." + response.path("status").stringValue()).set("response", response));
    }

    private ObjectNode event(String type) {
        return JSON.objectNode().put("type", type).put("sequence_number", sequence++);
    }

    private ObjectNode event(String type, String item, int index) {
        return event(type).put("item_id", item).put("output_index", index);
    }

    private ObjectNode call(int index, ToolCalls.Call call, Consumer<ObjectNode> chunk) {
        ObjectNode whole = ResponseShapes.call(ObjectId.next("fc_"), ResponseShapes.newCallId(), call);
        String id = whole.path("id").stringValue();
        ObjectNode begun = whole.deepCopy().put("status", "in_progress").put("arguments", "");
        chunk.accept(
                event("response.output_item.added").put("output_index", index).set("item", begun));
        chunk.accept(event("response.function_call_arguments.delta", id, index).put("delta", call.arguments()));
        chunk.accept(event("response.function_call_arguments.done", id, index)
                .put("name", call.name())
                .put("arguments", call.arguments()));
        chunk.accept(
                event("response.output_item.done").put("output_index", index).set("item", whole));
        return whole;
    }

    /// The message on its way; it begins with its first text.
    private final class Message {
        private static final int INDEX = 0;
        private final Consumer<ObjectNode> chunk;
        private final String id = ObjectId.next("msg_");
        private final StringBuilder text = new StringBuilder();
        private boolean begun;

        Message(Consumer<ObjectNode> chunk) {
            this.chunk = chunk;
        }

        private void begin() {
            if (!begun) {
                begun = true;
                chunk.accept(event("response.output_item.added")
                        .put("output_index", INDEX)
                        .set("item", ResponseShapes.message(id, "in_progress")));
                chunk.accept(part("response.content_part.added", ResponseShapes.part("", JSON.arrayNode())));
            }
        }

        private ObjectNode part(String type, ObjectNode part) {
            return event(type, id, INDEX).put("content_index", 0).set("part", part);
        }

        void delta(String delta, List<ScoredToken> tokens) {
            if (!delta.isEmpty()) {
                begin();
                text.append(delta);
                ObjectNode event =
                        event("response.output_text.delta", id, INDEX).put("content_index", 0);
                chunk.accept(event.put("delta", delta).set("logprobs", logprobs(tokens)));
            }
        }

        private ArrayNode logprobs(List<ScoredToken> tokens) {
            return logprobs ? ResponseShapes.logprobs(tokens) : JSON.arrayNode();
        }

        ObjectNode end(ChatTurn.Said said) {
            begin();
            ArrayNode scored = logprobs(said.tokens());
            ObjectNode done = event("response.output_text.done", id, INDEX).put("content_index", 0);
            chunk.accept(done.put("text", text.toString()).set("logprobs", scored));
            ObjectNode part = ResponseShapes.part(text.toString(), scored);
            chunk.accept(part("response.content_part.done", part));
            ObjectNode item = ResponseShapes.message(id, ResponseShapes.status(said.finish()), part);
            chunk.accept(event("response.output_item.done")
                    .put("output_index", INDEX)
                    .set("item", item));
            return item;
        }
    }

    @Override
    public void write(ObjectNode chunk, EventStream events) {
        events.event(chunk.path("type").stringValue(), chunk.toString());
    }

    /// The last event says that it is the last.
    @Override
    public void end(EventStream events) {}

    @Override
    public void failed(ApiException error, EventStream events) {
        write(event("response.failed").set("response", shapes.failed(error)), events);
    }
}
