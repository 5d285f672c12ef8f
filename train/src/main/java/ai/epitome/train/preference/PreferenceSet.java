package ai.epitome.train.preference;

import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.DataFile;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.ExampleHash;
import ai.epitome.train.data.HashSplit;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TokenTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Preferences as pairs of answers in tokens: those to train on, and those that are held out.
///
/// Held out are the lowest hashes of what stands before the answers ([HashSplit]), so all pairs of one request are on
/// the same side.
///
/// @param train pairs to train on
/// @param heldOut pairs to score
/// @param format how they became tokens
/// @param counts what was read
/// @param table of the tokenizer
/// @param files what was read, in order
/// @param sha256 of all pairs and their sides
public record PreferenceSet(
        List<PreferencePair> train,
        List<PreferencePair> heldOut,
        PreferenceFormat format,
        Counts counts,
        TokenTable table,
        List<DataFile> files,
        String sha256) {
    /// What its description is called in a model's folder.
    public static final String FILE = "preferences.json";

    /// @param pairs all that were read
    /// @param tooLong those longer than a row
    /// @param lost those of which nothing was left to compare
    /// @param wrong records that are no preferences, and were passed over
    /// @param firstWrong what is wrong with the first of those
    /// @param turns pairs of conversations; the others are texts
    public record Counts(long pairs, long tooLong, long lost, long wrong, Optional<String> firstWrong, long turns) {}

    private record Read(String hash, PreferencePair pair) {}

    /// Reads everything.
    ///
    /// @param skipWrong whether records that are no preferences are counted and passed over
    /// @throws CorpusException if something is no preference, or nothing is left to train on
    public static PreferenceSet read(Corpus corpus, PreferenceFormat format, boolean skipWrong) throws IOException {
        List<Read> all = new ArrayList<>();
        long pairs = 0;
        long turns = 0;
        long tooLong = 0;
        long wrong = 0;
        Optional<String> firstWrong = Optional.empty();
        List<DataFile> files;
        try (RecordReader reader = corpus.openRecords()) {
            for (JsonRecord record = reader.next(); record != null; record = reader.next()) {
                Preference preference;
                try {
                    preference = PreferenceReader.read(record);
                } catch (CorpusException e) {
                    if (!skipWrong) {
                        throw e;
                    }
                    wrong++;
                    firstWrong = firstWrong.or(() -> Optional.of(e.getMessage()));
                    continue;
                }
                PreferenceFormat.Rendered rendered = format.render(preference);
                pairs++;
                turns += preference instanceof Preference.OfTurns ? 1 : 0;
                tooLong += rendered.tooLong() ? 1 : 0;
                rendered.pair().ifPresent(pair -> all.add(new Read(hash(rendered.whole()), pair)));
            }
            files = reader.filesRead();
        }
        Counts counts = new Counts(pairs, tooLong, pairs - all.size(), wrong, firstWrong, turns);
        return split(all, format, counts, files);
    }

    /// This set with all of it to train on, and all of another one held out.
    public PreferenceSet measuredBy(PreferenceSet other) {
        List<PreferencePair> all = together(train, heldOut);
        List<PreferencePair> scored = together(other.train, other.heldOut);
        Counts sums = new Counts(
                counts.pairs + other.counts.pairs,
                counts.tooLong + other.counts.tooLong,
                counts.lost + other.counts.lost,
                counts.wrong + other.counts.wrong,
                counts.firstWrong.or(other.counts::firstWrong),
                counts.turns + other.counts.turns);
        return new PreferenceSet(all, scored, format, sums, table, together(files, other.files), hash(all, scored));
    }

    private static <T> List<T> together(List<T> first, List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private static PreferenceSet split(List<Read> all, PreferenceFormat format, Counts counts, List<DataFile> files)
            throws CorpusException {
        String border = HashSplit.border(all.stream().map(Read::hash).toList());
        List<PreferencePair> train = side(all, border, false);
        List<PreferencePair> heldOut = side(all, border, true);
        if (train.isEmpty()) {
            throw new CorpusException(
                    "of %,d pairs none is left to train on: %,d are longer than %,d tokens (%s), %,d are held out; give more, or a longer context"
                            .formatted(counts.pairs, counts.tooLong, format.most(), format.policy(), heldOut.size()));
        }
        TokenTable table = TokenTable.of(format.chat().tokenizer());
        return new PreferenceSet(train, heldOut, format, counts, table, files, hash(train, heldOut));
    }

    private static String hash(List<PreferencePair> train, List<PreferencePair> heldOut) {
        ExampleHash hash = new ExampleHash();
        for (List<PreferencePair> side : List.of(train, heldOut)) {
            hash.add(side.size());
            side.forEach(pair -> hash.add(pair.examples()));
        }
        return hash.hex();
    }

    private static List<PreferencePair> side(List<Read> all, String border, boolean heldOut) {
        return all.stream()
                .filter(read -> read.hash.compareTo(border) <= 0 == heldOut)
                .map(Read::pair)
                .toList();
    }

    /// Of what stands before the answers; of the answers where that is nothing but the beginning of a text.
    private static String hash(PreferencePair pair) {
        int[] context = pair.context();
        return context.length > 1
                ? new ExampleHash().add(context).hex()
                : new ExampleHash().add(pair.examples()).hex();
    }

    /// Whether there are conversations among the pairs.
    boolean turns() {
        return counts.turns > 0;
    }

    /// Tokens of the longest answer with what stands before it.
    int longest() {
        int longest = 0;
        for (PreferencePair pair : train) {
            for (Example example : pair.examples()) {
                longest = Math.max(longest, example.tokens().length);
            }
        }
        return longest;
    }

    /// A sentence or more for a person.
    public String description() {
        StringBuilder text =
                new StringBuilder("%,d pairs, %,d of them held out".formatted(counts.pairs, heldOut.size()));
        if (counts.tooLong > 0) {
            String done = switch (format.policy()) {
                case DROP -> "dropped";
                case CUT -> "cut";
                case SPLIT -> "left without their oldest part";
            };
            text.append("; %,d are longer than %,d tokens and %s".formatted(counts.tooLong, format.most(), done));
            if (format.policy() != LongConversations.DROP) {
                text.append(", %,d of them lost".formatted(counts.lost));
            }
        }
        counts.firstWrong.ifPresent(first -> text.append(
                "; %,d records are no pairs and were passed over, the first: %s".formatted(counts.wrong, first)));
        return text.toString();
    }

    /// As reports and [#FILE] take it.
    public ObjectNode toJson() {
        ObjectNode json = new JsonMapper().createObjectNode();
        DataFile.record(files, json);
        json.put("sha256", sha256);
        json.putObject("split")
                .put("description", "one pair in %d, by the hash of its request".formatted(HashSplit.ONE_IN));
        json.putObject("too_long")
                .put("policy", format.policy().name())
                .put("tokens", format.most())
                .put("pairs", counts.tooLong)
                .put("lost", counts.lost);
        json.put("wrong", counts.wrong);
        describe(json.putObject("train"), train);
        describe(json.putObject("held_out"), heldOut);
        return json;
    }

    private void describe(ObjectNode json, List<PreferencePair> side) {
        long tokens = 0;
        long bytes = 0;
        for (PreferencePair pair : side) {
            for (Example example : pair.examples()) {
                tokens += example.learnedTokens();
                for (int i = 1; i < example.tokens().length; i++) {
                    bytes += example.learned()[i] ? table.byteLengths()[example.tokens()[i]] : 0;
                }
            }
        }
        json.put("documents", side.size()).put("tokens", tokens).put("bytes", bytes);
    }
}
