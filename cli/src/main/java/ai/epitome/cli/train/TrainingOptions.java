package ai.epitome.cli.train;

import ai.epitome.cli.option.IntervalConverter;
import ai.epitome.cli.option.Numbers;
import ai.epitome.train.Interval;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import picocli.CommandLine.Option;

/// What can be set of any training, whatever is learned.
public final class TrainingOptions {
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

    /// `base` with what is given here changed.
    public TrainingConfig changed(TrainingConfig base) {
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
