package ai.epitome.serve.tuning;

import ai.epitome.tensor.backend.Backend;
import java.nio.file.Path;

/// What a service needs to fine-tune models.
///
/// @param folder where jobs and the models that they make keep their files
/// @param program what trains
/// @param backend that models of their own weights are served by
public record TuningSetup(Path folder, TuningProgram program, Backend backend) {}
