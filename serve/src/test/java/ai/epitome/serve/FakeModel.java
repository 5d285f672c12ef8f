package ai.epitome.serve;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.ScoredToken;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// A byte model that knows one text by heart and goes on in it wherever the prompt ends, at a given pace. The seed
/// shifts its place, so that different seeds give different texts, and the further it shifts, the less likely they are;
/// at temperature 0 it does not.
final class FakeModel implements CompletionModel {
    static final String VERSE = "To be, or not to be, that is the question:\n"
            + "Whether 'tis nobler in the mind to suffer\nThe slings and arrows of outrageous fortune,\n"
            + "Or to take arms against a sea of troubles\nAnd by opposing end them. To die: to sleep;\n";
    static final float LOG_PROBABILITY = -0.5f;
    static final int END_OF_TEXT = 256;

    private final String id;
    private final long millisecondsPerToken;
    private final byte[] verse = VERSE.getBytes(StandardCharsets.US_ASCII);
    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger mostRunning = new AtomicInteger();
    final AtomicInteger generated = new AtomicInteger();
    /// No more tokens than this, of all requests together, until it is raised.
    volatile int allowed = Integer.MAX_VALUE;

    FakeModel(String id, long millisecondsPerToken) {
        this.id = id;
        this.millisecondsPerToken = millisecondsPerToken;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public int contextLength() {
        return 256;
    }

    @Override
    public int vocabularySize() {
        return 257;
    }

    @Override
    public int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xFF;
        }
        return ids;
    }

    @Override
    public byte[] bytes(int token) {
        return token == END_OF_TEXT ? new byte[0] : new byte[] {(byte) token};
    }

    @Override
    public GenerationResult generate(
            GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled) {
        mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
        try {
            return go(request, listener, cancelled);
        } finally {
            running.decrementAndGet();
        }
    }

    /// Emits character by character; the stop strings of the tests are found by looking ahead, which only a model that
    /// knows its text by heart can do.
    private GenerationResult go(
            GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled) {
        int start = request.sampling().temperature() == 0
                ? 0
                : (int) Math.floorMod(request.sampling().seed(), (long) verse.length);
        String ahead = (VERSE + VERSE).substring(start).repeat(1 + request.maxTokens() / VERSE.length());
        int end = request.stop().stream()
                .mapToInt(ahead::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(Integer.MAX_VALUE);
        var text = new StringBuilder();
        for (int i = 0; i < request.maxTokens() && i < end; i++) {
            if (cancelled.getAsBoolean()) {
                return new GenerationResult(text.toString(), FinishReason.CANCELLED, request.prompt().length, i);
            }
            pause(cancelled);
            generated.incrementAndGet();
            String character = ahead.substring(i, i + 1);
            text.append(character);
            listener.accept(new GenerationPiece(
                    character,
                    List.of(scored(character.charAt(0), LOG_PROBABILITY - start, request.topLogProbabilities()))));
        }
        FinishReason finish = text.length() < request.maxTokens() ? FinishReason.STOP : FinishReason.LENGTH;
        return new GenerationResult(text.toString(), finish, request.prompt().length, text.length());
    }

    private void pause(BooleanSupplier cancelled) {
        try {
            Thread.sleep(millisecondsPerToken);
            while (generated.get() >= allowed && !cancelled.getAsBoolean()) {
                Thread.sleep(2);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    private ScoredToken scored(int token, float logProbability, int top) {
        if (top == GenerationRequest.UNSCORED) {
            return new ScoredToken(token, bytes(token), Float.NaN, List.of());
        }
        var alternatives = new ArrayList<ScoredToken.Alternative>();
        for (int i = 0; i < top; i++) {
            int other = (token + i) % 256;
            alternatives.add(new ScoredToken.Alternative(other, bytes(other), logProbability - i));
        }
        return new ScoredToken(token, bytes(token), logProbability, alternatives);
    }

    @Override
    public List<ScoredToken> score(int[] ids, int top) {
        var scores = new ArrayList<ScoredToken>();
        for (int i = 0; i < ids.length; i++) {
            scores.add(
                    i == 0
                            ? new ScoredToken(ids[0], bytes(ids[0]), Float.NaN, List.of())
                            : scored(ids[i], LOG_PROBABILITY, top));
        }
        return scores;
    }

    /// How often each of the bits is set: texts of the same bytes are alike.
    @Override
    public float[] embed(int[] ids) {
        float[] vector = new float[8];
        for (int id : ids) {
            for (int bit = 0; bit < vector.length; bit++) {
                vector[bit] += id >> bit & 1;
            }
        }
        return vector;
    }
}
