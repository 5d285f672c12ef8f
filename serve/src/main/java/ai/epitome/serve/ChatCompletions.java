package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.model.GenerationPiece;
import ai.epitome.model.GenerationRequest;
import ai.epitome.model.GenerationResult;
import ai.epitome.model.ScoredToken;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.jinja.JinjaException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers one conversation, `n` times.
///
/// A choice is streamed as OpenAI does: a chunk with the role, chunks with text, those with calls of tools, and one
/// with
/// the reason why it ended; behind all choices, where it is asked for, one with the usage.
final class ChatCompletions implements Answer {
    private final ChatRequest request;
    private final ChatShapes shapes;
    private final Generations generations;
    private final GenerationRequest generation;
    private final boolean beginsWithSpace;
    private final Optional<ToolCalls> tools;

    /// Checks the conversation against the model and the key's limits, before anything of a response is sent.
    ///
    /// @throws ApiException with status 400
    /// @throws ai.epitome.serve.account.LimitException when the key may not use so much
    ChatCompletions(
            ChatRequest request,
            CompletionModel model,
            ChatFormat format,
            ChatShapes shapes,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        this.request = request;
        this.shapes = shapes;
        this.generations = new Generations(model, meter, cancelled, request.sampling(), request.seed());
        this.beginsWithSpace = format.beginsWithSpace();
        this.tools = request.conversation().tools().map(ToolCalls::new);
        int[] prompt = prompt(format);
        int room = model.contextLength() - prompt.length;
        if (room < 1) {
            throw ApiException.contextExceeded(model.contextLength(), prompt.length);
        }
        List<String> stops = new ArrayList<>(request.stop());
        stops.addAll(format.stops());
        this.generation = new GenerationRequest(
                prompt,
                Math.min(request.maxTokens().orElse(room), room),
                request.sampling(),
                stops,
                request.logprobs().orElse(0),
                request.constraint());
        generations.begin("messages", prompt.length, (long) request.n() * generation.maxTokens());
    }

    private int[] prompt(ChatFormat format) {
        try {
            return format.encode(request.conversation());
        } catch (JinjaException e) {
            throw ApiException.badParameter(
                    "messages", "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    @Override
    public ObjectNode answer() {
        List<ObjectNode> choices = new ArrayList<>();
        for (int sample = 0; sample < request.n(); sample++) {
            List<ScoredToken> tokens = new ArrayList<>();
            GenerationResult result = generations.run(generation, sample, piece -> tokens.addAll(piece.tokens()));
            String text = beginsWithSpace ? result.text().stripLeading() : result.text();
            Optional<ToolCalls.Found> found = tools.flatMap(known -> known.find(text));
            List<ToolCalls.Call> calls = found.map(this::calls).orElse(List.of());
            String content = found.map(ToolCalls.Found::content).orElse(text);
            choices.add(ChatShapes.choice(
                    sample,
                    found.isPresent() && content.isEmpty() ? null : content,
                    ChatShapes.calls(calls, false),
                    logprobs(tokens),
                    found.isPresent() ? "tool_calls" : ChatShapes.finish(result.finish())));
        }
        return shapes.completion(choices).set("usage", generations.usage().json());
    }

    private List<ToolCalls.Call> calls(ToolCalls.Found found) {
        return request.parallelCalls() ? found.calls() : found.calls().subList(0, 1);
    }

    private JsonNode logprobs(List<ScoredToken> tokens) {
        return request.logprobs().isPresent() ? ChatShapes.logprobs(tokens) : null;
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        for (int sample = 0; sample < request.n(); sample++) {
            new StreamedChoice(sample, chunk).run();
        }
        if (request.includeUsage()) {
            chunk.accept(
                    shapes.chunk(List.of()).set("usage", generations.usage().json()));
        }
    }

    /// One choice on its way; what may turn out to be a call of a tool is held back.
    private final class StreamedChoice {
        private final int index;
        private final Consumer<ObjectNode> chunk;
        private final StringBuilder text = new StringBuilder();
        private int given;

        StreamedChoice(int index, Consumer<ObjectNode> chunk) {
            this.index = index;
            this.chunk = chunk;
        }

        void run() {
            send(ChatShapes.role(), null, null);
            GenerationResult result = generations.run(generation, index, this::piece);
            Optional<ToolCalls.Found> found = tools.flatMap(known -> known.find(text.toString()));
            if (found.isPresent()) {
                ObjectNode delta = JsonNodeFactory.instance.objectNode();
                delta.set("tool_calls", ChatShapes.calls(calls(found.get()), true));
                send(delta, null, null);
            } else {
                give(text.length(), null);
            }
            String finish = found.isPresent() ? "tool_calls" : ChatShapes.finish(result.finish());
            send(JsonNodeFactory.instance.objectNode(), null, finish);
        }

        private void piece(GenerationPiece piece) {
            text.append(text.isEmpty() && beginsWithSpace ? piece.text().stripLeading() : piece.text());
            int certain = tools.isPresent() ? ToolCalls.certain(text.toString()) : text.length();
            give(Math.max(given, certain), logprobs(piece.tokens()));
        }

        private void give(int end, JsonNode logprobs) {
            if (end > given || (logprobs != null && !logprobs.path("content").isEmpty())) {
                send(ChatShapes.content(text.substring(given, end)), logprobs, null);
                given = end;
            }
        }

        private void send(ObjectNode delta, JsonNode logprobs, String finish) {
            ObjectNode object = shapes.chunk(List.of(ChatShapes.delta(index, delta, logprobs, finish)));
            // With usage asked for, every chunk has the field and only the last one a value.
            chunk.accept(request.includeUsage() ? object.set("usage", NullNode.getInstance()) : object);
        }
    }
}
