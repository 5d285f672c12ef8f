package ai.epitome.train.align;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Scorer;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.policy.BestOfN;
import ai.epitome.train.preference.SequenceLogProbabilities;
import ai.epitome.train.prompt.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Models beside the one that they began with: what each makes of the same prompts, what a judge says of it, how far
/// it has gone, and what that costs on plain text.
///
/// The distance is the divergence `KL(model || base)` of a whole continuation, in nats, estimated without bias by the
/// mean of `log p(sample) - log p_base(sample)` over samples of the model's own distribution (k1 of Schulman 2020,
/// "Approximating KL divergence").
public final class Comparison implements AutoCloseable {
    /// How it is measured.
    ///
    /// @param tokens of a continuation
    /// @param each continuations of each prompt
    /// @param seed of sampling
    public record Settings(int tokens, int each, long seed) {}

    /// What came of a model.
    ///
    /// @param name what it is called
    /// @param divergence from the base, nats a continuation
    /// @param deviation standard error of that; NaN where the divergence is only bounded from above
    /// @param positive part of the continuations whose score is above 0
    /// @param wins part of them that the judge prefers to the base's of the same prompt and number; ties are halves
    /// @param score mean of the judge's scores
    /// @param length mean tokens of a continuation
    /// @param bitsPerByte of the plain texts; NaN where there are none
    /// @param texts each continuation of the first prompts
    /// @param rates of other answers, by what is counted; see [Rate]
    public record Entry(
            String name,
            double divergence,
            double deviation,
            double positive,
            double wins,
            double score,
            double length,
            double bitsPerByte,
            List<String> texts,
            SequencedMap<String, Double> rates) {
        /// The same with rates.
        public Entry with(SequencedMap<String, Double> measured) {
            return new Entry(name, divergence, deviation, positive, wins, score, length, bitsPerByte, texts, measured);
        }
    }

    private final LoadedModel base;
    private final Tokenizer tokenizer;
    private final Backend backend;
    private final List<Prompt> prompts;
    private final Judge judge;
    private final List<byte[]> plain;
    private final Settings settings;
    private final SequenceLogProbabilities reference;
    private final double[] baseScores;
    private final Entry baseEntry;

    /// Measures the base.
    ///
    /// @param base stays the caller's
    /// @param plain texts whose price is compared; may be empty
    public Comparison(
            LoadedModel base, List<Prompt> prompts, Judge judge, List<byte[]> plain, Settings settings, Backend backend)
            throws InterruptedException {
        this.base = base;
        this.tokenizer = base.tokenizer().orElseThrow();
        this.backend = backend;
        this.prompts = prompts;
        this.judge = judge;
        this.plain = plain;
        this.settings = settings;
        reference = new SequenceLogProbabilities(base.transformer(), backend, TokenTable.of(tokenizer));
        List<Continuations.Sample> samples = samples(base);
        baseScores = judge.scores(samples);
        baseEntry = entry(base.id(), base.transformer(), samples, baseScores);
    }

    /// Of the base itself.
    public Entry base() {
        return baseEntry;
    }

    /// Measures another model with the same tokenizer.
    ///
    /// @throws IllegalArgumentException if it has another one
    public Entry of(String name, LoadedModel model) throws InterruptedException {
        TokenTable own = TokenTable.of(model.tokenizer().orElse(tokenizer));
        if (!own.sha256().equals(TokenTable.of(tokenizer).sha256())) {
            throw new IllegalArgumentException(
                    "%s has another tokenizer than %s, so their probabilities cannot be compared"
                            .formatted(name, base.id()));
        }
        List<Continuations.Sample> samples = samples(model);
        return entry(name, model.transformer(), samples, judge.scores(samples));
    }

    /// Measures the base where the best of `n` answers is chosen by a reward model. How far that goes from the base is
    /// bounded by `log n - (n - 1) / n` nats (Beirami et al. 2024, "Theoretical guarantees on the best-of-n
    /// alignment policy"); plain texts cost what they cost the base.
    ///
    /// @param n two or more
    /// @param chooser need not be the judge, and should not
    public Entry bestOf(int n, Judge chooser) throws InterruptedException {
        List<Continuations.Sample> all = new Continuations(base.generator(backend), settings.tokens, settings.seed)
                .of(prompts, settings.each * n);
        double[] worth = chooser.scores(all);
        List<Continuations.Sample> chosen = new ArrayList<>();
        for (int from = 0; from < worth.length; from += n) {
            int best = from;
            for (int i = from + 1; i < from + n; i++) {
                best = worth[i] > worth[best] ? i : best;
            }
            chosen.add(all.get(best));
        }
        return entry(
                "best-of-" + n, chosen, judge.scores(chosen), BestOfN.divergence(n), Double.NaN, baseEntry.bitsPerByte);
    }

    private List<Continuations.Sample> samples(LoadedModel model) throws InterruptedException {
        return new Continuations(model.generator(backend), settings.tokens, settings.seed).of(prompts, settings.each);
    }

    private Entry entry(String name, Transformer model, List<Continuations.Sample> samples, double[] scores) {
        List<Example> examples =
                samples.stream().map(Continuations.Sample::example).toList();
        double[] own;
        try (SequenceLogProbabilities scorer = new SequenceLogProbabilities(model, backend, TokenTable.of(tokenizer))) {
            own = scorer.of(examples);
        }
        double[] before = reference.of(examples);
        double[] ratios = new double[own.length];
        for (int i = 0; i < own.length; i++) {
            ratios[i] = own[i] - before[i];
        }
        double mean = Arrays.stream(ratios).average().orElse(Double.NaN);
        double variance =
                Arrays.stream(ratios).map(r -> (r - mean) * (r - mean)).sum() / Math.max(1, ratios.length - 1);
        return entry(name, samples, scores, mean, Math.sqrt(variance / ratios.length), bitsPerByte(model));
    }

    private Entry entry(
            String name,
            List<Continuations.Sample> samples,
            double[] scores,
            double divergence,
            double deviation,
            double bitsPerByte) {
        double[] against = baseScores == null ? scores : baseScores;
        double positive = 0;
        double wins = 0;
        for (int i = 0; i < scores.length; i++) {
            positive += scores[i] > 0 ? 1 : 0;
            wins += scores[i] > against[i] ? 1 : scores[i] == against[i] ? 0.5 : 0;
        }
        return new Entry(
                name,
                divergence,
                deviation,
                positive / scores.length,
                wins / scores.length,
                Arrays.stream(scores).average().orElse(Double.NaN),
                samples.stream()
                        .mapToInt(s -> s.continuation().length)
                        .average()
                        .orElse(0),
                bitsPerByte,
                samples.stream()
                        .map(s -> RankedPairs.text(tokenizer, s.continuation()))
                        .toList(),
                new LinkedHashMap<>());
    }

    private double bitsPerByte(Transformer model) {
        double bits = 0;
        long bytes = 0;
        try (Scorer scorer = new Scorer(model, backend, TextTokens.beginning(tokenizer))) {
            for (byte[] text : plain) {
                bits += scorer.score(tokenizer.encode(text), text.length).bits();
                bytes += text.length;
            }
        }
        return bytes == 0 ? Double.NaN : bits / bytes;
    }

    /// The words of the prompts.
    public List<String> asked() {
        return prompts.stream().map(Prompt::text).toList();
    }

    /// How many texts are compared, and their bytes.
    public String plainTexts() {
        long bytes = plain.stream().mapToLong(text -> text.length).sum();
        return "%,d texts, %,d bytes".formatted(plain.size(), bytes);
    }

    @Override
    public void close() {
        reference.close();
    }
}
