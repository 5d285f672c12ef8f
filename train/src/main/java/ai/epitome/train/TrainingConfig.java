package ai.epitome.train;

import ai.epitome.train.optimizer.Muon;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// How a model is trained: everything that the weights of a run depend on besides model, data and machine, and
/// how often it looks up from its work. Kept as `training.json` in the model's folder.
///
/// @param seed of data order and dropout
/// @param steps most steps of the run, or 0 when `seconds` says how long it is
/// @param seconds of training at most (evaluation and sampling not counted), or 0 when `steps` says it
/// @param batchRows B, rows of one backward pass
/// @param length T, tokens of a row
/// @param accumulation backward passes a step
/// @param optimizer which, and its rates
/// @param schedule of the learning rates
/// @param clip largest gradient norm; 0 for no limit
/// @param dropout probability
/// @param average decay of the average of weights that is evaluated and saved; 0 for none
/// @param evaluate how often held-out text is scored
/// @param checkpoint how often a checkpoint is written
/// @param keep checkpoints that are kept
public record TrainingConfig(
        long seed,
        long steps,
        double seconds,
        int batchRows,
        int length,
        int accumulation,
        OptimizerConfig optimizer,
        Schedule schedule,
        double clip,
        float dropout,
        double average,
        Interval evaluate,
        Interval checkpoint,
        int keep) {
    /// What its file is called.
    public static final String FILE = "training.json";

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /// Which optimizer a model gets.
    public enum Kind {
        ADAMW,
        /// Muon for matrices in the blocks, AdamW for all else.
        MUON
    }

    /// @param kind which
    /// @param matrixRate learning rate of matrices in the blocks
    /// @param embeddingRate of embeddings (and of a head that is tied to them)
    /// @param headRate of a head of its own
    /// @param vectorRate of gains and biases
    /// @param matrixDecay weight decay of matrices in the blocks
    /// @param embeddingDecay weight decay of embeddings and head; vectors have none
    /// @param beta1 AdamW's decay of means
    /// @param beta2 AdamW's decay of mean squares
    /// @param epsilon AdamW's
    /// @param momentum Muon's
    /// @param scale of Muon's updates
    public record OptimizerConfig(
            Kind kind,
            double matrixRate,
            double embeddingRate,
            double headRate,
            double vectorRate,
            double matrixDecay,
            double embeddingDecay,
            double beta1,
            double beta2,
            double epsilon,
            double momentum,
            Muon.Scale scale) {
        /// AdamW with one rate for all and decay of everything with two dimensions, as nanoGPT trains.
        public static OptimizerConfig adamW(double rate, double decay) {
            return new OptimizerConfig(
                    Kind.ADAMW, rate, rate, rate, rate, decay, decay, 0.9, 0.95, 1e-8, 0.95, Muon.Scale.SPECTRAL);
        }

        /// Muon at `rate`, AdamW at `other` for everything else.
        public static OptimizerConfig muon(double rate, double other, double decay) {
            return new OptimizerConfig(
                    Kind.MUON, rate, other, other, other, decay, 0, 0.9, 0.95, 1e-10, 0.95, Muon.Scale.SPECTRAL);
        }
    }

    public TrainingConfig {
        if (steps < 0 || !(seconds >= 0) || steps == 0 && seconds == 0) {
            throw new IllegalArgumentException(
                    "a run needs a number of steps or of seconds, at least one of them above 0, not %d and %s"
                            .formatted(steps, seconds));
        }
        if (optimizer == null || schedule == null || evaluate == null || checkpoint == null) {
            throw new IllegalArgumentException(
                    "a run needs an optimizer, a schedule, and intervals of evaluation and checkpoints; found %s, %s, %s, %s"
                            .formatted(optimizer, schedule, evaluate, checkpoint));
        }
        if (batchRows < 1 || length < 1 || accumulation < 1 || keep < 1) {
            throw new IllegalArgumentException(
                    "rows, tokens a row, accumulation and kept checkpoints must be at least 1, not %d, %d, %d and %d"
                            .formatted(batchRows, length, accumulation, keep));
        }
        if (!(clip >= 0) || !(dropout >= 0 && dropout < 1) || !(average >= 0 && average < 1)) {
            throw new IllegalArgumentException(
                    "clipping must be at least 0, dropout and average from 0 up to below 1, not %s, %s and %s"
                            .formatted(clip, dropout, average));
        }
    }

    /// A plain run of AdamW: what tests and small trials start from.
    public static TrainingConfig ofSteps(long steps, int batchRows, int length) {
        return new TrainingConfig(
                1,
                steps,
                0,
                batchRows,
                length,
                1,
                OptimizerConfig.adamW(1e-3, 0.1),
                new Schedule(Schedule.Shape.STABLE_THEN_LINEAR, Math.min(steps / 10, 100), 0.4, 0),
                1,
                0,
                0,
                Interval.NEVER,
                Interval.NEVER,
                2);
    }

    /// As the text of `training.json`.
    public byte[] toJson() {
        return (JSON.writeValueAsString(this) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Reads what [#toJson] wrote.
    ///
    /// @throws IllegalArgumentException if it is no such text; `where` says whose
    public static TrainingConfig fromJson(byte[] json, String where) {
        try {
            return JSON.readValue(json, TrainingConfig.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(where + " is no training configuration: " + e.getOriginalMessage(), e);
        }
    }

    /// The configuration of the run in a folder; nothing where none has begun.
    ///
    /// @throws IllegalArgumentException if the folder's file is none
    public static Optional<TrainingConfig> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? Optional.of(fromJson(Files.readAllBytes(file), file.toString())) : Optional.empty();
    }

    /// Fields to change in [#with].
    public static final class Changes {
        public long seed;
        public long steps;
        public double seconds;
        public int batchRows;
        public int length;
        public int accumulation;
        public OptimizerConfig optimizer;
        public Schedule schedule;
        public double clip;
        public float dropout;
        public double average;
        public Interval evaluate;
        public Interval checkpoint;
        public int keep;

        private Changes(TrainingConfig c) {
            seed = c.seed;
            steps = c.steps;
            seconds = c.seconds;
            batchRows = c.batchRows;
            length = c.length;
            accumulation = c.accumulation;
            optimizer = c.optimizer;
            schedule = c.schedule;
            clip = c.clip;
            dropout = c.dropout;
            average = c.average;
            evaluate = c.evaluate;
            checkpoint = c.checkpoint;
            keep = c.keep;
        }
    }

    /// This configuration with some fields changed: `config.with(c -> c.clip = 0.5)`.
    public TrainingConfig with(Consumer<Changes> change) {
        Changes c = new Changes(this);
        change.accept(c);
        return new TrainingConfig(
                c.seed,
                c.steps,
                c.seconds,
                c.batchRows,
                c.length,
                c.accumulation,
                c.optimizer,
                c.schedule,
                c.clip,
                c.dropout,
                c.average,
                c.evaluate,
                c.checkpoint,
                c.keep);
    }
}
