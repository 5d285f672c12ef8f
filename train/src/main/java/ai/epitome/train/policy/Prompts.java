package ai.epitome.train.policy;

import ai.epitome.text.chat.ChatFormat;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.ExampleHash;
import ai.epitome.train.data.HashSplit;
import ai.epitome.train.data.Permutation;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.task.TaskKind;
import ai.epitome.train.task.TaskMixture;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/// Where prompts come from: to learn from in an order without end, and some that are held out.
public sealed interface Prompts {
    /// A prompt to learn from. The same number gives the same prompt.
    Prompt at(long number);

    /// Up to so many prompts that nothing learns from.
    List<Prompt> heldOut(int count);

    /// For a person, and to tell runs apart.
    String describe();

    /// The bundled tasks, drawn otherwise than `epitome tasks` draws them with any seed that people give: what
    /// fine-tuning has read is answered rightly, and rewards teach nothing there. Kinds of few instances, such as
    /// arithmetic, repeat what it has read all the same.
    ///
    /// @param besides kinds that are taught nowhere
    record OfTasks(long seed, ChatFormat format, List<TaskKind> besides) implements Prompts {
        public OfTasks {
            besides = List.copyOf(besides);
        }

        @Override
        public Prompt at(long number) {
            return Prompt.ofTask(format, new TaskMixture(~seed, false).task(number, besides));
        }

        /// As many of each kind.
        @Override
        public List<Prompt> heldOut(int count) {
            List<TaskKind> kinds = Arrays.stream(TaskKind.values())
                    .filter(kind -> kind.learned() || besides.contains(kind))
                    .toList();
            TaskMixture mixture = new TaskMixture(seed, true);
            return kinds.stream()
                    .flatMap(kind -> mixture.tasks(kind, Math.ceilDiv(count, kinds.size())).stream())
                    .map(task -> Prompt.ofTask(format, task))
                    .toList();
        }

        @Override
        public String describe() {
            String more = besides.stream().map(kind -> ", and " + kind.label()).collect(Collectors.joining());
            return "fresh bundled tasks of %d kinds, seed %d%s".formatted(TaskKind.values().length, seed, more);
        }
    }

    /// Some that were read.
    ///
    /// @param learned to learn from
    /// @param kept that are held out: one in twenty, those with the lowest hashes of their tokens
    /// @param sha256 of the tokens of all, in their order
    record Listed(long seed, List<Prompt> learned, List<Prompt> kept, String sha256) implements Prompts {
        /// @param longest tokens of a prompt; longer ones are left out
        /// @throws CorpusException if none is left to learn from
        public static Listed of(List<Prompt> prompts, long seed, int longest) throws CorpusException {
            List<Prompt> fitting = prompts.stream()
                    .filter(prompt -> prompt.tokens().length <= longest)
                    .toList();
            List<String> hashes = fitting.stream()
                    .map(prompt -> new ExampleHash().add(prompt.tokens()).hex())
                    .toList();
            String border = HashSplit.border(hashes);
            List<Prompt> learned = new ArrayList<>();
            List<Prompt> kept = new ArrayList<>();
            for (int i = 0; i < fitting.size(); i++) {
                (hashes.get(i).compareTo(border) <= 0 ? kept : learned).add(fitting.get(i));
            }
            if (learned.isEmpty()) {
                throw new CorpusException("of %,d prompts none is left to learn from: at most %,d tokens fit"
                        .formatted(prompts.size(), longest));
            }
            ExampleHash all = new ExampleHash();
            prompts.forEach(prompt -> all.add(prompt.tokens()));
            return new Listed(seed, learned, kept, all.hex());
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
            return "%,d prompts, %,d held out (SHA-256 %s), seed %d"
                    .formatted(learned.size(), kept.size(), sha256, seed);
        }
    }
}
