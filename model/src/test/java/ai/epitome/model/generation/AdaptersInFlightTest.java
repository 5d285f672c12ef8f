package ai.epitome.model.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.Bytes;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.InvariantProduct;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/// Several adapters of one model in one engine: their requests share passes and memory, and nothing else.
class AdaptersInFlightTest {
    private static final int CONTEXT = 96;
    private static final Transformer MODEL = Models.modern(CONTEXT);
    private static final Backend EXACT = new Backend(new InvariantProduct(), Reference.BACKEND.workers(), DType.F32);
    private static final EngineLimits SMALL =
            EngineLimits.DEFAULT.withCacheBytes(0).withSequences(5).withStepTokens(40, 17);
    private static final Adapter FIRST = trained(3, Adapter.names(MODEL));
    private static final Adapter SECOND = trained(2, Set.of("q_proj", "v_proj", "down_proj"));

    private static Adapter trained(int rank, Set<String> targets) {
        Adapter adapter = Adapter.create(MODEL, Adapter.Settings.of(rank, targets), rank);
        Random random = new Random(rank);
        for (Adapter.Target target : adapter.targets()) {
            for (long i = 0; i < target.up().value().size(); i++) {
                target.up().value().set(i, (float) (0.2 * random.nextGaussian()));
            }
        }
        return adapter;
    }

    private static TextGenerator generator(Transformer model, EngineLimits limits) {
        return new TextGenerator("small", model, new Bytes(), Set.of(256), EXACT, limits);
    }

    /// Ids and log-probabilities of what was drawn.
    private static List<String> drawn(Generation generation) throws InterruptedException {
        List<String> drawn = new ArrayList<>();
        for (var piece = generation.next(); piece.isPresent(); piece = generation.next()) {
            piece.get().tokens().forEach(token -> drawn.add(token.id() + " " + token.logProbability()));
        }
        return drawn;
    }

    /// Random requests, many with the same beginning, in less memory than all of them need at once: bit for bit what a
    /// model with one adapter says alone.
    @Property(tries = 6)
    void answersAreThoseOfEachAlone(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        TextGenerator base = generator(MODEL, SMALL);
        List<TextGenerator> together =
                List.of(base, base.with("first", FIRST, Set.of(256)), base.with("second", SECOND, Set.of(256)));
        List<TextGenerator> alone = List.of(
                generator(MODEL, SMALL.withSequences(1)),
                generator(MODEL.with(FIRST), SMALL.withSequences(1)),
                generator(MODEL.with(SECOND), SMALL.withSequences(1)));
        int[] common = Models.tokens(60, seed);
        List<Integer> who = new ArrayList<>();
        List<GenerationRequest> requests = new ArrayList<>();
        List<Generation> generations = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            int length = 1 + random.nextInt(60);
            int[] prompt = random.nextInt(4) > 0 ? Arrays.copyOf(common, length) : Models.tokens(length, seed + i);
            who.add(random.nextInt(3));
            requests.add(
                    new GenerationRequest(prompt, 1 + random.nextInt(30), Sampling.ofTemperature(1, i), List.of(), 0));
            generations.add(together.get(who.getLast()).submit(requests.getLast()));
            Thread.sleep(random.nextInt(3));
        }
        for (int i = 0; i < requests.size(); i++) {
            assertThat(drawn(generations.get(i)))
                    .as("request %d with adapter %d", i, who.get(i))
                    .isEqualTo(drawn(alone.get(who.get(i)).submit(requests.get(i))));
        }
    }

    @Test
    void whatOneHasReadIsNothingToAnother() throws Exception {
        TextGenerator base = generator(MODEL, EngineLimits.DEFAULT);
        TextGenerator first = base.with("first", FIRST, Set.of(256));
        GenerationRequest request =
                new GenerationRequest(Models.tokens(60, 1), 4, Sampling.ofTemperature(0, 0), List.of(), 0);
        Set<List<String>> answers = new HashSet<>();
        for (TextGenerator generator : List.of(base, first, base.with("second", SECOND, Set.of(256)))) {
            Generation fresh = generator.submit(request);
            answers.add(drawn(fresh));
            assertThat(fresh.result().cachedTokens()).isZero();
            assertThat(generator.submit(request).result().cachedTokens()).isEqualTo(48);
        }
        assertThat(answers).hasSize(3);
        assertThat(base.submit(request).result().cachedTokens()).isEqualTo(48);
        assertThat(first.id()).isEqualTo("first");
        assertThatThrownBy(() -> first.with("both", SECOND, Set.of(256)))
                .hasMessage("first has an adapter already: add this one to its model");
    }

    @Test
    void scoresAreThoseOfTheAdapter() {
        int[] ids = Models.tokens(30, 4);
        TextGenerator first = generator(MODEL, EngineLimits.DEFAULT).with("first", FIRST, Set.of(256));
        assertThat(first.score(ids, 0))
                .extracting(ScoredToken::logProbability)
                .isEqualTo(generator(MODEL.with(FIRST), EngineLimits.DEFAULT).score(ids, 0).stream()
                        .map(ScoredToken::logProbability)
                        .toList());
        assertThat(first.embed(ids))
                .isEqualTo(generator(MODEL.with(FIRST), EngineLimits.DEFAULT).embed(ids));
    }
}
