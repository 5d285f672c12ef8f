package ai.epitome.train.reward;

import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.DataFile;
import ai.epitome.train.data.ExampleHash;
import ai.epitome.train.data.HashSplit;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.preference.PreferenceFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Texts that have a label or lack it, one JSON object each: `{"text": "...", "label": 1}`; a label is 0 or 1, false or
/// true, "negative" or "positive". Instead of a text there may be a `prompt` and a `completion`, texts or turns. Other
/// fields are passed over.
///
/// Longer than `most` tokens: `drop` leaves a text out, `cut` keeps its beginning, `split` makes several texts of it
/// with the same label, each behind the token that texts begin with.
///
/// @param texts in their order
/// @param format tokenizer, length and what becomes of longer texts
/// @param tooLong those longer than `most` tokens
/// @param wrong records that break the rules, and were passed over
/// @param firstWrong what is wrong with the first of those
/// @param files what was read
record LabelledTexts(
        List<Text> texts,
        PreferenceFormat format,
        long tooLong,
        long wrong,
        Optional<String> firstWrong,
        List<DataFile> files) {

    /// @param hash of all its tokens
    /// @param pieces what is learned of it; none where it was left out
    record Text(String hash, List<Judged> pieces) {}

    static LabelledTexts read(Corpus corpus, PreferenceFormat format, boolean skipWrong) throws IOException {
        List<Text> texts = new ArrayList<>();
        long tooLong = 0;
        long wrong = 0;
        Optional<String> firstWrong = Optional.empty();
        try (RecordReader reader = corpus.openRecords()) {
            for (JsonRecord record = reader.next(); record != null; record = reader.next()) {
                try {
                    boolean answer = record.json().has("completion");
                    int[] tokens = answer
                            ? format.completion(record).tokens()
                            : TextTokens.of(format.chat().tokenizer(), text(record));
                    tooLong += tokens.length > format.most() ? 1 : 0;
                    texts.add(new Text(
                            new ExampleHash().add(tokens).hex(), pieces(tokens, label(record), answer, format)));
                } catch (CorpusException e) {
                    if (!skipWrong) {
                        throw e;
                    }
                    wrong++;
                    firstWrong = firstWrong.or(() -> Optional.of(e.getMessage()));
                }
            }
            return new LabelledTexts(texts, format, tooLong, wrong, firstWrong, reader.filesRead());
        }
    }

    private static String text(JsonRecord record) throws CorpusException {
        JsonNode text = record.json().path("text");
        if (!text.isString() || text.asString().isBlank()) {
            throw record.wrong(text.isString() ? "`text` is empty" : "`text` must be a string, found " + found(text));
        }
        return text.asString();
    }

    private static boolean label(JsonRecord record) throws CorpusException {
        JsonNode label = record.json().path("label");
        return switch (label.isString() ? label.asString() : label.toString()) {
            case "1", "true", "positive" -> true;
            case "0", "false", "negative" -> false;
            default ->
                throw record.wrong(
                        "`label` must be 0 or 1, false or true, \"negative\" or \"positive\", found " + found(label));
        };
    }

    private static String found(JsonNode value) {
        return value.isMissingNode() ? "none" : value.toString();
    }

    private static List<Judged> pieces(int[] tokens, boolean label, boolean answer, PreferenceFormat format) {
        int most = format.most();
        if (tokens.length <= most) {
            return tokens.length < 2 ? List.of() : List.of(Judged.labelled(tokens, label));
        }
        // Half a conversation is none, so an answer is not split.
        LongConversations policy =
                answer && format.policy() == LongConversations.SPLIT ? LongConversations.CUT : format.policy();
        return switch (policy) {
            case DROP -> List.of();
            case CUT -> List.of(Judged.labelled(Arrays.copyOf(tokens, most), label));
            case SPLIT -> {
                boolean begins = TextTokens.beginning(format.chat().tokenizer()).isPresent();
                int kept = begins ? 1 : 0; // the token that texts begin with
                List<Judged> pieces = new ArrayList<>();
                for (int from = kept; from < tokens.length; from += most - kept) {
                    int[] piece = new int[Math.min(most, kept + tokens.length - from)];
                    piece[0] = tokens[0];
                    System.arraycopy(tokens, from, piece, kept, piece.length - kept);
                    if (piece.length >= 2) {
                        pieces.add(Judged.labelled(piece, label));
                    }
                }
                yield pieces;
            }
        };
    }

    /// One text in twenty is held out.
    RewardSet split() throws CorpusException {
        String border = HashSplit.border(texts.stream().map(Text::hash).toList());
        List<Text> train =
                texts.stream().filter(text -> text.hash.compareTo(border) > 0).toList();
        List<Text> heldOut =
                texts.stream().filter(text -> text.hash.compareTo(border) <= 0).toList();
        return set(train, heldOut, "one text in %d, by hash".formatted(HashSplit.ONE_IN), files);
    }

    /// The others are held out.
    RewardSet with(LabelledTexts others) throws CorpusException {
        List<DataFile> all =
                Stream.concat(files.stream(), others.files.stream()).toList();
        return set(texts, others.texts, "files of their own", all);
    }

    private RewardSet set(List<Text> train, List<Text> heldOut, String how, List<DataFile> all) throws CorpusException {
        List<Judged> learned = pieces(train);
        List<Judged> measured = pieces(heldOut);
        if (learned.isEmpty()) {
            throw new CorpusException(
                    "of %,d texts none is left to train on: %,d are longer than %,d tokens (%s), %,d are held out; give more, or a longer context"
                            .formatted(texts.size(), tooLong, format.most(), format.policy(), heldOut.size()));
        }
        ExampleHash hash = new ExampleHash();
        for (List<Judged> side : List.of(learned, measured)) {
            hash.add(side.size());
            side.forEach(judged -> hash.add(judged.texts()).add(judged.positive() ? 1 : 0));
        }
        String sha256 = hash.hex();
        ObjectNode json = new JsonMapper().createObjectNode();
        DataFile.record(all, json);
        json.put("sha256", sha256);
        json.putObject("split").put("description", how);
        json.putObject("too_long")
                .put("policy", format.policy().name())
                .put("tokens", format.most())
                .put("texts", tooLong);
        json.put("wrong", wrong);
        describe(json.putObject("train"), train.size(), learned);
        describe(json.putObject("held_out"), heldOut.size(), measured);
        return new RewardSet(learned, measured, format, false, description(train, heldOut, learned), json, sha256);
    }

    private static List<Judged> pieces(List<Text> side) {
        return side.stream().flatMap(text -> text.pieces.stream()).toList();
    }

    private String description(List<Text> train, List<Text> heldOut, List<Judged> learned) {
        long positive = learned.stream().filter(Judged::positive).count();
        String text = "%,d texts with labels, and %,d that are held out; %,d to learn from, %,d of them positive"
                .formatted(train.size(), heldOut.size(), learned.size(), positive);
        if (tooLong > 0) {
            String done = switch (format.policy()) {
                case DROP -> "dropped";
                case CUT -> "cut";
                case SPLIT -> "split";
            };
            text += "; %,d are longer than %,d tokens and %s".formatted(tooLong, format.most(), done);
        }
        return firstWrong.isEmpty()
                ? text
                : text
                        + "; %,d records break the rules and were passed over, the first: %s"
                                .formatted(wrong, firstWrong.get());
    }

    private static void describe(ObjectNode json, long texts, List<Judged> pieces) {
        long tokens = pieces.stream()
                .mapToLong(judged -> judged.texts().getFirst().tokens().length)
                .sum();
        json.put("documents", texts).put("tokens", tokens).put("bytes", 0);
    }
}
