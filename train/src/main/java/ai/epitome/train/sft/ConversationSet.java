package ai.epitome.train.sft;

import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ConversationReader;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.chat.TrainingConversation;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.DataFile;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.HashSplit;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.data.TokenTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Conversations as examples: those to train on, and those that are held out.
///
/// Held out are one in twenty, at least one and at most 500: those with the lowest SHA-256 of their tokens. So copies
/// of a conversation are on the same side, and the choice does not depend on the order of the files.
///
/// @param train examples to train on
/// @param heldOut examples to score
/// @param asked the held-out conversations themselves, for samples
/// @param length tokens of a row
/// @param policy for what is longer
/// @param counts what was read
/// @param table of the tokenizer
/// @param files what was read, in order
/// @param sha256 of all examples, their marks and sides
public record ConversationSet(
        List<Example> train,
        List<Example> heldOut,
        List<TrainingConversation> asked,
        int length,
        LongConversations policy,
        Counts counts,
        TokenTable table,
        List<DataFile> files,
        String sha256) {
    /// What its description is called in a model's folder.
    public static final String FILE = "conversations.json";

    /// @param conversations all of them
    /// @param tooLong those longer than a row
    /// @param lost those of which nothing learnable was left
    /// @param heldOut those that are held out
    public record Counts(long conversations, long tooLong, long lost, long heldOut) {}

    /// One conversation or continued text, and what became of it.
    private record Read(
            String hash, Optional<TrainingConversation> conversation, List<Example> examples, boolean tooLong) {}

    /// Reads everything.
    ///
    /// @param length tokens of a row, T
    /// @throws CorpusException if something is no conversation, or nothing is left to train on
    public static ConversationSet read(Corpus corpus, ChatEncoding format, LongConversations policy, int length)
            throws IOException {
        List<Read> all = new ArrayList<>();
        List<DataFile> files;
        try (RecordReader reader = corpus.openRecords()) {
            for (JsonRecord next = reader.next(); next != null; next = reader.next()) {
                all.add(
                        next.json().has("completion")
                                ? text(next, format, policy, length)
                                : read(ConversationReader.read(next), format, policy, length));
            }
            files = reader.filesRead();
        }
        String border = HashSplit.border(all.stream().map(Read::hash).toList());
        List<Read> heldOut =
                all.stream().filter(read -> read.hash.compareTo(border) <= 0).toList();
        List<Example> train = examples(
                all.stream().filter(read -> read.hash.compareTo(border) > 0).toList());
        Counts counts = new Counts(
                all.size(),
                all.stream().filter(Read::tooLong).count(),
                all.stream().filter(read -> read.examples.isEmpty()).count(),
                heldOut.size());
        if (train.isEmpty()) {
            throw new CorpusException(
                    "of %,d conversations none is left to train on: %,d are longer than %,d tokens (%s), %,d are held out; give more, or a longer context"
                            .formatted(counts.conversations, counts.tooLong, length, policy, counts.heldOut));
        }
        List<Example> scored = examples(heldOut);
        return new ConversationSet(
                train,
                scored,
                heldOut.stream().flatMap(read -> read.conversation.stream()).toList(),
                length,
                policy,
                counts,
                TokenTable.of(format.tokenizer()),
                files,
                hash(train, scored));
    }

    /// This set with all of it to train on, and all of another one held out.
    public ConversationSet measuredBy(ConversationSet other) {
        List<Example> all = together(train, heldOut);
        List<Example> scored = together(other.train, other.heldOut);
        return new ConversationSet(
                all,
                scored,
                other.asked,
                length,
                policy,
                new Counts(
                        counts.conversations + other.counts.conversations,
                        counts.tooLong + other.counts.tooLong,
                        counts.lost + other.counts.lost,
                        other.counts.conversations),
                table,
                together(files, other.files),
                hash(all, scored));
    }

    private static <T> List<T> together(List<T> first, List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    private static Read read(
            TrainingConversation conversation, ChatEncoding format, LongConversations policy, int length) {
        Example whole = format.render(conversation);
        boolean tooLong = whole.tokens().length > length + 1; // the last token is only a target
        List<Example> examples = tooLong ? policy.examples(conversation, format, length + 1) : List.of(whole);
        return new Read(hash(List.of(whole), List.of()), Optional.of(conversation), examples, tooLong);
    }

    /// `{"prompt": "...", "completion": "..."}`: a text, of which the end is learned, without marks of turns.
    private static Read text(JsonRecord record, ChatEncoding format, LongConversations policy, int length)
            throws CorpusException {
        JsonNode prompt = record.json().path("prompt");
        JsonNode completion = record.json().path("completion");
        if (!prompt.isString()
                || !completion.isString()
                || completion.asString().isBlank()) {
            throw record.wrong(
                    "`prompt` and `completion` must be texts, the completion not empty; a conversation goes into `messages`");
        }
        Example whole = TextTokens.continued(format.tokenizer(), prompt.asString(), completion.asString());
        boolean tooLong = whole.tokens().length > length + 1;
        Example kept = whole.beginning(length + 1);
        boolean lost = tooLong && policy == LongConversations.DROP || kept.learnedTokens() == 0;
        return new Read(hash(List.of(whole), List.of()), Optional.empty(), lost ? List.of() : List.of(kept), tooLong);
    }

    private static List<Example> examples(List<Read> side) {
        return side.stream().flatMap(read -> read.examples.stream()).toList();
    }

    private static String hash(List<Example> train, List<Example> heldOut) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        train.forEach(example -> update(digest, example));
        digest.update((byte) 1);
        heldOut.forEach(example -> update(digest, example));
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void update(MessageDigest digest, Example example) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 5 * example.tokens().length);
        bytes.putInt(example.tokens().length);
        for (int i = 0; i < example.tokens().length; i++) {
            bytes.putInt(example.tokens()[i]).put((byte) (example.learned()[i] ? 1 : 0));
        }
        digest.update(bytes.flip());
    }

    /// One sentence for a person.
    public String description() {
        String text = "%,d conversations, %,d of them held out; %,d tokens to learn"
                .formatted(counts.conversations, counts.heldOut, learned(train));
        if (counts.tooLong == 0) {
            return text;
        }
        return text
                + switch (policy) {
                    case DROP -> "; %,d are longer than %,d tokens and dropped".formatted(counts.tooLong, length);
                    case CUT, SPLIT ->
                        "; %,d are longer than %,d tokens and %s, %,d of them lost"
                                .formatted(
                                        counts.tooLong,
                                        length,
                                        policy == LongConversations.CUT ? "cut" : "split",
                                        counts.lost);
                };
    }

    /// As reports and [#FILE] take it.
    public ObjectNode toJson() {
        ObjectNode json = new JsonMapper().createObjectNode();
        DataFile.record(files, json);
        json.put("sha256", sha256);
        json.putObject("split").put("description", "one conversation in %d, by hash".formatted(HashSplit.ONE_IN));
        json.putObject("too_long")
                .put("policy", policy.name())
                .put("tokens", length)
                .put("conversations", counts.tooLong)
                .put("lost", counts.lost);
        side(json.putObject("train"), counts.conversations - counts.heldOut, train);
        side(json.putObject("held_out"), counts.heldOut, heldOut);
        return json;
    }

    private void side(ObjectNode json, long conversations, List<Example> examples) {
        json.put("documents", conversations).put("tokens", learned(examples)).put("bytes", bytes(examples));
    }

    private static long learned(List<Example> examples) {
        return examples.stream().mapToLong(Example::learnedTokens).sum();
    }

    private long bytes(List<Example> examples) {
        long bytes = 0;
        for (Example example : examples) {
            for (int i = 1; i < example.tokens().length; i++) {
                bytes += example.learned()[i] ? table.byteLengths()[example.tokens()[i]] : 0;
            }
        }
        return bytes;
    }
}
