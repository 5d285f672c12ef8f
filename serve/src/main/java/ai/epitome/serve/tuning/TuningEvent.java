package ai.epitome.serve.tuning;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// What a [TuningProgram] tells, a JSON object a line.
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
    @JsonSubTypes.Type(value = TuningEvent.Started.class, name = "started"),
    @JsonSubTypes.Type(value = TuningEvent.Said.class, name = "said"),
    @JsonSubTypes.Type(value = TuningEvent.Measured.class, name = "measured"),
    @JsonSubTypes.Type(value = TuningEvent.Checkpointed.class, name = "checkpointed"),
    @JsonSubTypes.Type(value = TuningEvent.Finished.class, name = "finished"),
    @JsonSubTypes.Type(value = TuningEvent.Failed.class, name = "failed")
})
public sealed interface TuningEvent {
    /// The data are good, and training begins or goes on.
    ///
    /// @param step after which
    /// @param steps of the whole run
    /// @param epochs that the run takes
    /// @param batchSize rows, or pairs, of a step
    /// @param rateMultiplier of the learning rate
    record Started(long step, long steps, double epochs, int batchSize, double rateMultiplier) implements TuningEvent {}

    /// Something that a person should know.
    record Said(boolean warning, String message) implements TuningEvent {}

    /// What a step, or what is held out, has cost.
    ///
    /// @param tokens that were trained on so far
    /// @param values by name: `train_loss`, `valid_loss` and others
    record Measured(long step, long steps, long tokens, Map<String, Double> values) implements TuningEvent {}

    /// A checkpoint is whole.
    ///
    /// @param folder within the job's
    /// @param values as those of [Measured], the latest of each
    record Checkpointed(long step, String folder, Map<String, Double> values) implements TuningEvent {}

    /// The run has come to its end, and the model is there.
    ///
    /// @param tokens that were trained on
    record Finished(long step, long tokens) implements TuningEvent {}

    /// The run cannot go on, and trying again would not help.
    ///
    /// @param param the field of the job that is to blame
    record Failed(String code, Optional<String> param, String message) implements TuningEvent {}

    /// As a line.
    default String toLine() {
        return JsonMapper.shared().writeValueAsString(this);
    }

    /// @throws IllegalArgumentException if it is no event
    static TuningEvent parse(String line) {
        try {
            return JsonMapper.shared().readValue(line, TuningEvent.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("the training process said what is no event: " + line, e);
        }
    }
}
