package ai.epitome.serve.completion;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.generation.Generations;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.metering.Usage;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.jinja.JinjaException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/// The assistant's turn in a conversation: its prompt is made, what it may use is reserved, and it can be
/// taken, once or several times.
public final class ChatTurn {
    private final ChatRequest request;
    private final Generations generations;
    private final GenerationRequest generation;
    private final boolean beginsWithSpace;
    private final Optional<ToolCalls> tools;

    /// Checks the conversation against the model and the key's limits, before anything of a response is sent.
    ///
    /// @throws ApiException with status 400
    /// @throws ai.epitome.serve.account.LimitException when the key may not use so much
    public ChatTurn(
            ChatRequest request,
            CompletionModel model,
            ChatFormat format,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        this.request = request;
        this.generations = new Generations(model, meter, cancelled, request.sampling(), request.seed());
        this.beginsWithSpace = format.beginsWithSpace();
        this.tools = request.conversation().tools().map(ToolCalls::new);
        int[] prompt = prompt(request, format);
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
                request.logprobs().orElse(GenerationRequest.UNSCORED),
                request.constraint());
        generations.begin(texts(request), "messages", prompt.length, (long) request.n() * generation.maxTokens());
    }

    /// What was said.
    ///
    /// @param text the answer's; before the calls, where there are some
    /// @param calls of tools
    public record Said(String text, List<ToolCalls.Call> calls, List<ScoredToken> tokens, FinishReason finish) {}

    /// Gets what is certain to be text and no call, and the tokens that are certain so far.
    @FunctionalInterface
    public interface Listener {
        void said(String text, List<ScoredToken> tokens);
    }

    /// All that is said in the conversation, whoever says it: clients may make up any of it.
    private static List<String> texts(ChatRequest request) {
        List<String> texts = new ArrayList<>();
        for (JsonNode message : request.conversation().messages()) {
            collect(message.path("content"), texts);
            message.path("tool_calls")
                    .values()
                    .forEach(call -> collect(call.path("function").path("arguments"), texts));
        }
        return texts;
    }

    private static void collect(JsonNode content, List<String> texts) {
        if (content.isString()) {
            texts.add(content.stringValue());
        } else if (content.isContainer()) {
            content.values().forEach(part -> collect(part, texts));
        }
    }

    private static int[] prompt(ChatRequest request, ChatFormat format) {
        try {
            return format.encode(request.conversation());
        } catch (JinjaException e) {
            throw ApiException.badParameter(
                    "messages", "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    /// Takes it once.
    ///
    /// @throws ai.epitome.serve.generation.CancelledException when cancelled
    public Said take(Listener listener) {
        Said[] taken = new Said[1];
        generations.run(List.of(new Take(listener, said -> taken[0] = said).wanted(0)));
        return taken[0];
    }

    /// Gets several answers as they come.
    public interface Listeners {
        /// @see Listener
        void said(int answer, String text, List<ScoredToken> tokens);

        /// Behind the last of its text.
        void ended(int answer, Said said);
    }

    /// Takes it so many times, together; numbers of answers begin with 0.
    ///
    /// @throws ai.epitome.serve.generation.CancelledException when cancelled
    public void take(int answers, Listeners listeners) {
        List<Generations.Wanted> wanted = new ArrayList<>();
        for (int i = 0; i < answers; i++) {
            int answer = i;
            Listener listener = (text, tokens) -> listeners.said(answer, text, tokens);
            wanted.add(new Take(listener, said -> listeners.ended(answer, said)).wanted(answer));
        }
        generations.run(wanted);
    }

    /// What all answers took in and gave out. Nothing may be generated after.
    public Usage usage() {
        return generations.usage();
    }

    private final class Take {
        private final Listener listener;
        private final Consumer<Said> ended;
        private final StringBuilder text = new StringBuilder();
        private final List<ScoredToken> tokens = new ArrayList<>();
        private int given;

        Take(Listener listener, Consumer<Said> ended) {
            this.listener = listener;
            this.ended = ended;
        }

        /// @param sample number of the answer, on which its seed depends
        Generations.Wanted wanted(int sample) {
            return new Generations.Wanted(generation, sample, this::piece, this::end);
        }

        private void end(GenerationResult result) {
            Optional<ToolCalls.Found> found = tools.flatMap(known -> known.find(text.toString()));
            if (found.isEmpty()) {
                give(text.length(), List.of());
            }
            ended.accept(new Said(
                    found.map(ToolCalls.Found::content).orElseGet(text::toString),
                    found.map(this::calls).orElse(List.of()),
                    tokens,
                    result.finish()));
        }

        private List<ToolCalls.Call> calls(ToolCalls.Found found) {
            return request.parallelCalls() ? found.calls() : found.calls().subList(0, 1);
        }

        private void piece(GenerationPiece piece) {
            text.append(text.isEmpty() && beginsWithSpace ? piece.text().stripLeading() : piece.text());
            tokens.addAll(piece.tokens());
            int certain = tools.isPresent() ? ToolCalls.certain(text.toString()) : text.length();
            give(Math.max(given, certain), piece.tokens());
        }

        private void give(int end, List<ScoredToken> certain) {
            if (end > given || !certain.isEmpty()) {
                listener.said(text.substring(given, end), certain);
                given = end;
            }
        }
    }
}
