package ai.epitome.model.engine;

import static ai.epitome.model.engine.Engine.NOBODY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.engine.EngineLimits.Speculation;
import ai.epitome.model.gguf.GgufBytes;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.InvariantProduct;
import ai.epitome.tensor.format.BlockFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {
    private static final int CONTEXT = 96;
    private static final Transformer MODEL = Models.modern(CONTEXT);
    private static final EngineLimits SMALL =
            EngineLimits.DEFAULT.withCacheBytes(0).withSequences(5).withStepTokens(40, 17);

    private static final Backend EXACT = new Backend(new InvariantProduct(), Reference.BACKEND.workers(), DType.F32);

    /// The fastest kernels there are here, on two threads.
    private static final Backend FAST = Backend.best(2);

    /// Continues a prompt by tokens that are given, whatever the predictions are, and keeps these.
    private static class Given implements Continuation {
        final int[] prompt;
        final int[] tokens;
        final List<float[]> predictions = new ArrayList<>();
        final CompletableFuture<Integer> cached = new CompletableFuture<>();
        volatile boolean cancelled;

        Given(int[] prompt, int... tokens) {
            this.prompt = prompt;
            this.tokens = tokens;
        }

        @Override
        public boolean cancelled() {
            return cancelled;
        }

        @Override
        public int next(float[] logits) {
            predictions.add(logits.clone());
            return predictions.size() <= tokens.length ? tokens[predictions.size() - 1] : -1;
        }

        @Override
        public void ended(int count) {
            cached.complete(count);
        }

        @Override
        public void failed(Throwable failure) {
            cached.completeExceptionally(failure);
        }

        int[] seen(int predicted) {
            int[] all = Arrays.copyOf(prompt, prompt.length + predicted);
            System.arraycopy(tokens, 0, all, prompt.length, predicted);
            return all;
        }
    }

    /// The logits after the last of `ids`, without a cache.
    private static float[] full(int... ids) {
        Reference.BACKEND.workers().turn().lock();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, false);
            Tensor hidden = MODEL.hidden(tape, new Sequences(ids, 1), Dropout.NONE);
            return MODEL.logits(tape, hidden.slice(ids.length - 1, ids.length)).toFloats();
        } finally {
            Reference.BACKEND.workers().turn().unlock();
        }
    }

    private static void assertClose(float[] found, float[] expected, float tolerance) {
        for (int i = 0; i < expected.length; i++) {
            assertThat(found[i]).isCloseTo(expected[i], within(tolerance));
        }
    }

    /// Waits for the engine to have nothing left to do with blocks in use.
    private static int available(Engine engine) throws ExecutionException, InterruptedException {
        return engine.run(KeyValuePool::available).get();
    }

    /// Sequences of random lengths, some with a common beginning, in less memory than all of them need at once: chunks,
    /// shared blocks and sequences that have to give way change no prediction.
    @Property(tries = 25)
    void predictionsAreThoseOfTheSequenceAlone(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        Speculation speculation = random.nextBoolean() ? Speculation.ALWAYS : Speculation.NEVER;
        Engine engine = new Engine(MODEL, Reference.BACKEND, SMALL.withSpeculation(speculation));
        int[] common = Models.tokens(CONTEXT, seed);
        List<Given> all = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            int length = 1 + random.nextInt(60);
            int[] prompt = random.nextBoolean() ? Arrays.copyOf(common, length) : Models.tokens(length, seed + i);
            int[] tokens = Models.tokens(random.nextInt(CONTEXT - length), seed - i);
            if (random.nextBoolean()) { // repeats itself
                Arrays.setAll(tokens, at -> at % 5);
            }
            Given given = new Given(prompt, tokens);
            all.add(given);
            engine.submit(List.of(new Engine.Beginning(prompt, CONTEXT, NOBODY, given)));
            Thread.sleep(random.nextInt(3));
        }
        for (Given given : all) {
            given.cached.get();
            assertThat(given.predictions).hasSize(given.tokens.length + 1);
        }
        assertThat(available(engine)).isEqualTo(CONTEXT / 16); // the least: one context
        engine.close();
        for (Given given : all) {
            for (int predicted = 0; predicted <= given.tokens.length; predicted += 7) {
                assertClose(given.predictions.get(predicted), full(given.seen(predicted)), 2e-4f);
            }
        }
    }

    /// With products in one order of sums, the same to the last bit: in random batches and chunks, with shared blocks
    /// and guesses, in every format of keys and values, as token by token alone.
    @Property(tries = 12)
    void exactPredictionsHaveTheSameBits(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        KeyValueFormat format = KeyValueFormat.values()[random.nextInt(KeyValueFormat.values().length)];
        Speculation speculation = random.nextBoolean() ? Speculation.WHERE_UNCHANGED : Speculation.NEVER;
        EngineLimits limits = SMALL.withFormat(format).withSpeculation(speculation);
        Engine engine = new Engine(MODEL, EXACT, limits);
        List<Given> all = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            int length = 1 + random.nextInt(60);
            int[] tokens = Models.tokens(random.nextInt(CONTEXT - length), seed - i);
            Given given = new Given(Models.tokens(length, seed + i / 2), tokens);
            all.add(given);
            engine.submit(List.of(new Engine.Beginning(given.prompt, CONTEXT, NOBODY, given)));
        }
        for (Given given : all) {
            given.cached.get();
        }
        engine.close();
        Engine alone = new Engine(
                MODEL, EXACT, SMALL.withFormat(format).withSequences(1).withStepTokens(1, 1));
        for (Given given : all) {
            alone.run(KeyValuePool::forgetFree).get();
            Given again = new Given(given.prompt, given.tokens);
            alone.submit(List.of(new Engine.Beginning(again.prompt, CONTEXT, NOBODY, again)));
            assertThat(again.cached.get()).isZero();
            for (int i = 0; i < given.predictions.size(); i++) {
                assertThat(given.predictions.get(i)).as("prediction %d", i).isEqualTo(again.predictions.get(i));
            }
        }
        alone.close();
    }

    /// Quantised products give a row the same bits in any company, with kernels that do not otherwise: guesses are
    /// made, and change nothing.
    @Test
    void guessesOfQuantisedModelsChangeNoBit(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("small.gguf");
        try (Transformer drawn = Models.drawn(MODEL.config().with(c -> c.hidden = 64))) {
            Files.write(file, GgufBytes.of(drawn, BlockFormat.Q8_0).build());
        }
        for (Backend backend : List.of(Reference.BACKEND, FAST)) {
            try (LoadedModel loaded = LoadedModel.open(file)) {
                Transformer model = loaded.transformer();
                assertThat(model.batchInvariant(backend)).isTrue();
                assertThat(MODEL.batchInvariant(backend)).isFalse();
                EngineLimits limits = EngineLimits.DEFAULT; // memory for all: what is read again is read in chunks
                Engine guessing = new Engine(model, backend, limits);
                Engine plain = new Engine(
                        model,
                        backend,
                        limits.withSpeculation(Speculation.NEVER).withSequences(1));
                List<Given> all = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    int period = 3 + i;
                    int[] tokens = new int[CONTEXT - 16];
                    Arrays.setAll(tokens, at -> at % 17 == 16 ? 1 : at % period);
                    all.add(new Given(Models.tokens(1 + 2 * i, i), tokens));
                    guessing.submit(List.of(new Engine.Beginning(all.get(i).prompt, CONTEXT, NOBODY, all.get(i))));
                }
                for (Given given : all) {
                    given.cached.get();
                    Given again = new Given(given.prompt, given.tokens);
                    plain.submit(List.of(new Engine.Beginning(again.prompt, CONTEXT, NOBODY, again)));
                    again.cached.get();
                    assertThat(given.predictions).hasSameSizeAs(again.predictions);
                    for (int i = 0; i < given.predictions.size(); i++) {
                        assertThat(given.predictions.get(i))
                                .as("prediction %d", i)
                                .isEqualTo(again.predictions.get(i));
                    }
                }
                guessing.close();
                plain.close();
            }
        }
    }

    /// Also where the same text has been read before, in other chunks: a sequence that is continued stays with its own
    /// keys and values, whenever its blocks are full.
    @Test
    void guessesChangeNoBitOfATextThatIsKnown(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("small.gguf");
        try (Transformer drawn = Models.drawn(MODEL.config().with(c -> c.hidden = 64))) {
            Files.write(file, GgufBytes.of(drawn, BlockFormat.Q8_0).build());
        }
        try (LoadedModel loaded = LoadedModel.open(file)) {
            Engine guessing = new Engine(loaded.transformer(), FAST, EngineLimits.DEFAULT);
            Engine plain =
                    new Engine(loaded.transformer(), FAST, EngineLimits.DEFAULT.withSpeculation(Speculation.NEVER));
            int[] tokens = new int[CONTEXT - 40];
            Arrays.setAll(tokens, at -> at % 5);
            for (int round = 0; round < 3; round++) {
                Given given = new Given(Models.tokens(40, 3), tokens);
                Given again = new Given(given.prompt, tokens);
                guessing.submit(List.of(new Engine.Beginning(given.prompt, CONTEXT, NOBODY, given)));
                given.cached.get();
                plain.submit(List.of(new Engine.Beginning(again.prompt, CONTEXT, NOBODY, again)));
                assertThat(again.cached.get()).isEqualTo(round == 0 ? 0 : 32);
                for (int i = 0; i <= tokens.length; i++) {
                    assertThat(given.predictions.get(i)).as("prediction %d", i).isEqualTo(again.predictions.get(i));
                }
            }
            guessing.close();
            plain.close();
        }
    }

    @Test
    void aFullContextForgetsItsOlderHalf() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, EngineLimits.DEFAULT);
        int capacity = 24;
        Given given = new Given(Models.tokens(20, 1), Models.tokens(30, 2));
        engine.submit(List.of(new Engine.Beginning(given.prompt, capacity, NOBODY, given)));
        given.cached.get();
        engine.close();
        int length = 20;
        for (int predicted = 0; predicted <= 30; predicted++) {
            int[] seen = given.seen(predicted);
            assertClose(
                    given.predictions.get(predicted),
                    full(Arrays.copyOfRange(seen, seen.length - length, seen.length)),
                    2e-4f);
            length = length == capacity ? capacity / 2 : length + 1;
        }
    }

    @Test
    void aCommonBeginningIsReadOnce() throws Exception {
        try (Transformer model = Models.drawn(MODEL.config())) {
            Engine engine = new Engine(model, Reference.BACKEND, EngineLimits.DEFAULT);
            int[] prompt = Models.tokens(50, 3);
            assertThat(cached(engine, new Given(prompt, 1, 2, 3))).isZero();
            assertThat(cached(engine, new Given(prompt, 1))).isEqualTo(48);
            assertThat(cached(engine, new Given(Arrays.copyOf(prompt, 48), 1))).isEqualTo(32); // one is left to read
            int[] conversation = Arrays.copyOf(prompt, 70);
            conversation[50] = 1;
            conversation[51] = 2;
            assertThat(cached(engine, new Given(conversation, 4))).isEqualTo(48);
            conversation[20]++;
            assertThat(cached(engine, new Given(conversation, 4))).isEqualTo(16);
            model.parameters().getFirst().changed();
            assertThat(cached(engine, new Given(prompt, 1))).isZero();
            engine.close();
        }
    }

    private static int cached(Engine engine, Given given) throws Exception {
        engine.submit(List.of(new Engine.Beginning(given.prompt, CONTEXT, NOBODY, given)));
        return given.cached.get();
    }

    /// Several of the same prompt at once: those that come later take what the first has read so far.
    @Test
    void blocksAreSharedWhileTheyAreBeingRead() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, EngineLimits.DEFAULT.withStepTokens(16, 16));
        int[] prompt = Models.tokens(80, 3);
        List<Given> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Given given = new Given(prompt, Models.tokens(8, i));
            all.add(given);
            engine.submit(List.of(new Engine.Beginning(prompt, CONTEXT, NOBODY, given)));
        }
        int cached = 0;
        for (Given given : all) {
            cached += given.cached.get();
            assertClose(given.predictions.getLast(), full(given.seen(8)), 2e-4f);
        }
        assertThat(cached).isGreaterThanOrEqualTo(2 * 48);
        assertThat(available(engine))
                .isEqualTo(engine.run(KeyValuePool::capacity).get());
        engine.close();
    }

    /// At once, or while the first one is still being read: nothing that is common is read twice.
    @Test
    void whatSeveralBeginWithAlikeIsReadByTheFirst() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, EngineLimits.DEFAULT.withStepTokens(48, 20));
        int[] prompt = Models.tokens(80, 3);
        int[] half = prompt.clone();
        half[40]++;
        int[] other = prompt.clone();
        other[0]++;
        List<Given> all = Stream.of(prompt, prompt, half, other, prompt, half)
                .map(each -> new Given(each, Models.tokens(8, 1)))
                .toList();
        engine.submit(all.stream()
                .map(each -> new Engine.Beginning(each.prompt, CONTEXT, NOBODY, each))
                .toList());
        List<Integer> cached = new ArrayList<>();
        for (Given given : all) {
            cached.add(given.cached.get());
            assertClose(given.predictions.getLast(), full(given.seen(8)), 2e-4f);
        }
        assertThat(cached).containsExactly(0, 64, 32, 0, 64, 64);
        Given first = new Given(Models.tokens(80, 4), 1);
        Given second = new Given(first.prompt, 1);
        first.cancelled = true; // those that wait for it go on without it
        engine.submit(Stream.of(first, second)
                .map(each -> new Engine.Beginning(each.prompt, CONTEXT, NOBODY, each))
                .toList());
        assertThat(second.cached.get()).isZero();
        engine.close();
    }

    @Test
    void cancellingFreesTheBlocksBeforeTheNextPass() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, SMALL);
        int blocks = available(engine);
        CountDownLatch reached = new CountDownLatch(3);
        Given endless = new Given(Models.tokens(40, 1)) {
            @Override
            public int next(float[] logits) {
                reached.countDown();
                return 7;
            }
        };
        Given behind = new Given(Models.tokens(70, 2), 1, 2);
        engine.submit(List.of(new Engine.Beginning(endless.prompt, CONTEXT, NOBODY, endless)));
        engine.submit(List.of(
                new Engine.Beginning(behind.prompt, CONTEXT, NOBODY, behind))); // there are not blocks enough for both
        reached.await();
        endless.cancelled = true;
        endless.cached.get();
        behind.cached.get();
        assertThat(available(engine)).isEqualTo(blocks);
        engine.close();
    }

    @Test
    void aFailureTakesNobodyElseAlong() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, SMALL);
        int blocks = available(engine);
        Given broken = new Given(Models.tokens(20, 1)) {
            @Override
            public int next(float[] logits) {
                throw new IllegalArgumentException("the model is broken");
            }
        };
        Given unasked = new Given(Models.tokens(20, 1)) {
            @Override
            public boolean cancelled() {
                throw new IllegalStateException("who asks?");
            }
        };
        Given outside = new Given(new int[] {3, 999}, 1);
        Given good = new Given(Models.tokens(30, 2), Models.tokens(20, 3));
        for (Given given : List.of(good, broken, unasked)) {
            engine.submit(List.of(new Engine.Beginning(given.prompt, CONTEXT, NOBODY, given)));
        }
        assertThatThrownBy(broken.cached::get).hasMessageContaining("the model is broken");
        assertThatThrownBy(unasked.cached::get).hasMessageContaining("who asks?");
        good.cached.get();
        assertClose(good.predictions.getLast(), full(good.seen(20)), 2e-4f);
        engine.submit(List.of(new Engine.Beginning(outside.prompt, CONTEXT, NOBODY, outside))); // fails in a pass
        assertThatThrownBy(outside.cached::get).hasMessageContaining("token id 999");
        assertThat(available(engine)).isEqualTo(blocks);
        engine.close();
        assertThatThrownBy(() -> engine.submit(List.of(new Engine.Beginning(good.prompt, CONTEXT, NOBODY, good))))
                .hasMessage("the engine is closed");
    }

    @Test
    void aLongPromptDoesNotStallTheOthers() throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, EngineLimits.DEFAULT.withStepTokens(64, 4));
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        Given reading = new Given(Models.tokens(33, 3)) {
            @Override
            public int next(float[] logits) {
                order.add("prompt read");
                return super.next(logits);
            }
        };
        Given talking = new Given(Models.tokens(3, 1), Models.tokens(20, 2)) {
            @Override
            public int next(float[] logits) {
                if (order.isEmpty()) {
                    engine.submit(List.of(new Engine.Beginning(reading.prompt, CONTEXT, NOBODY, reading)));
                }
                order.add("token");
                return super.next(logits);
            }
        };
        engine.submit(List.of(new Engine.Beginning(talking.prompt, CONTEXT, NOBODY, talking)));
        talking.cached.get();
        reading.cached.get();
        engine.close();
        assertThat(order.indexOf("prompt read")).isGreaterThan(10); // three tokens beside each that is continued
    }

    @Test
    void keysAndValuesMayBeHalved() throws Exception {
        requireClose(KeyValueFormat.F16, 0.003f);
        requireClose(KeyValueFormat.BF16, 0.02f);
        requireClose(KeyValueFormat.Q8, 0.05f);
    }

    private static void requireClose(KeyValueFormat format, float tolerance) throws Exception {
        Engine engine = new Engine(MODEL, Reference.BACKEND, SMALL.withFormat(format));
        Given given = new Given(Models.tokens(30, 2), Models.tokens(20, 3));
        engine.submit(List.of(new Engine.Beginning(given.prompt, CONTEXT, NOBODY, given)));
        given.cached.get();
        assertClose(given.predictions.getLast(), full(given.seen(20)), tolerance);
        engine.close();
    }
}
