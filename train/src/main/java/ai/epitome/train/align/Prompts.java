package ai.epitome.train.align;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.chat.ChatFormat;
import ai.epitome.train.chat.TurnReader;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TextTokens;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// What models are asked to go on from, one JSON object each: a `prompt` that is a string, or a list of turns; or a
/// `text`, of which the first tokens are taken.
public final class Prompts {
    private Prompts() {}

    /// Reads the first prompts of a corpus.
    ///
    /// @param chat how conversations become tokens
    /// @param tokens of a `text` that are taken, not counting the one that texts begin with;
    ///     shorter texts are left out
    /// @param most prompts
    /// @throws CorpusException if a record is no prompt, or there is none
    public static List<int[]> read(Corpus corpus, ChatFormat chat, int tokens, int most) throws IOException {
        List<int[]> prompts = new ArrayList<>();
        try (RecordReader reader = corpus.openRecords()) {
            JsonRecord record = reader.next();
            while (record != null && prompts.size() < most) {
                int[] prompt = prompt(record, chat, tokens);
                if (prompt.length > 0) {
                    prompts.add(prompt);
                }
                record = reader.next();
            }
        }
        if (prompts.isEmpty()) {
            throw new CorpusException("there is no prompt, or all texts have fewer than %d tokens".formatted(tokens));
        }
        return prompts;
    }

    private static int[] prompt(JsonRecord record, ChatFormat chat, int tokens) throws CorpusException {
        JsonNode prompt = record.json().path("prompt");
        Tokenizer tokenizer = chat.tokenizer();
        if (prompt.isArray()) {
            return chat.prompt(TurnReader.openAi(record, "prompt"));
        }
        if (prompt.isString()) {
            return TextTokens.of(tokenizer, prompt.asString());
        }
        JsonNode text = record.json().path("text");
        if (!text.isString()) {
            throw record.wrong(
                    "expected a `prompt` or a `text`, found " + record.json().propertyNames());
        }
        int[] all = TextTokens.of(tokenizer, text.asString());
        int wanted = tokens + (TextTokens.beginning(tokenizer).isPresent() ? 1 : 0);
        return all.length < wanted ? new int[0] : Arrays.copyOf(all, wanted);
    }
}
