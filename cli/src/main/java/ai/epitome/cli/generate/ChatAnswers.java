package ai.epitome.cli.generate;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import java.util.ArrayList;
import java.util.List;

/// Lets a model answer, and says how that went.
final class ChatAnswers {
    private final CompletionModel model;
    private final ChatFormat format;
    private final ChatScreen screen;
    private boolean leftOut;
    private String statistics = "no answer yet";

    ChatAnswers(CompletionModel model, ChatFormat format, ChatScreen screen) {
        this.model = model;
        this.format = format;
        this.screen = screen;
    }

    /// How long the last answer took.
    String statistics() {
        return statistics;
    }

    /// Shows the answer as it comes, and returns it.
    ///
    /// @param stop texts that end it
    /// @throws ai.epitome.text.jinja.JinjaException if the model's template refuses the conversation
    String answer(ChatTurns turns, int maxTokens, Sampling sampling, List<String> stop) {
        int[] prompt = prompt(turns, Math.min(maxTokens, model.contextLength() / 4));
        List<String> stops = new ArrayList<>(stop);
        stops.addAll(format.stops());
        int room = Math.max(1, model.contextLength() - prompt.length);
        var request =
                new GenerationRequest(prompt, Math.min(maxTokens, room), sampling, stops, GenerationRequest.UNSCORED);
        StringBuilder answer = new StringBuilder();
        long start = System.nanoTime();
        long[] first = {0};
        screen.listen();
        GenerationResult result = model.generate(
                request,
                piece -> {
                    first[0] = first[0] == 0 ? System.nanoTime() : first[0];
                    show(piece, answer);
                },
                () -> screen.interrupted() || screen.closed());
        screen.answer("\n");
        double seconds = (System.nanoTime() - start) / 1e9;
        statistics =
                "last answer: %,d tokens behind %,d of the conversation (the context is %,d), %.1f s, first token after %.2f s, %.1f tokens/s"
                        .formatted(
                                result.completionTokens(),
                                prompt.length,
                                model.contextLength(),
                                seconds,
                                Math.max(0, first[0] - start) / 1e9,
                                result.completionTokens() / seconds);
        if (result.finish() == FinishReason.CANCELLED && !screen.closed()) {
            screen.notice("(stopped)");
        } else if (result.finish() == FinishReason.LENGTH) {
            screen.notice(room < maxTokens ? "(cut short: the context is full)" : "(cut short after --max-tokens)");
        }
        return answer.toString();
    }

    private void show(GenerationPiece piece, StringBuilder answer) {
        String text =
                answer.isEmpty() && format.beginsWithSpace() ? piece.text().stripLeading() : piece.text();
        answer.append(text);
        screen.answer(text);
    }

    /// The conversation, less its oldest turns where it is longer than the context.
    ///
    /// @param answer tokens that the answer may want
    private int[] prompt(ChatTurns turns, int answer) {
        int left = 0;
        int[] ids = format.encode(new Conversation(turns.without(left)));
        while (ids.length + answer > model.contextLength() && left < turns.size() - 1) {
            left = turns.nextTurn(left);
            ids = format.encode(new Conversation(turns.without(left)));
        }
        if (left > 0 && !leftOut) {
            leftOut = true;
            screen.notice("(the context of %,d tokens is full: the model sees the oldest turns no longer)"
                    .formatted(model.contextLength()));
        }
        return ids;
    }
}
