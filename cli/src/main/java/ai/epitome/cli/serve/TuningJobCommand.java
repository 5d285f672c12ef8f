package ai.epitome.cli.serve;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.terminal.Failures;
import ai.epitome.cli.terminal.Interruption;
import ai.epitome.serve.tuning.TuningEvent;
import ai.epitome.serve.tuning.TuningRequest;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.run.ResumableRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// What `POST /v1/fine_tuning/jobs` starts for each job: see [ai.epitome.serve.tuning.TuningProgram].
@Command(
        name = "fine-tuning-job",
        hidden = true,
        description = "Used by the service: train as FOLDER/job.json says, until standard input ends.",
        mixinStandardHelpOptions = true)
public final class TuningJobCommand implements Callable<Integer> {
    static final String NAME = "fine-tuning-job";

    @Parameters(index = "0", paramLabel = "FOLDER", description = "The job's folder.")
    private Path folder;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        TuningRequest request = TuningRequest.read(folder);
        Backend backend = kernels.backend();
        TuningTeller teller = new TuningTeller(folder, event -> out.println(event.toLine()));
        try (ResumableRun run = new TuningPlan(request, folder, backend).open(teller)) {
            Thread.ofPlatform().daemon().name("standard input").start(() -> stopAtEnd(System.in, run));
            if (!run.isFinished() && !run.train()) {
                return Interruption.EXIT_CODE;
            }
            TuningResults results = TuningResults.of(folder.resolve(TuningRequest.MODEL));
            Files.writeString(folder.resolve(TuningRequest.RESULTS), results.csv());
            out.println(new TuningEvent.Finished(run.step(), results.tokens()).toLine());
            return 0;
        } catch (CorpusException e) {
            fail(out, e, request);
            return 0;
        } catch (IllegalArgumentException e) {
            out.println(new TuningEvent.Failed("invalid_job", Optional.empty(), Failures.describe(e)).toLine());
            return 0;
        } finally {
            backend.workers().close();
        }
    }

    /// Data that are wrong stay wrong.
    private static void fail(PrintStream out, CorpusException failure, TuningRequest request) {
        String message = Failures.describe(failure);
        boolean validation = request.validation()
                .filter(file -> message.contains(file.toString()))
                .isPresent();
        String param = validation ? "validation_file" : "training_file";
        out.println(new TuningEvent.Failed("invalid_" + param, Optional.of(param), message).toLine());
    }

    private static void stopAtEnd(InputStream in, ResumableRun run) {
        try {
            while (in.read() >= 0) {
                // Nobody says anything here.
            }
        } catch (IOException e) {
            // That is its end, too.
        }
        run.requestStop();
    }
}
