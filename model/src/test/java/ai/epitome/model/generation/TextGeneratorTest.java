package ai.epitome.model.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.Bytes;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.Scorer;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.autograd.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class TextGeneratorTest {
    private static final int CONTEXT = 16;
    private static final Transformer MODEL = Models.modern(CONTEXT);
    private static final TextGenerator GENERATOR =
            new TextGenerator("small", MODEL, new Bytes(), Set.of(256), Reference.BACKEND);

    @AfterAll
    static void close() {
        MODEL.close();
    }

    private static GenerationResult generate(GenerationRequest request, List<GenerationPiece> pieces) {
        return GENERATOR.generate(request, pieces::add, () -> false);
    }

    private static GenerationRequest request(String prompt, int tokens, double temperature, long seed, String... stop) {
        return new GenerationRequest(
                GENERATOR.encode(prompt), tokens, Sampling.ofTemperature(temperature, seed), List.of(stop), 3);
    }

    @Test
    void piecesMakeUpTheResult() {
        List<GenerationPiece> pieces = new ArrayList<>();
        GenerationResult result = generate(request("Once", 40, 1, 4), pieces);
        assertThat(result.finish()).isEqualTo(FinishReason.LENGTH);
        assertThat(result.promptTokens()).isEqualTo(4);
        assertThat(result.completionTokens()).isEqualTo(40); // far beyond the context of 16
        assertThat(String.join("", pieces.stream().map(GenerationPiece::text).toList()))
                .isEqualTo(result.text());
        List<ScoredToken> tokens =
                pieces.stream().flatMap(piece -> piece.tokens().stream()).toList();
        assertThat(tokens).hasSize(40);
        for (ScoredToken token : tokens) {
            assertThat(token.top()).hasSize(3);
            assertThat(token.logProbability())
                    .isNegative()
                    .isLessThanOrEqualTo(token.top().getFirst().logProbability());
        }
    }

    @Test
    void logProbabilitiesThatNobodyWantsAreNotComputed() {
        GenerationRequest scored = request("Once", 30, 1, 4);
        GenerationRequest plain = new GenerationRequest(scored.prompt(), 30, scored.sampling());
        List<GenerationPiece> pieces = new ArrayList<>();
        assertThat(generate(plain, pieces).text())
                .isEqualTo(generate(scored, new ArrayList<>()).text());
        assertThat(pieces).flatExtracting(GenerationPiece::tokens).hasSize(30).allSatisfy(token -> {
            assertThat(token.logProbability()).isNaN();
            assertThat(token.top()).isEmpty();
        });
    }

    @Test
    void sameSeedSameText() {
        String text = generate(request("Once", 30, 1, 4), new ArrayList<>()).text();
        assertThat(generate(request("Once", 30, 1, 4), new ArrayList<>()).text())
                .isEqualTo(text);
        assertThat(generate(request("Once", 30, 1, 5), new ArrayList<>()).text())
                .isNotEqualTo(text);
    }

    @Test
    void greedyTokensAreTheLikeliest() {
        List<GenerationPiece> pieces = new ArrayList<>();
        generate(request("Once", 10, 0, 0), pieces);
        pieces.stream()
                .flatMap(piece -> piece.tokens().stream())
                .forEach(token ->
                        assertThat(token.id()).isEqualTo(token.top().getFirst().id()));
    }

    @Test
    void aStopStringEndsTheTextBeforeIt() {
        // an untrained model writes any bytes; two plain letters in a row among them
        String whole = generate(request("Once", 90, 1, 4), new ArrayList<>()).text();
        Matcher letters = Pattern.compile("[ -~]{2}").matcher(whole);
        assertThat(letters.find(1)).isTrue();
        String stop = letters.group();
        List<GenerationPiece> pieces = new ArrayList<>();
        GenerationResult result = generate(request("Once", 90, 1, 4, "not there", stop), pieces);
        assertThat(result.finish()).isEqualTo(FinishReason.STOP);
        assertThat(result.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
    }

    @Test
    void endOfTextEndsIt() {
        List<GenerationPiece> pieces = new ArrayList<>();
        generate(request("Once", 1, 0, 0), pieces);
        int first = pieces.getFirst().tokens().getFirst().id();
        TextGenerator ending = new TextGenerator("ends", MODEL, new Bytes(), Set.of(first), Reference.BACKEND);
        GenerationResult result = ending.generate(request("Once", 9, 0, 0), pieces::add, () -> false);
        assertThat(result).isEqualTo(new GenerationResult("", FinishReason.STOP, 4, 1));
    }

    @Test
    void cancellingEndsItSoon() {
        AtomicInteger asked = new AtomicInteger();
        GenerationResult result =
                GENERATOR.generate(request("Once", 30, 1, 4), _ -> {}, () -> asked.incrementAndGet() > 3);
        assertThat(result.finish()).isEqualTo(FinishReason.CANCELLED);
        assertThat(result.completionTokens()).isEqualTo(3);
    }

    @Test
    void severalTogetherAreWhatTheyAreAlone() {
        List<GenerationRequest> requests = List.of(
                request("Once", 30, 1, 4), request("Once", 0, 1, 1), request("Twice", 3, 1, 5), request("", 9, 0, 0));
        List<List<GenerationPiece>> pieces = new ArrayList<>();
        GenerationResult[] results = new GenerationResult[requests.size()];
        List<CompletionModel.Choice> choices = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            int index = i;
            List<GenerationPiece> own = new ArrayList<>();
            pieces.add(own);
            choices.add(new CompletionModel.Choice(
                    requests.get(i),
                    piece -> {
                        assertThat(results[index]).isNull();
                        own.add(piece);
                    },
                    result -> results[index] = result,
                    () -> false));
        }
        GENERATOR.generate(choices);
        for (int i = 0; i < results.length; i++) {
            GenerationResult alone = generate(requests.get(i), new ArrayList<>());
            assertThat(results[i].text())
                    .isEqualTo(alone.text())
                    .isEqualTo(String.join(
                            "",
                            pieces.get(i).stream().map(GenerationPiece::text).toList()));
            assertThat(results[i].completionTokens()).isEqualTo(alone.completionTokens());
        }
    }

    @Test
    void whatAnInterruptedThreadGetsIsWhole() {
        List<StringBuilder> texts = List.of(new StringBuilder(), new StringBuilder());
        List<GenerationResult> ended = new ArrayList<>();
        List<CompletionModel.Choice> choices = texts.stream()
                .map(text -> new CompletionModel.Choice(
                        request("Once", 1_000_000, 1, 4),
                        piece -> {
                            text.append(piece.text());
                            Thread.currentThread().interrupt();
                        },
                        result -> {
                            assertThat(result.text()).isEqualTo(text.toString());
                            ended.add(result);
                        },
                        () -> false))
                .toList();
        GENERATOR.generate(choices);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(ended)
                .hasSize(2)
                .allSatisfy(result -> assertThat(result.finish()).isEqualTo(FinishReason.CANCELLED));
    }

    @Test
    void oneThatFailsEndsTheOthers() {
        AtomicInteger asked = new AtomicInteger();
        List<GenerationResult> ended = new ArrayList<>();
        CompletionModel.Choice endless = new CompletionModel.Choice(
                request("Once", 1_000_000, 1, 4),
                _ -> {},
                result -> {
                    ended.add(result);
                    throw new IllegalStateException("cut short");
                },
                () -> asked.incrementAndGet() < 0);
        CompletionModel.Choice failing = new CompletionModel.Choice(
                request("Once", 20, 1, 5),
                _ -> {},
                _ -> {
                    throw new IllegalStateException("enough");
                },
                () -> false);
        assertThatThrownBy(() -> GENERATOR.generate(List.of(endless, failing, endless)))
                .hasMessage("enough")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(2));
        assertThat(ended)
                .hasSize(2)
                .allSatisfy(result -> assertThat(result.finish()).isEqualTo(FinishReason.CANCELLED))
                .allSatisfy(result -> assertThat(result.completionTokens()).isGreaterThanOrEqualTo(20));
        int then = asked.get();
        generate(request("Once", 20, 1, 5), new ArrayList<>());
        assertThat(asked).hasValue(then).hasValueGreaterThan(20);
        CompletionModel.Choice cut = new CompletionModel.Choice(
                request("Once", 9, 1, 4),
                _ -> {},
                result -> assertThat(result.finish()).isEqualTo(FinishReason.CANCELLED),
                () -> true);
        GENERATOR.generate(List.of(cut, cut));
    }

    @Test
    void anEmptyPromptBeginsAText() {
        GenerationResult result = generate(request("", 5, 1, 1), new ArrayList<>());
        assertThat(result.promptTokens()).isZero();
        assertThat(result.completionTokens()).isEqualTo(5);
        assertThat(generate(request("", 0, 1, 1), new ArrayList<>()).completionTokens())
                .isZero();
    }

    @Test
    void scoresAreTheScorersWhateverTheLength() {
        int[] ids = Models.tokens(3 * CONTEXT + 5, 9);
        List<ScoredToken> scores = GENERATOR.score(ids, 2);
        try (Scorer scorer = new Scorer(MODEL, Reference.BACKEND, OptionalInt.empty())) {
            float[] expected = scorer.score(ids, ids.length).logProbabilities();
            assertThat(scores).hasSize(ids.length);
            assertThat(scores.getFirst().logProbability()).isNaN();
            assertThat(scores.getFirst().top()).isEmpty();
            for (int i = 1; i < ids.length; i++) {
                assertThat(scores.get(i).id()).isEqualTo(ids[i]);
                assertThat(scores.get(i).logProbability()).isCloseTo(expected[i], within(2e-4f));
                assertThat(scores.get(i).top()).hasSize(2);
            }
        }
        assertThat(GENERATOR.score(new int[0], 2)).isEmpty();
    }

    /// The same as one pass over the whole text, and of another text another one.
    @Test
    void embedsTextsAsTheMeanOfTheirHiddenStates() {
        int[] ids = Models.tokens(CONTEXT, 3);
        float[] mean = new float[32];
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, false);
            float[] hidden =
                    MODEL.hidden(tape, new Sequences(ids, 1), Dropout.NONE).toFloats();
            for (int i = 0; i < hidden.length; i++) {
                mean[i % mean.length] += hidden[i] / ids.length;
            }
        }
        assertThat(GENERATOR.embed(ids)).containsExactly(mean, within(1e-4f));
        assertThat(GENERATOR.embed(Models.tokens(CONTEXT, 4))).isNotEqualTo(mean);
        assertThatThrownBy(() -> GENERATOR.embed(Models.tokens(CONTEXT + 1, 4)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void paddingRowsAreNeverSampled() {
        Transformer padded = Models.drawn(MODEL.config().with(c -> c.vocabulary = 400));
        TextGenerator generator = new TextGenerator("padded", padded, new Bytes(), Set.of(), Reference.BACKEND);
        List<GenerationPiece> pieces = new ArrayList<>();
        generator.generate(
                new GenerationRequest(new int[] {1}, 200, Sampling.ofTemperature(3, 1)), pieces::add, () -> false);
        assertThat(pieces.stream().flatMap(piece -> piece.tokens().stream()))
                .hasSize(200)
                .allMatch(token -> token.id() < 257);
        padded.close();
    }

    @Test
    void whatDoesNotFitTogetherIsRefused() {
        Transformer small = Models.drawn(MODEL.config().with(c -> c.vocabulary = 100));
        assertThatThrownBy(() -> new TextGenerator("no", small, new Bytes(), Set.of(), Reference.BACKEND))
                .hasMessageContaining("the tokenizer has 257 tokens, the model only 100");
        small.close();
        assertThatThrownBy(() -> GENERATOR.score(new int[] {257}, 0))
                .hasMessage("token 257: the model has ids 0 to 256");
    }

    @Test
    void aLongPromptIsSeenFromItsEnd() {
        int[] ids = Models.tokens(2 * CONTEXT, 3);
        GenerationRequest all = new GenerationRequest(ids, 1, Sampling.GREEDY);
        GenerationRequest end =
                new GenerationRequest(Arrays.copyOfRange(ids, CONTEXT, 2 * CONTEXT), 1, Sampling.GREEDY);
        assertThat(generate(all, new ArrayList<>()).text())
                .isEqualTo(generate(end, new ArrayList<>()).text());
    }
}
