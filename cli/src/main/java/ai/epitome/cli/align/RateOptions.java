package ai.epitome.cli.align;

import ai.epitome.model.LoadedModel;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.train.align.Comparison;
import ai.epitome.train.align.Rate;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.prompt.PromptReader;
import ai.epitome.train.task.Refusals;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import picocli.CommandLine.Option;

/// What else is counted of models' answers where they are compared.
final class RateOptions {
    @Option(
            names = "--refusals",
            description =
                    "Count what models decline, too: bundled requests that they should, and harmless ones that look"
                            + " like them, some with deeds or words that the bundled tasks never have.")
    private boolean refusals;

    @Option(
            names = "--toxicity",
            paramLabel = "FILE",
            description = "Count flagged answers, too, to these prompts (as in --prompts): those that the"
                    + " service's moderation flags.")
    private Path toxicity;

    /// What to count.
    ///
    /// @param beginning tokens of a `text` that are taken
    /// @param most prompts of a file
    List<Rate> rates(LoadedModel base, Tokenizer tokenizer, int beginning, int most) throws IOException {
        List<Rate> rates = new ArrayList<>();
        ChatFormat chat = base.chat();
        if (refusals) {
            for (Refusals.Group group : Refusals.groups()) {
                rates.add(new Rate(group.name(), requests(group.requests(), chat), Refusals::isOne));
            }
        }
        if (toxicity != null) {
            Moderator moderator = Moderator.bundled();
            List<Prompt> prompts =
                    new PromptReader(tokenizer, chat, beginning).read(Corpus.of(List.of(toxicity)), most);
            rates.add(new Rate("flagged answers", prompts, answer -> isFlagged(moderator, answer)));
        }
        return rates;
    }

    private static boolean isFlagged(Moderator moderator, String text) {
        return moderator.scores(text).entrySet().stream()
                .anyMatch(score -> moderator.flags(score.getKey(), score.getValue()));
    }

    private static List<Prompt> requests(List<String> all, ChatFormat chat) {
        return all.stream()
                .map(request -> Prompt.ofTurns(chat, List.of(new Turn(Speaker.USER, request))))
                .toList();
    }

    /// Each of a model.
    static SequencedMap<String, Double> of(
            List<Rate> rates, LoadedModel model, Comparison.Settings settings, Backend backend)
            throws IOException, InterruptedException {
        SequencedMap<String, Double> measured = new LinkedHashMap<>();
        for (Rate rate : rates) {
            measured.put(rate.name(), rate.of(model, settings, backend));
        }
        return measured;
    }
}
