package ai.epitome.train.prompt;

import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.chat.TurnReader;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TextTokens;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Reads prompts, one JSON object each:
///
/// | object | prompt |
/// |---|---|
/// | `{"prompt": "..."}` | a text that goes on as it stands |
/// | `{"prompt": [{"role": "user", "content": "..."}]}` | a conversation, without the assistant's last turn |
/// | `{"messages": [{"role": "user", "content": "..."}]}` | likewise |
/// | `{"text": "..."}` | its first tokens; shorter texts are left out |
///
/// Other fields are passed over.
///
/// @param chat how the model wants conversations written
/// @param beginning tokens of a `text` that are taken, not counting the one that texts begin with
public record PromptReader(Tokenizer tokenizer, ChatFormat chat, int beginning) {
    /// As many tokens of a text as are taken unless something else is asked for.
    public static final int BEGINNING = 12;

    /// The first prompts of a corpus.
    ///
    /// @param most how many; texts that are left out do not count
    /// @throws CorpusException if a record is no prompt, with file, line and reason; or if there is none
    public List<Prompt> read(Corpus corpus, int most) throws IOException {
        List<Prompt> prompts = new ArrayList<>();
        try (RecordReader reader = corpus.openRecords()) {
            JsonRecord record = reader.next();
            while (record != null && prompts.size() < most) {
                prompt(record).ifPresent(prompts::add);
                record = reader.next();
            }
        }
        if (prompts.isEmpty()) {
            throw new CorpusException(
                    "there is no prompt, or all texts have fewer than %d tokens".formatted(beginning));
        }
        return prompts;
    }

    private Optional<Prompt> prompt(JsonRecord record) throws CorpusException {
        JsonNode json = record.json();
        if (json.path("prompt").isString()) {
            String text = json.path("prompt").asString();
            if (text.isEmpty()) {
                throw record.wrong("`prompt` is empty: there is nothing to go on from");
            }
            return Optional.of(Prompt.ofText(tokenizer, text));
        }
        for (String list : List.of("prompt", "messages")) {
            if (json.has(list)) {
                return Optional.of(Prompt.ofTurns(chat, unanswered(record, list)));
            }
        }
        if (!json.path("text").isString()) {
            throw record.wrong("expected a `prompt`, `messages` or a `text`, found " + json.propertyNames());
        }
        return beginning(json.path("text").asString());
    }

    private static List<Turn> unanswered(JsonRecord record, String list) throws CorpusException {
        List<Turn> turns = new ArrayList<>(TurnReader.openAi(record, list));
        if (turns.getLast().speaker() == Speaker.ASSISTANT) {
            turns.removeLast();
        }
        if (turns.isEmpty()) {
            throw record.wrong("`%s` has nothing to answer".formatted(list));
        }
        return turns;
    }

    private Optional<Prompt> beginning(String text) {
        int[] all = TextTokens.of(tokenizer, text);
        int first = TextTokens.beginning(tokenizer).isPresent() ? 1 : 0;
        if (all.length < beginning + first) {
            return Optional.empty();
        }
        int[] tokens = Arrays.copyOf(all, beginning + first);
        String words =
                new String(tokenizer.decode(Arrays.copyOfRange(tokens, first, tokens.length)), StandardCharsets.UTF_8);
        return Optional.of(new Prompt(tokens, words, List.of(), Optional.empty()));
    }
}
