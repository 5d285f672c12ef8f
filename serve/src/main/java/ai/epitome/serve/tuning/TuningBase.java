package ai.epitome.serve.tuning;

import java.nio.file.Path;
import java.util.Optional;

/// What a job begins with.
///
/// @param name of the served model
/// @param source its folder or file
/// @param adapter folder of the adapter of it that has learned before
/// @param ownWeights whether it has weights of its own, and not those of the served model
public record TuningBase(String name, Path source, Optional<Path> adapter, boolean ownWeights) {}
