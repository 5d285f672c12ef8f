package ai.epitome.serve.tuning;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import tools.jackson.databind.json.JsonMapper;

/// What a [TuningProgram] is to do, as `job.json` in the job's folder.
///
/// ```text
/// FOLDER/job.json      this
///        data/...      the files to learn from
///        model/        the run: model or adapter, checkpoints, log, report
///        results.csv   losses by step, once the run has come to its end
/// ```
///
/// @param title what is trained on what
/// @param base the model to begin with
/// @param baseName what it is called
/// @param begun folder of the adapter of it to begin with, where the model has one
/// @param method what is learned from
/// @param training file to learn from
/// @param validation file to measure on; without, a part of the other one is held out
/// @param epochs how often the data are read
/// @param batchSize rows, or pairs, of a step
/// @param rateMultiplier of the learning rate
/// @param beta how dear it is to leave the reference, of preferences
/// @param rank of the adapter; 0 for all weights of the model
/// @param seed of everything random
public record TuningRequest(
        String title,
        Path base,
        String baseName,
        Optional<Path> begun,
        Method method,
        Path training,
        Optional<Path> validation,
        OptionalDouble epochs,
        OptionalInt batchSize,
        OptionalDouble rateMultiplier,
        OptionalDouble beta,
        int rank,
        long seed) {
    /// In the folder of a job.
    public static final String FILE = "job.json";
    public static final String MODEL = "model";
    public static final String RESULTS = "results.csv";
    static final String DATA = "data";

    private static final JsonMapper JSON = JsonMapper.shared();

    /// What is learned from.
    public enum Method {
        /// Conversations.
        SUPERVISED,
        /// Pairs of answers.
        DPO
    }

    /// Writes it whole.
    void write(Path folder) throws IOException {
        Path unfinished = folder.resolve(FILE + ".tmp");
        Files.writeString(unfinished, JSON.writeValueAsString(this), StandardCharsets.UTF_8);
        Files.move(
                unfinished, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// Reads what the service has written.
    public static TuningRequest read(Path folder) throws IOException {
        return JSON.readValue(Files.readAllBytes(folder.resolve(FILE)), TuningRequest.class);
    }
}
