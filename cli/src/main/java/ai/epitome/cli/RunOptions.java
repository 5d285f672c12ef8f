package ai.epitome.cli;

import ai.epitome.model.TransformerConfig;
import ai.epitome.train.Interval;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.pretrain.Recipe;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/// The dial of a run, and all that can be set besides it.
final class RunOptions {
    private static final int DEPTH = 4;
    private static final Duration TIME = Duration.ofMinutes(3);

    @Option(
            names = "--depth",
            paramLabel = "LAYERS",
            description = "The one dial: layers; the width is 64 times as many channels, and heads, batch and learning"
                    + " rates follow (default: " + DEPTH + ").",
            converter = Numbers.Count.class)
    private Integer depth;

    @Option(
            names = "--width",
            paramLabel = "N",
            description = "Channels of the residual stream.",
            converter = Numbers.Count.class)
    private Integer width;

    @Option(
            names = "--heads",
            paramLabel = "N",
            description = "Attention heads; heads have width / heads channels.",
            converter = Numbers.Count.class)
    private Integer heads;

    @Option(
            names = "--kv-heads",
            paramLabel = "N",
            description = "Key and value heads, for grouped-query attention.",
            converter = Numbers.Count.class)
    private Integer keyValueHeads;

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description = "Channels inside the MLP.",
            converter = Numbers.Count.class)
    private Integer hidden;

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            description = "Positions that the model sees (default: " + Recipe.CONTEXT + ").",
            converter = Numbers.Count.class)
    private Integer context;

    @Option(names = "--untied-head", description = "A head of its own instead of the embedding table.")
    private boolean untiedHead;

    @Option(
            names = "--time",
            paramLabel = "TIME",
            description = "Time to train: 3m, 90s, 1h30m; evaluation is not counted (default: 3m).",
            converter = TimeConverter.class)
    private Duration time;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Number of steps, instead of a time.",
            converter = Numbers.LongCount.class)
    private Long steps;

    @Option(
            names = "--batch",
            paramLabel = "ROWS",
            description = "Rows of one backward pass.",
            converter = Numbers.Count.class)
    private Integer batchRows;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Backward passes of one step.",
            converter = Numbers.Count.class)
    private Integer accumulation;

    @Option(
            names = "--optimizer",
            paramLabel = "KIND",
            description = "${COMPLETION-CANDIDATES}; muon leaves vectors and tables to AdamW.")
    private TrainingConfig.Kind optimizer;

    @Option(
            names = "--rate",
            paramLabel = "RATE",
            description = "Learning rate of matrices.",
            converter = Numbers.Rate.class)
    private Double matrixRate;

    @Option(
            names = "--table-rate",
            paramLabel = "RATE",
            description = "Learning rate of embeddings and head.",
            converter = Numbers.Rate.class)
    private Double tableRate;

    @Option(
            names = "--vector-rate",
            paramLabel = "RATE",
            description = "Learning rate of gains.",
            converter = Numbers.Rate.class)
    private Double vectorRate;

    @Option(
            names = "--weight-decay",
            paramLabel = "RATE",
            description = "Weight decay of matrices.",
            converter = Numbers.Rate.class)
    private Double weightDecay;

    @Option(
            names = "--schedule",
            paramLabel = "SHAPE",
            description = "Shape of the learning rate: ${COMPLETION-CANDIDATES}.")
    private Schedule.Shape schedule;

    @Option(names = "--warmup", paramLabel = "STEPS", description = "Steps of warm-up.")
    private Long warmup;

    @Option(
            names = "--decay",
            paramLabel = "PART",
            description = "Last part of the run in which the learning rate falls, 0 to 1.")
    private Double decay;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            description = "Largest gradient norm; 0 for no limit.",
            converter = Numbers.Rate.class)
    private Double clip;

    @Option(names = "--dropout", paramLabel = "P", description = "Probability of dropout.")
    private Float dropout;

    @Option(
            names = "--average",
            paramLabel = "DECAY",
            description = "Decay of an average of the weights that is evaluated and saved.")
    private Double average;

    @Option(
            names = "--checkpoint",
            paramLabel = "EVERY",
            description = "How often a checkpoint is written: every 500 steps, or every 5m.",
            converter = IntervalConverter.class)
    private Interval checkpoint;

    @Option(
            names = "--evaluate",
            paramLabel = "EVERY",
            description = "How often held-out text is scored: every 500 steps, or every 2m.",
            converter = IntervalConverter.class)
    private Interval evaluate;

    @Option(names = "--keep", paramLabel = "N", description = "Checkpoints to keep.", converter = Numbers.Count.class)
    private Integer keep;

    @Option(names = "--seed", paramLabel = "SEED", description = "Seed of weights, data order and dropout.")
    private Long seed;

    /// The recipe of a new run.
    Recipe recipe(int vocabulary) {
        Duration length = or(time, TIME);
        Recipe recipe =
                Recipe.ofDepth(or(depth, DEPTH), vocabulary, or(context, Recipe.CONTEXT), length.toMillis() / 1000.0);
        if (steps != null) {
            recipe = recipe.withSteps(steps);
        }
        return new Recipe(shape(recipe), training(recipe.training()));
    }

    /// A run that has begun, with what is given here changed.
    ///
    /// @param kept the recipe that it began with
    /// @param folder of the model, for the error
    /// @throws IllegalArgumentException if another shape is asked for: the weights have theirs
    Recipe changed(Recipe kept, Path folder) {
        TransformerConfig model = kept.model();
        // Each for itself: what is not given is the run's own, and not what a new run of this depth would have.
        boolean same = agrees(depth, model.layers())
                && agrees(width, model.width())
                && agrees(heads, model.heads())
                && agrees(keyValueHeads, model.keyValueHeads())
                && agrees(hidden, model.hidden())
                && agrees(context, model.context())
                && !(untiedHead && model.tiedHead());
        if (!same) {
            throw new IllegalArgumentException(
                    "the model in %s has %d layers, width %d, %d heads (%d for keys and values), %d hidden channels, a context of %d and %s head, these options ask for another shape; leave them out, or give another folder"
                            .formatted(
                                    folder,
                                    model.layers(),
                                    model.width(),
                                    model.heads(),
                                    model.keyValueHeads(),
                                    model.hidden(),
                                    model.context(),
                                    model.tiedHead() ? "a tied" : "an untied"));
        }
        TrainingConfig training = kept.training();
        if (steps != null || time != null) {
            training = training.with(c -> {
                c.steps = steps == null ? 0 : steps;
                c.seconds = steps == null ? time.toMillis() / 1000.0 : 0;
            });
        }
        return new Recipe(model, training(training));
    }

    private static boolean agrees(Integer given, int kept) {
        return given == null || given == kept;
    }

    private TransformerConfig shape(Recipe recipe) {
        return recipe.model().with(c -> {
            c.width = or(width, c.width);
            if (width != null || heads != null) {
                c.heads = or(heads, Math.max(1, c.width / c.headDimension));
                c.headDimension = c.width / c.heads;
                c.keyValueHeads = c.heads;
                c.hidden = (c.width * 8 / 3 + 63) / 64 * 64;
            }
            c.keyValueHeads = or(keyValueHeads, c.keyValueHeads);
            c.hidden = or(hidden, c.hidden);
            c.tiedHead = c.tiedHead && !untiedHead;
        });
    }

    private TrainingConfig training(TrainingConfig base) {
        return base.with(c -> {
            var o = c.optimizer;
            boolean leavesMuon = optimizer == TrainingConfig.Kind.ADAMW && o.kind() != optimizer;
            double rate = leavesMuon ? o.embeddingRate() : o.matrixRate(); // Muon's is no rate for AdamW
            c.optimizer = new TrainingConfig.OptimizerConfig(
                    or(optimizer, o.kind()),
                    or(matrixRate, rate),
                    or(tableRate, o.embeddingRate()),
                    or(tableRate, o.headRate()),
                    or(vectorRate, o.vectorRate()),
                    or(weightDecay, o.matrixDecay()),
                    o.embeddingDecay(),
                    o.beta1(),
                    o.beta2(),
                    o.epsilon(),
                    o.momentum(),
                    o.scale());
            Schedule s = c.schedule;
            c.schedule =
                    new Schedule(or(schedule, s.shape()), or(warmup, s.warmupSteps()), or(decay, s.decay()), s.end());
            c.batchRows = or(batchRows, c.batchRows);
            c.accumulation = or(accumulation, c.accumulation);
            c.clip = or(clip, c.clip);
            c.dropout = or(dropout, c.dropout);
            c.average = or(average, c.average);
            c.keep = or(keep, c.keep);
            c.checkpoint = or(checkpoint, c.checkpoint);
            c.evaluate = or(evaluate, c.evaluate);
            c.seed = or(seed, c.seed);
        });
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
