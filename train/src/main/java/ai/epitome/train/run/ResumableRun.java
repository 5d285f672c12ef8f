package ai.epitome.train.run;

import java.io.IOException;

/// Training in a folder, which goes on from its newest checkpoint when it is opened again.
public interface ResumableRun extends AutoCloseable {
    /// Steps taken so far.
    long step();

    /// Whether the run had come to its end before, with its report. Training on does nothing then.
    boolean isFinished();

    /// Asks the run to end after the step that it is in, with a checkpoint. For any thread.
    void requestStop();

    /// Trains to the end, or until [#requestStop]; then writes `report.md`. Returns whether the end was reached.
    boolean train() throws IOException;

    @Override
    void close();
}
