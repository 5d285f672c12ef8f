package ai.epitome.serve.completion;

import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.metering.RequestMeter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers one conversation, `n` times.
///
/// A choice is streamed as OpenAI does: a chunk with the role, chunks with text, those with calls of tools, and
/// one with the reason why it ended; behind all choices, where it is asked for, one with the usage.
public record ChatCompletions(ChatRequest request, ChatShapes shapes, ChatTurn turn) implements Answer {

    @Override
    public ObjectNode answer() {
        List<ObjectNode> choices = new ArrayList<>();
        for (int sample = 0; sample < request.n(); sample++) {
            ChatTurn.Said said = turn.take(sample, (_, _) -> {});
            choices.add(ChatShapes.choice(
                    sample,
                    !said.calls().isEmpty() && said.text().isEmpty() ? null : said.text(),
                    ChatShapes.calls(said.calls(), false),
                    logprobs(said.tokens()),
                    finish(said)));
        }
        return shapes.completion(choices).set("usage", turn.usage().json());
    }

    private static String finish(ChatTurn.Said said) {
        return said.calls().isEmpty() ? RequestMeter.word(said.finish()) : "tool_calls";
    }

    private JsonNode logprobs(List<ScoredToken> tokens) {
        return request.logprobs().isPresent() ? ChatShapes.logprobs(tokens) : null;
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        for (int sample = 0; sample < request.n(); sample++) {
            stream(sample, chunk);
        }
        if (request.includeUsage()) {
            chunk.accept(shapes.chunk(List.of()).set("usage", turn.usage().json()));
        }
    }

    private void stream(int index, Consumer<ObjectNode> chunk) {
        send(index, ChatShapes.role(), null, null, chunk);
        ChatTurn.Said said = turn.take(index, (text, tokens) -> {
            boolean told = request.logprobs().isPresent() && !tokens.isEmpty();
            if (told || !text.isEmpty()) {
                send(index, ChatShapes.content(text), logprobs(tokens), null, chunk);
            }
        });
        if (!said.calls().isEmpty()) {
            ObjectNode delta = JsonNodeFactory.instance.objectNode();
            delta.set("tool_calls", ChatShapes.calls(said.calls(), true));
            send(index, delta, null, null, chunk);
        }
        send(index, JsonNodeFactory.instance.objectNode(), null, finish(said), chunk);
    }

    private void send(int index, ObjectNode delta, JsonNode logprobs, String finish, Consumer<ObjectNode> chunk) {
        ObjectNode object = shapes.chunk(List.of(ChatShapes.delta(index, delta, logprobs, finish)));
        // With usage asked for, every chunk has the field and only the last one a value.
        chunk.accept(request.includeUsage() ? object.set("usage", NullNode.getInstance()) : object);
    }
}
