package ai.epitome.train.preference;

import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.TrainingConversation;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.TextTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How preferences become tokens. Conversations are rendered as a [ChatEncoding] does. Of texts, prompt and answer
/// follow each other behind the token that texts begin with, and nothing is put behind the answer.
///
/// Longer than `most` tokens: [LongConversations#DROP] leaves the pair out; `CUT` keeps the beginning of both; `SPLIT`
/// leaves out the oldest exchanges of the context, or the beginning of a prompt, and cuts what is still too long.
///
/// @param chat of conversations
/// @param policy for what is too long
/// @param most tokens of an answer with its context
public record PreferenceFormat(ChatEncoding chat, LongConversations policy, int most) {
    /// A pair in tokens.
    ///
    /// @param whole before anything was left out
    /// @param pair what is learned from; empty where nothing is left to compare
    public record Rendered(PreferencePair whole, Optional<PreferencePair> pair) {
        /// Whether it did not fit.
        public boolean tooLong() {
            return pair.isEmpty() || pair.get() != whole;
        }
    }

    /// The tokens of a single answer with its prompt, `{"prompt": ..., "completion": ...}`, in the same layouts.
    ///
    /// @throws CorpusException if it is none; the message names the file, the line and why
    public Example completion(JsonRecord record) throws CorpusException {
        String field = "completion";
        boolean texts = record.json().path("prompt").isString()
                && record.json().path(field).isString();
        if (texts) {
            return tokens(record.json().path("prompt").asString(), PreferenceReader.answerText(record, field));
        }
        List<Turn> answer = PreferenceReader.answer(record, field);
        PreferenceReader.requireAnswer(record, field, answer);
        return tokens(PreferenceReader.prompt(record), answer);
    }

    /// A preference as tokens, and what is left of it in a row: nothing where it is too long and is dropped, or
    /// where the answers differ no more.
    public Rendered render(Preference preference) {
        PreferencePair whole = tokens(preference);
        if (fits(whole)) {
            return new Rendered(whole, Optional.of(whole));
        }
        PreferencePair shorter = switch (policy) {
            case DROP -> null;
            case CUT -> cut(whole);
            case SPLIT ->
                switch (preference) {
                    case Preference.OfTexts _ -> cut(withoutBeginning(whole));
                    case Preference.OfTurns turns -> cut(tokens(withoutOldest(turns)));
                };
        };
        return new Rendered(whole, Optional.ofNullable(shorter).filter(PreferencePair::differs));
    }

    private boolean fits(PreferencePair pair) {
        return Math.max(pair.chosen().tokens().length, pair.rejected().tokens().length) <= most;
    }

    private PreferencePair tokens(Preference preference) {
        return switch (preference) {
            case Preference.OfTexts texts ->
                new PreferencePair(tokens(texts.prompt(), texts.chosen()), tokens(texts.prompt(), texts.rejected()));
            case Preference.OfTurns turns ->
                new PreferencePair(tokens(turns.context(), turns.chosen()), tokens(turns.context(), turns.rejected()));
        };
    }

    private Example tokens(List<Turn> context, List<Turn> answer) {
        List<Turn> all = new ArrayList<>(context);
        all.addAll(answer);
        return chat.render(new TrainingConversation(all));
    }

    private Example tokens(String prompt, String answer) {
        return TextTokens.continued(chat.tokenizer(), prompt, answer);
    }

    private PreferencePair cut(PreferencePair pair) {
        return new PreferencePair(pair.chosen().beginning(most), pair.rejected().beginning(most));
    }

    /// Leaves out as much of the prompt as is too much; the first token stays.
    private PreferencePair withoutBeginning(PreferencePair pair) {
        int longest = Math.max(pair.chosen().tokens().length, pair.rejected().tokens().length);
        int left = Math.min(longest - most, Math.max(0, pair.context().length - 2));
        return new PreferencePair(without(pair.chosen(), left), without(pair.rejected(), left));
    }

    private static Example without(Example example, int left) {
        int size = example.tokens().length - left;
        int[] tokens = new int[size];
        boolean[] learned = new boolean[size];
        tokens[0] = example.tokens()[0];
        System.arraycopy(example.tokens(), left + 1, tokens, 1, size - 1);
        System.arraycopy(example.learned(), left + 1, learned, 1, size - 1);
        return new Example(tokens, learned);
    }

    private Preference.OfTurns withoutOldest(Preference.OfTurns preference) {
        Preference.OfTurns shorter = preference;
        while (!fits(tokens(shorter))) {
            List<Turn> context = new ArrayList<>(shorter.context());
            int first = !context.isEmpty() && context.getFirst().speaker() == Speaker.SYSTEM ? 1 : 0;
            int next = first + 1;
            while (next < context.size() && context.get(next).speaker() != Speaker.USER) {
                next++;
            }
            if (next >= context.size()) {
                break; // one exchange is left
            }
            context.subList(first, next).clear();
            shorter = new Preference.OfTurns(context, shorter.chosen(), shorter.rejected());
        }
        return shorter;
    }
}
