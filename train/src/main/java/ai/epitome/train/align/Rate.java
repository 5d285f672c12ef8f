package ai.epitome.train.align;

import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.train.prompt.Prompt;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;

/// Of which part of a model's answers something holds: that they decline, say.
///
/// @param name of the part, for the report
/// @param prompts that are answered once each, conversations in the form that the model wants
/// @param holds of an answer
public record Rate(String name, List<Prompt> prompts, Predicate<String> holds) {
    /// From 0 to 1, of answers at temperature 1.
    public double of(LoadedModel model, Comparison.Settings settings, Backend backend)
            throws IOException, InterruptedException {
        ChatFormat chat = model.chat();
        Tokenizer tokenizer = model.tokenizer().orElseThrow();
        List<Prompt> asked = prompts.stream().map(prompt -> prompt.in(chat)).toList();
        return new Continuations(model.generator(backend), settings.tokens(), settings.seed())
                .of(asked, 1).stream()
                        .map(sample -> RankedPairs.text(tokenizer, sample.continuation()))
                        .mapToInt(answer -> holds.test(answer) ? 1 : 0)
                        .average()
                        .orElse(Double.NaN);
    }
}
