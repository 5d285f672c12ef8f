package ai.epitome.train.policy;

import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.JsonRecord;
import ai.epitome.train.data.Permutation;
import ai.epitome.train.data.RecordReader;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.task.Task;
import ai.epitome.train.task.TaskKind;
import ai.epitome.train.task.TaskMixture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Where prompts come from: to learn from in an order without end, and some that are held out.
public sealed interface Prompts {
    /// A prompt to learn from. The same number gives the same prompt.
    Prompt at(long number);

    /// Up to so many prompts that nothing learns from.
    List<Prompt> heldOut(int count);

    /// For a person, and to tell runs apart.
    String describe();

    /// The bundled tasks.
    record OfTasks(long seed, ChatFormat format) implements Prompts {
        @Override
        public Prompt at(long number) {
            return prompt(new TaskMixture(seed, false).task(number));
        }

        /// As many of each learned kind.
        @Override
        public List<Prompt> heldOut(int count) {
            List<TaskKind> kinds =
                    Arrays.stream(TaskKind.values()).filter(TaskKind::learned).toList();
            TaskMixture mixture = new TaskMixture(seed, true);
            return kinds.stream()
                    .flatMap(kind -> mixture.tasks(kind, Math.ceilDiv(count, kinds.size())).stream())
                    .map(this::prompt)
                    .toList();
        }

        private Prompt prompt(Task task) {
            ObjectNode message = new JsonMapper().createObjectNode();
            int[] tokens = format.encode(
                    new Conversation(List.of(message.put("role", "user").put("content", task.request()))));
            return new Prompt(tokens, task.request(), false, Optional.of(task));
        }

        @Override
        public String describe() {
            return "bundled tasks, seed " + seed;
        }
    }

    /// Of files; one in twenty is held out.
    record OfFiles(long seed, List<Prompt> learned, List<Prompt> kept, String sha256) implements Prompts {
        private static final int ONE_IN = 20;

        /// Reads objects `{"prompt": "..."}`, whose text is gone on from as it is, or `{"messages": [...]}`, whose last
        /// turn is left out where it is the assistant's.
        ///
        /// @param longest tokens of a prompt; longer ones are left out
        public static OfFiles read(Corpus corpus, Tokenizer tokenizer, ChatFormat format, long seed, int longest)
                throws IOException {
            List<Prompt> learned = new ArrayList<>();
            List<Prompt> kept = new ArrayList<>();
            java.util.zip.CRC32C sum = new java.util.zip.CRC32C();
            long read = 0;
            try (RecordReader records = corpus.openRecords()) {
                for (JsonRecord record = records.next(); record != null; record = records.next()) {
                    Prompt prompt = prompt(record, tokenizer, format);
                    read++;
                    java.util.zip.CRC32C own = new java.util.zip.CRC32C();
                    for (int token : prompt.tokens()) {
                        own.update(token);
                        own.update(token >> 8);
                        own.update(token >> 16);
                    }
                    sum.update((int) own.getValue());
                    sum.update((int) (own.getValue() >> 8));
                    if (prompt.tokens().length <= longest) {
                        (own.getValue() % ONE_IN == 0 ? kept : learned).add(prompt);
                    }
                }
            }
            if (learned.isEmpty()) {
                throw new CorpusException(
                        "of %,d prompts none is left to learn from: at most %,d tokens fit, and one in %d is held out"
                                .formatted(read, longest, ONE_IN));
            }
            return new OfFiles(seed, learned, kept, "%08x".formatted(sum.getValue()));
        }

        private static Prompt prompt(JsonRecord record, Tokenizer tokenizer, ChatFormat format) throws CorpusException {
            JsonNode text = record.json().path("prompt");
            if (text.isString() && !text.asString().isEmpty()) {
                return new Prompt(TextTokens.of(tokenizer, text.asString()), text.asString(), true, Optional.empty());
            }
            List<ObjectNode> messages = new ArrayList<>();
            for (JsonNode message : record.json().path("messages")) {
                if (!(message instanceof ObjectNode turn)
                        || !turn.path("content").isString()) {
                    throw record.wrong("a turn without a text in `content`");
                }
                messages.add(turn);
            }
            if (!messages.isEmpty()
                    && messages.getLast().path("role").asString("").equals("assistant")) {
                messages.removeLast();
            }
            if (messages.isEmpty()) {
                throw record.wrong("expected a text `prompt`, or `messages` with something to answer");
            }
            String last = messages.getLast().path("content").asString();
            return new Prompt(format.encode(new Conversation(messages)), last, false, Optional.empty());
        }

        @Override
        public Prompt at(long number) {
            Permutation order = new Permutation(learned.size(), seed, number / learned.size());
            return learned.get((int) order.apply(number % learned.size()));
        }

        @Override
        public List<Prompt> heldOut(int count) {
            return kept.subList(0, Math.min(count, kept.size()));
        }

        @Override
        public String describe() {
            return "%,d prompts, %,d held out (%s), seed %d".formatted(learned.size(), kept.size(), sha256, seed);
        }
    }
}
