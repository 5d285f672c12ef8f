package ai.epitome.serve.tuning;

import java.io.IOException;
import java.nio.file.Path;

/// What trains a model: a process of its own. So training takes none of the service's heap, gives all its
/// memory back at its end, and takes nobody with it when it fails.
///
/// The process finds its [TuningRequest] in the folder, and goes on from the newest checkpoint where there is one. It
/// tells [TuningEvent]s on its standard output, one a line, and on its standard error what went wrong. When its
/// standard input ends, since it is to stop or since the service is gone, it keeps a checkpoint and ends.
@FunctionalInterface
public interface TuningProgram {
    /// @param folder of the job
    Process start(Path folder) throws IOException;
}
