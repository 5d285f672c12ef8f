package ai.epitome.cli;

import ai.epitome.model.TransformerConfig;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.pretrain.Recipe;
import java.time.Duration;
import picocli.CommandLine.Option;

/// The dial of a run, and all that can be set besides it.
final class RunOptions {
    @Option(
            names = "--depth",
            description = "The one dial: layers; the width is 64 times as many channels, and heads, batch and learning"
                    + " rates follow (default: ${DEFAULT-VALUE}).")
    private int depth = 4;

    @Option(names = "--width", description = "Channels of the residual stream.")
    private Integer width;

    @Option(names = "--heads", description = "Attention heads; heads have width / heads channels.")
    private Integer heads;

    @Option(names = "--kv-heads", description = "Key and value heads, for grouped-query attention.")
    private Integer keyValueHeads;

    @Option(names = "--hidden", description = "Channels inside the MLP.")
    private Integer hidden;

    @Option(names = "--context", description = "Positions that the model sees (default: ${DEFAULT-VALUE}).")
    private int context = Recipe.CONTEXT;

    @Option(names = "--untied-head", description = "A head of its own instead of the embedding table.")
    private boolean untiedHead;

    @Option(
            names = "--time",
            paramLabel = "TIME",
            description = "Time to train: 3m, 90s, 1h30m; evaluation is not counted (default: ${DEFAULT-VALUE}).",
            converter = TimeConverter.class)
    private Duration time = Duration.ofMinutes(3);

    @Option(names = "--steps", description = "Number of steps, instead of a time.")
    private Long steps;

    @Option(names = "--batch", description = "Rows of one backward pass.")
    private Integer batchRows;

    @Option(names = "--accumulate", description = "Backward passes of one step.")
    private Integer accumulation;

    @Option(names = "--optimizer", description = "${COMPLETION-CANDIDATES}; muon leaves vectors and tables to AdamW.")
    private TrainingConfig.Kind optimizer;

    @Option(names = "--rate", description = "Learning rate of matrices.")
    private Double matrixRate;

    @Option(names = "--table-rate", description = "Learning rate of embeddings and head.")
    private Double tableRate;

    @Option(names = "--vector-rate", description = "Learning rate of gains.")
    private Double vectorRate;

    @Option(names = "--weight-decay", description = "Weight decay of matrices.")
    private Double weightDecay;

    @Option(names = "--schedule", description = "Shape of the learning rate: ${COMPLETION-CANDIDATES}.")
    private Schedule.Shape schedule;

    @Option(names = "--warmup", description = "Steps of warm-up.")
    private Long warmup;

    @Option(names = "--decay", description = "Last part of the run in which the learning rate falls, 0 to 1.")
    private Double decay;

    @Option(names = "--clip", description = "Largest gradient norm; 0 for no limit.")
    private Double clip;

    @Option(names = "--dropout", description = "Probability of dropout.")
    private Float dropout;

    @Option(names = "--average", description = "Decay of an average of the weights that is evaluated and saved.")
    private Double average;

    @Option(names = "--keep", description = "Checkpoints to keep.")
    private Integer keep;

    @Option(names = "--seed", description = "Seed of weights, data order and dropout.")
    private Long seed;

    /// The recipe for a vocabulary.
    Recipe recipe(int vocabulary) {
        Recipe recipe = Recipe.ofDepth(depth, vocabulary, context, time.toMillis() / 1000.0);
        if (steps != null) {
            recipe = recipe.withSteps(steps);
        }
        return new Recipe(shape(recipe), training(recipe.training()));
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
            c.optimizer = new TrainingConfig.OptimizerConfig(
                    or(optimizer, o.kind()),
                    or(matrixRate, o.matrixRate()),
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
            c.seed = or(seed, c.seed);
        });
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
