package ai.epitome.train.pretrain;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.train.Interval;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.Kind;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.optimizer.Muon;

/// One dial for a whole run. Depth sets width, heads and MLP; everything else is what measured best on small models
/// (see `docs/LOG.md`), and every value can be changed afterwards.
///
/// @param model shape of the network
/// @param training how it is trained
public record Recipe(TransformerConfig model, TrainingConfig training) {
    /// Tokens of one step.
    private static final int TOKENS_PER_STEP = 4096;

    /// How often a text is read at most where nothing is said of the length of a run: what is read more
    /// often is learned by heart, and unseen text is predicted worse (see `docs/LOG.md`).
    public static final double PASSES = 4.5;

    /// A text of few tokens is read more often than that: fewer steps are hardly more than the warm-up.
    private static final long LEAST_STEPS = 40;

    /// How often a run scores held-out text.
    private static final int LOOKS = 12;

    /// Positions of a new model, when nothing else is asked for.
    public static final int CONTEXT = 256;

    /// @param depth layers; the width is 64 times as many channels
    /// @param vocabulary token ids
    /// @param context positions, T
    /// @param seconds of training
    public static Recipe ofDepth(int depth, int vocabulary, int context, double seconds) {
        TransformerConfig model = TransformerConfig.ofDepth(depth, vocabulary, context);
        TrainingConfig training = TrainingConfig.ofSteps(1, 1, 1).with(c -> {
            c.steps = 0;
            c.seconds = seconds;
            c.batchRows = Math.max(1, TOKENS_PER_STEP / context);
            c.length = context;
            c.optimizer = muon();
            c.schedule = new Schedule(Schedule.Shape.STABLE_THEN_LINEAR, 30, 0.5, 0);
            c.clip = 0;
            c.evaluate = looks(seconds);
            c.checkpoint = Interval.ofSeconds(Math.clamp(seconds / 12, 10, 300));
        });
        return new Recipe(model, training);
    }

    /// Muon's updates are already normalised, so its rate carries over from model to model; AdamW forgets quickly
    /// because runs are short.
    private static OptimizerConfig muon() {
        return new OptimizerConfig(
                Kind.MUON, 0.02, 0.003, 0.003, 0.003, 0, 0, 0.8, 0.95, 1e-10, 0.95, Muon.Scale.SPECTRAL);
    }

    /// This recipe with a run that also ends once the text has been read [#PASSES] times, of which a fast machine has
    /// time for many. Its scores then come by steps, too, so that a run of seconds has as many.
    ///
    /// @param tokens to train on
    public Recipe atMostPasses(long tokens) {
        double perStep = (double) training.batchRows() * training.length() * training.accumulation();
        long steps = Math.max(LEAST_STEPS, Math.round(PASSES * tokens / perStep));
        boolean usual = training.evaluate().equals(looks(training.seconds()));
        return new Recipe(model, training.with(c -> {
            c.steps = steps;
            c.evaluate = usual ? new Interval(Math.ceilDiv(steps, LOOKS), c.evaluate.seconds()) : c.evaluate;
        }));
    }

    private static Interval looks(double seconds) {
        return Interval.ofSeconds(Math.clamp(seconds / LOOKS, 5, 120));
    }
}
