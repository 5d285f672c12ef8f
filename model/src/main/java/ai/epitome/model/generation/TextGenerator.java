package ai.epitome.model.generation;

import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.engine.Engine;
import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.engine.SavedCache;
import ai.epitome.model.engine.Session;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// A [Transformer] with its tokenizer as a [CompletionModel]. All requests under way go through one [Engine], which
/// continues them together.
public final class TextGenerator implements CompletionModel {
    private final String id;
    private final Transformer model;
    private final Tokenizer tokenizer;
    private final Set<Integer> endOfText;
    private final Backend backend;
    private final Engine engine;
    private final Adapter adapter; // of the engine's model; or null
    private final SavedCache saved;
    private TokenVocabulary vocabulary;

    /// @param endOfText tokens that end a generation
    public TextGenerator(String id, Transformer model, Tokenizer tokenizer, Set<Integer> endOfText, Backend backend) {
        this(id, model, tokenizer, endOfText, backend, EngineLimits.DEFAULT);
    }

    /// @param endOfText tokens that end a generation
    /// @param limits what all requests together may take
    public TextGenerator(
            String id,
            Transformer model,
            Tokenizer tokenizer,
            Set<Integer> endOfText,
            Backend backend,
            EngineLimits limits) {
        if (tokenizer.vocabularySize() > model.config().vocabulary()) {
            throw new IllegalArgumentException(
                    "the tokenizer has %d tokens, the model only %d: they do not belong together"
                            .formatted(
                                    tokenizer.vocabularySize(), model.config().vocabulary()));
        }
        this.id = id;
        this.model = model;
        this.tokenizer = tokenizer;
        this.endOfText = Set.copyOf(endOfText);
        this.backend = backend;
        this.engine = new Engine(model, backend, limits);
        this.adapter = null;
        this.saved = new SavedCache(engine, model, null);
    }

    private TextGenerator(TextGenerator base, String id, Adapter adapter, Set<Integer> endOfText) {
        this.id = id;
        this.model = base.model.with(adapter);
        this.tokenizer = base.tokenizer;
        this.endOfText = Set.copyOf(endOfText);
        this.backend = base.backend;
        this.engine = base.engine;
        this.adapter = adapter;
        this.saved = new SavedCache(engine, model, adapter);
    }

    /// The same model with an adapter, under another name. Both use one engine: their requests go through the same
    /// passes, which read each weight once for all of them.
    ///
    /// @param endOfText tokens that end a generation
    /// @throws IllegalStateException when this model has an adapter already
    public TextGenerator with(String newId, Adapter added, Set<Integer> endOfText) {
        if (model.adapted()) {
            throw new IllegalStateException(id + " has an adapter already: add this one to its model");
        }
        return new TextGenerator(this, newId, added, endOfText);
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public int contextLength() {
        return model.config().context();
    }

    /// The tokenizer's: a model may have more rows, padding, which is never sampled.
    @Override
    public int vocabularySize() {
        return tokenizer.vocabularySize();
    }

    @Override
    public int[] encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8));
    }

    /// The tokens of a prompt: those of its text, behind the one that the tokenizer wants before every text.
    public int[] encode(byte[] text) {
        int[] ids = tokenizer.encode(text);
        return tokenizer.beginOfText().isEmpty()
                ? ids
                : IntStream.concat(tokenizer.beginOfText().stream(), Arrays.stream(ids))
                        .toArray();
    }

    @Override
    public byte[] bytes(int token) {
        return tokenizer.token(token);
    }

    /// Begins to continue `request.prompt()`, with the other requests that are under way.
    ///
    /// @throws IllegalArgumentException when a prompt id is outside the vocabulary
    public Generation submit(GenerationRequest request) {
        return submit(request, () -> false);
    }

    /// The same.
    ///
    /// @param cancelled asked before each token, by a thread of the engine; true ends the text with
    /// [FinishReason#CANCELLED]
    public Generation submit(GenerationRequest request, BooleanSupplier cancelled) {
        return submit(List.of(request), cancelled).getFirst();
    }

    /// Begins to continue all of these at once. Where nothing else is under way, their texts then do not depend on
    /// time.
    ///
    /// @param cancelled asked before each token, by a thread of the engine; true ends the texts with
    /// [FinishReason#CANCELLED]
    public List<Generation> submit(List<GenerationRequest> requests, BooleanSupplier cancelled) {
        List<Submission> submissions = requests.stream()
                .map(request -> new Submission(request, cancelled, new Generation()))
                .toList();
        begin(submissions);
        return submissions.stream().map(Submission::generation).toList();
    }

    private record Submission(GenerationRequest request, BooleanSupplier cancelled, Generation generation) {}

    private void begin(List<Submission> submissions) {
        submissions.forEach(each -> requireTokens(each.request.prompt()));
        List<Engine.Beginning> beginnings = new ArrayList<>();
        for (Submission each : submissions) {
            GenerationRequest request = each.request;
            if (request.maxTokens() == 0) {
                each.generation.end(new GenerationResult("", FinishReason.LENGTH, request.prompt().length, 0));
            } else {
                beginnings.add(beginning(request, each.cancelled, each.generation));
            }
        }
        if (!beginnings.isEmpty()) {
            engine.submit(beginnings);
        }
    }

    private Engine.Beginning beginning(GenerationRequest request, BooleanSupplier cancelled, Generation generation) {
        int[] prompt = request.prompt().length > 0 ? request.prompt() : beginning();
        long wanted = (long) prompt.length + request.maxTokens();
        Sampler sampler = new Sampler(request, this::vocabulary);
        Decoding.Scoring scoring = (token, logits) -> scored(token, logits, request.topLogProbabilities());
        return new Engine.Beginning(
                prompt,
                (int) Math.min(wanted, contextLength()),
                request.owner(),
                adapter,
                new Decoding(request, sampler, endOfText, vocabularySize(), scoring, cancelled, generation));
    }

    /// As [#submit], with a listener on the calling thread, which must not hold the turn of the backend's workers.
    @Override
    public GenerationResult generate(
            GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled) {
        Generation generation = submit(request, cancelled);
        try {
            Optional<GenerationPiece> piece = generation.next();
            while (piece.isPresent()) {
                listener.accept(piece.get());
                piece = generation.next();
            }
        } catch (InterruptedException e) {
            generation.cancel();
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            generation.cancel();
            generation.awaitEnd(); // so that the model may be closed
            throw e;
        }
        return generation.result();
    }

    /// As [#submit] of all, with listeners on the calling thread, which must not hold the turn of the backend's
    /// workers.
    @Override
    public void generate(List<Choice> choices) {
        Semaphore news = new Semaphore(0);
        List<Submission> submissions = choices.stream()
                .map(choice -> new Submission(choice.request(), choice.cancelled(), new Generation(news)))
                .toList();
        begin(submissions);
        Map<Generation, Choice> open = new LinkedHashMap<>();
        for (int i = 0; i < choices.size(); i++) {
            open.put(submissions.get(i).generation, choices.get(i));
        }
        try {
            while (!open.isEmpty()) {
                awaitNews(news, open);
                takeAll(open);
            }
        } catch (RuntimeException | Error e) {
            open.keySet().forEach(Generation::cancel);
            open.keySet().forEach(Generation::awaitEnd); // so that the model may be closed
            open.forEach((generation, choice) -> cutShort(generation, choice, e));
            throw e;
        }
    }

    /// Waits until there is something to take. Where the thread is interrupted, that is all, cancelled.
    private static void awaitNews(Semaphore news, Map<Generation, Choice> open) {
        try {
            news.acquire();
            news.drainPermits();
        } catch (InterruptedException e) {
            open.keySet().forEach(Generation::cancel);
            open.keySet().forEach(Generation::awaitEnd);
            Thread.currentThread().interrupt();
        }
    }

    /// Hands on what has come. Those that are over leave `open`, first of all: none gets two results.
    private static void takeAll(Map<Generation, Choice> open) {
        for (var each : List.copyOf(open.entrySet())) {
            Generation generation = each.getKey();
            Choice choice = each.getValue();
            Optional<GenerationPiece> piece = generation.poll();
            while (piece.isPresent()) {
                choice.listener().accept(piece.get());
                piece = generation.poll();
            }
            if (generation.isTaken()) {
                open.remove(generation);
                choice.ended().accept(generation.result());
            }
        }
    }

    /// Tells a choice what it had come to when another one failed: its tokens count, those that nobody took, too.
    private static void cutShort(Generation generation, Choice choice, Throwable failure) {
        try {
            choice.ended().accept(generation.result().cancelled());
        } catch (RuntimeException | Error also) {
            if (also != failure) {
                failure.addSuppressed(also);
            }
        }
    }

    /// Keeps keys and values of the beginning of `tokens` in a file, as far as they have been computed for texts
    /// before; a prompt that begins with these tokens need not be read again after [#loadCache].
    ///
    /// @return how many tokens were kept
    /// @throws IllegalStateException when none of them is known
    public int saveCache(int[] tokens, Path file) throws IOException {
        return saved.save(tokens, file);
    }

    /// Takes over what [#saveCache] has kept.
    ///
    /// @return how many tokens it stands for
    /// @throws ai.epitome.model.engine.MalformedCacheException when the file is damaged, or of another model or
    ///     format
    public int loadCache(Path file) throws IOException {
        return saved.load(file);
    }

    /// The tokens as constraints see them; made when they are first asked for.
    private synchronized TokenVocabulary vocabulary() {
        if (vocabulary == null) {
            vocabulary = new TokenVocabulary(tokenizer, endOfText);
        }
        return vocabulary;
    }

    /// What an empty prompt stands for: the border between two texts, or the beginning of a line.
    private int[] beginning() {
        OptionalInt border = tokenizer.beginOfText().isPresent() ? tokenizer.beginOfText() : tokenizer.endOfText();
        return border.isPresent()
                ? new int[] {border.getAsInt()}
                : tokenizer.encode("\n".getBytes(StandardCharsets.UTF_8));
    }

    /// Windows as [ai.epitome.model.Scorer] reads them: a full context, moved on by half of it.
    @Override
    public List<ScoredToken> score(int[] ids, int top) {
        requireTokens(ids);
        List<ScoredToken> result = new ArrayList<>();
        if (ids.length == 0) {
            return result;
        }
        result.add(new ScoredToken(ids[0], bytes(ids[0]), Float.NaN, List.of()));
        int context = contextLength();
        int stride = Math.max(1, context / 2);
        try (Session session = new Session(model, backend, Math.min(context, ids.length))) {
            for (int begin = 0; result.size() < ids.length; begin += stride) {
                int start = begin;
                session.rewind(0);
                session.scan(Arrays.copyOfRange(ids, begin, Math.min(ids.length, begin + context)), (index, logits) -> {
                    int predicted = start + index + 1;
                    if (predicted == result.size() && predicted < ids.length) {
                        result.add(scored(ids[predicted], real(logits), top));
                    }
                });
            }
        }
        return result;
    }

    @Override
    public float[] embed(int[] ids) {
        requireTokens(ids);
        try (Session session = new Session(model, backend, ids.length)) {
            return session.meanHidden(ids);
        }
    }

    /// Only the rows that stand for tokens.
    private float[] real(float[] logits) {
        return logits.length == vocabularySize() ? logits : Arrays.copyOf(logits, vocabularySize());
    }

    private ScoredToken scored(int token, float[] logits, int top) {
        if (top == GenerationRequest.UNSCORED) {
            return new ScoredToken(token, bytes(token), Float.NaN, List.of());
        }
        double normalizer = LogProbabilities.logSumExp(logits);
        List<ScoredToken.Alternative> alternatives = new ArrayList<>();
        if (top > 0) {
            Ranking ranking = new Ranking(logits);
            for (int rank = 0; rank < Math.min(top, logits.length); rank++) {
                int other = ranking.id(rank);
                alternatives.add(
                        new ScoredToken.Alternative(other, bytes(other), (float) (logits[other] - normalizer)));
            }
        }
        return new ScoredToken(token, bytes(token), (float) (logits[token] - normalizer), alternatives);
    }

    private void requireTokens(int[] ids) {
        for (int token : ids) {
            if (token < 0 || token >= vocabularySize()) {
                throw new IllegalArgumentException(
                        "token %d: the model has ids 0 to %d".formatted(token, vocabularySize() - 1));
            }
        }
    }
}
