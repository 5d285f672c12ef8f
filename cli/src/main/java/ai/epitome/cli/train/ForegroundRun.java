package ai.epitome.cli.train;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.terminal.Interruption;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.report.Report;
import ai.epitome.train.run.ResumableRun;
import java.io.IOException;
import java.nio.file.Path;

/// A run in the terminal: to its end, or until Ctrl-C.
public final class ForegroundRun {
    private ForegroundRun() {}

    /// Begins or goes on with a run.
    public interface Opening {
        /// @param base the model that it begins with, which belongs to the run from here on
        ResumableRun open(LoadedModel base, Backend backend, TrainingListener listener) throws IOException;
    }

    /// Trains what begins with the model in `source`, and says how it ended. Returns the exit code.
    ///
    /// @param folder of the run
    public static int from(Path source, Path folder, KernelOptions kernels, Opening opening) throws IOException {
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        LoadedModel base = LoadedModel.open(source);
        try (TerminalProgress terminal = new TerminalProgress();
                ResumableRun run = opening.open(base, backend, terminal)) {
            return complete(run, folder, "--steps or --epochs");
        } finally {
            backend.workers().close();
        }
    }

    /// Trains, and says how it ended. Returns the exit code.
    ///
    /// @param folder of the run
    /// @param longer options that make a run go on that has come to its end
    public static int complete(ResumableRun run, Path folder, String longer) throws IOException {
        if (run.isFinished()) {
            System.err.printf(
                    "the run in %s has come to its end (step %,d). More %s go on from there, deleting the folder begins anew%n",
                    folder, run.step(), longer);
            return 0;
        }
        try (Interruption _ = new Interruption(run::requestStop)) {
            boolean complete = run.train();
            System.err.println(
                    complete
                            ? "report: " + folder.resolve(Report.FILE)
                            : Notices.stopped(folder, run.step(), "the same command"));
            return complete ? 0 : Interruption.EXIT_CODE;
        }
    }
}
