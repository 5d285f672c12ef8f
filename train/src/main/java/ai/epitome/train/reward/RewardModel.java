package ai.epitome.train.reward;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.train.data.TextTokens;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/// What a text is worth: a transformer whose [ScoringHead] reads the last token (Ouyang et al. 2022, section 3.5).
///
/// A model of comparisons gives rewards, of which only differences mean something: the probability that people prefer
/// one answer to another is the sigmoid of the difference. A model of labels gives the log-odds of the label.
///
/// Kept as Hugging Face's models for classification of sequences are: a model's folder whose `model.safetensors` holds
/// `score.weight` (1, C) besides.
///
/// ```java
/// try (RewardModel reward = RewardModel.load(Path.of("models/reward"), backend)) {
///     double[] scores = reward.score(List.of(reward.tokens("A great film."), reward.tokens("A waste of time.")));
/// }
/// ```
///
/// Safe for use by several threads, which take turns.
public final class RewardModel implements AutoCloseable {
    /// Tokens that are computed side by side.
    private static final int TOKENS_AT_ONCE = 8192;

    private final Transformer model;
    private final ScoringHead head;
    private final Tokenizer tokenizer;
    private final Backend backend;
    private final Arena arena;
    private final StepArena steps = new StepArena();

    private RewardModel(Transformer model, ScoringHead head, Tokenizer tokenizer, Backend backend, Arena arena) {
        this.model = model;
        this.head = head;
        this.tokenizer = tokenizer;
        this.backend = backend;
        this.arena = arena;
    }

    /// Over weights that someone else holds, a run that trains them for one: closing it leaves them.
    static RewardModel over(Transformer model, ScoringHead head, Tokenizer tokenizer, Backend backend) {
        return new RewardModel(model, head, tokenizer, backend, null);
    }

    /// Reads what `epitome reward` has left.
    ///
    /// @throws MalformedModelException if the folder holds no reward model, or it is broken
    public static RewardModel load(Path folder, Backend backend) throws IOException {
        Transformer model = ModelFolder.loadTransformer(folder, Set.of(ScoringHead.NAME));
        Arena arena = Arena.ofShared();
        try (Safetensors file = Safetensors.open(folder.resolve("model.safetensors"))) {
            ScoringHead head = ScoringHead.create(arena, model.config().width());
            fill(head, file);
            Path words = ModelFolder.tokenizerFile(folder)
                    .orElseThrow(() -> new MalformedModelException(folder, "has no tokenizer"));
            return new RewardModel(model, head, Tokenizers.load(words), backend, arena);
        } catch (IOException | RuntimeException e) {
            model.close();
            arena.close();
            throw e;
        }
    }

    /// Puts a file's head into `head`.
    static void fill(ScoringHead head, Safetensors file) throws MalformedModelException {
        List<Integer> shape = List.of(1, head.weight().shape()[1]);
        Safetensors.Entry entry = file.entries().get(ScoringHead.NAME);
        if (entry == null || !entry.shape().equals(shape)) {
            throw new MalformedModelException(
                    file.file(),
                    "expected a tensor `%s` %s, as `epitome reward` writes it, found %s"
                            .formatted(ScoringHead.NAME, shape, entry == null ? "none" : entry.shape()));
        }
        head.weight().value().set(entry.tensor().toFloats());
        head.weight().changed();
    }

    /// What each text is worth, by its last token.
    ///
    /// @param texts token ids of this model's tokenizer, one or more each, and at most [#context]; the first is the
    ///     one that texts begin with, as [#tokens] puts it
    public double[] score(List<int[]> texts) {
        for (int[] text : texts) {
            if (text.length == 0 || text.length > context()) {
                throw new IllegalArgumentException(
                        "a text of %d tokens; the reward model reads from 1 to %d".formatted(text.length, context()));
            }
        }
        double[] scores = new double[texts.size()];
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingInt(i -> texts.get(i).length)); // stable; little filler
        for (int from = 0; from < order.size(); ) {
            int to = from + 1;
            while (to < order.size() && (to + 1 - from) * texts.get(order.get(to)).length <= TOKENS_AT_ONCE) {
                to++;
            }
            score(texts, order.subList(from, to), scores);
            from = to;
        }
        return scores;
    }

    private void score(List<int[]> texts, List<Integer> chosen, double[] scores) {
        int length = texts.get(chosen.getLast()).length;
        int[] ids = new int[chosen.size() * length];
        for (int row = 0; row < chosen.size(); row++) {
            int[] text = texts.get(chosen.get(row));
            // Filler follows the last token, which does not see it.
            System.arraycopy(text, 0, ids, row * length, text.length);
        }
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            steps.reset();
            Tape tape = new Tape(backend, steps, false);
            float[] all = head.scores(tape, model, new Sequences(ids, chosen.size()), Dropout.NONE)
                    .toFloats();
            for (int row = 0; row < chosen.size(); row++) {
                int number = chosen.get(row);
                scores[number] = all[row * length + texts.get(number).length - 1];
            }
        } finally {
            turn.unlock();
        }
    }

    /// A text as the model reads it: its tokens behind the one that texts begin with, and no more than fit.
    public int[] tokens(String text) {
        int[] all = TextTokens.of(tokenizer, text);
        return Arrays.copyOf(all, Math.min(all.length, context()));
    }

    /// Most tokens of a text.
    public int context() {
        return model.config().context();
    }

    /// That of the model it was trained from.
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public void close() {
        steps.close();
        if (arena != null) {
            arena.close();
            model.close();
        }
    }
}
