package ai.epitome.train.reward;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.ExampleHash;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.preference.PreferenceFormat;
import ai.epitome.train.preference.PreferencePair;
import ai.epitome.train.preference.PreferenceSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// Judgements to learn a reward from: preferences, or texts with labels. Told apart by the first record, which has a
/// field `label` or not.
///
/// @param train to learn from
/// @param heldOut to be measured on
/// @param format of what was read
/// @param pairs whether these are preferences
/// @param description for a person
/// @param json as reports take it
/// @param sha256 of everything
public record RewardSet(
        List<Judged> train,
        List<Judged> heldOut,
        PreferenceFormat format,
        boolean pairs,
        String description,
        ObjectNode json,
        String sha256) {
    /// What its description is called in a model's folder.
    public static final String FILE = "judgements.json";

    /// Reads everything.
    ///
    /// @param heldOut what is held out; where nothing is given, one record in twenty is
    /// @param skipWrong whether records that break the rules are counted and passed over
    /// @throws CorpusException if a record breaks the rules, or nothing is left to train on
    public static RewardSet read(Corpus corpus, Optional<Corpus> heldOut, PreferenceFormat format, boolean skipWrong)
            throws IOException {
        if (hasLabels(corpus)) {
            LabelledTexts texts = LabelledTexts.read(corpus, format, skipWrong);
            return heldOut.isEmpty() ? texts.split() : texts.with(LabelledTexts.read(heldOut.get(), format, skipWrong));
        }
        PreferenceSet set = PreferenceSet.read(corpus, format, skipWrong);
        if (heldOut.isEmpty()) {
            return of(set.train(), set.heldOut(), set, set.description(), set.toJson());
        }
        PreferenceSet other = PreferenceSet.read(heldOut.get(), format, skipWrong);
        List<PreferencePair> train = all(set);
        List<PreferencePair> measured = all(other);
        String description = "%,d pairs, and %,d others that are held out".formatted(train.size(), measured.size());
        ObjectNode json = set.toJson();
        json.put(
                "sha256",
                new ExampleHash().add(set.sha256()).add(other.sha256()).hex());
        json.putObject("split").put("description", "files of their own");
        json.withObjectProperty("train").put("documents", train.size());
        json.withObjectProperty("held_out").put("documents", measured.size());
        other.toJson().path("files").forEach(json.withArrayProperty("files")::add);
        return of(train, measured, set, description, json);
    }

    private static List<PreferencePair> all(PreferenceSet set) {
        List<PreferencePair> all = new ArrayList<>(set.train());
        all.addAll(set.heldOut());
        return all;
    }

    private static RewardSet of(
            List<PreferencePair> train,
            List<PreferencePair> heldOut,
            PreferenceSet set,
            String description,
            ObjectNode json) {
        return new RewardSet(
                judged(train),
                judged(heldOut),
                set.format(),
                true,
                description,
                json,
                json.path("sha256").asString());
    }

    private static List<Judged> judged(List<PreferencePair> pairs) {
        return pairs.stream()
                .map(pair -> Judged.pair(pair.chosen().tokens(), pair.rejected().tokens()))
                .toList();
    }

    private static boolean hasLabels(Corpus corpus) throws IOException {
        try (RecordReader reader = corpus.openRecords()) {
            JsonRecord first = reader.next();
            return first != null && first.json().has("label");
        }
    }

    ChatEncoding chat() {
        return format.chat();
    }

    Tokenizer tokenizer() {
        return format.chat().tokenizer();
    }

    TokenTable table() {
        return TokenTable.of(tokenizer());
    }

    /// How many records there are to learn from.
    public int size() {
        return train.size();
    }

    /// How many texts a record has.
    public int texts() {
        return pairs ? 2 : 1;
    }

    /// Tokens of the longest text.
    int longest() {
        int longest = 0;
        for (Judged judged : train) {
            for (Example text : judged.texts()) {
                longest = Math.max(longest, text.tokens().length);
            }
        }
        return longest;
    }
}
