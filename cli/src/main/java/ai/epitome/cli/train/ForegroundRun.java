package ai.epitome.cli.train;

import ai.epitome.cli.terminal.Interruption;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.train.report.Report;
import ai.epitome.train.run.ResumableRun;
import java.io.IOException;
import java.nio.file.Path;

/// A run in the terminal: to its end, or until Ctrl-C.
public final class ForegroundRun {
    private ForegroundRun() {}

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
