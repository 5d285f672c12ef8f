package ai.epitome.serve.completion;

import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.Generations;
import ai.epitome.serve.metering.RequestMeter;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers one conversation, `n` times together.
///
/// A choice is streamed as OpenAI does: a chunk with the role, chunks with text, those with calls of tools, and
/// one with the reason why it ended; chunks of several choices come as they are made, each with its choice's index.
/// Behind all choices comes, where it is asked for, one with the usage.
public record ChatCompletions(ChatRequest request, ChatShapes shapes, ChatTurn turn) implements Answer {

    @Override
    public int together() {
        return Generations.together(request.n());
    }

    @Override
    public ObjectNode answer() {
        ObjectNode[] choices = new ObjectNode[request.n()];
        turn.take(request.n(), new ChatTurn.Listeners() {
            @Override
            public void said(int index, String text, List<ScoredToken> tokens) {}

            @Override
            public void ended(int index, ChatTurn.Said said) {
                choices[index] = choice(index, said);
            }
        });
        return shapes.completion(List.of(choices)).set("usage", turn.usage().json());
    }

    private ObjectNode choice(int index, ChatTurn.Said said) {
        return ChatShapes.choice(
                index,
                !said.calls().isEmpty() && said.text().isEmpty() ? null : said.text(),
                ChatShapes.calls(said.calls(), false),
                logprobs(said.tokens()),
                finish(said));
    }

    private static String finish(ChatTurn.Said said) {
        return said.calls().isEmpty() ? RequestMeter.word(said.finish()) : "tool_calls";
    }

    private JsonNode logprobs(List<ScoredToken> tokens) {
        return request.logprobs().isPresent() ? ChatShapes.logprobs(tokens) : null;
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        for (int index = 0; index < request.n(); index++) {
            send(index, ChatShapes.role(), null, null, chunk);
        }
        turn.take(request.n(), new Streamed(chunk));
        if (request.includeUsage()) {
            chunk.accept(shapes.chunk(List.of()).set("usage", turn.usage().json()));
        }
    }

    private final class Streamed implements ChatTurn.Listeners {
        private final Consumer<ObjectNode> chunk;

        Streamed(Consumer<ObjectNode> chunk) {
            this.chunk = chunk;
        }

        @Override
        public void said(int index, String text, List<ScoredToken> tokens) {
            boolean told = request.logprobs().isPresent() && !tokens.isEmpty();
            if (told || !text.isEmpty()) {
                send(index, ChatShapes.content(text), logprobs(tokens), null, chunk);
            }
        }

        @Override
        public void ended(int index, ChatTurn.Said said) {
            if (!said.calls().isEmpty()) {
                ObjectNode delta = JsonNodeFactory.instance.objectNode();
                delta.set("tool_calls", ChatShapes.calls(said.calls(), true));
                send(index, delta, null, null, chunk);
            }
            send(index, JsonNodeFactory.instance.objectNode(), null, finish(said), chunk);
        }
    }

    private void send(int index, ObjectNode delta, JsonNode logprobs, String finish, Consumer<ObjectNode> chunk) {
        ObjectNode object = shapes.chunk(List.of(ChatShapes.delta(index, delta, logprobs, finish)));
        // With usage asked for, every chunk has the field and only the last one a value.
        chunk.accept(request.includeUsage() ? object.set("usage", NullNode.getInstance()) : object);
    }
}
