package ai.epitome.cli.up;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.serve.ServeCommand;
import ai.epitome.cli.serve.ServiceOptions;
import ai.epitome.cli.terminal.Interruption;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.train.ModelPlace;
import ai.epitome.cli.train.RunOptions;
import ai.epitome.cli.train.RunPlan;
import ai.epitome.cli.train.TerminalProgress;
import ai.epitome.cli.train.TextOptions;
import ai.epitome.model.LoadedModel;
import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.page.ProgressEvent;
import ai.epitome.serve.page.ProgressEvent.Phase;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.pretrain.Pretraining;
import ai.epitome.train.report.Report;
import ai.epitome.train.sft.FineTuning;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome up`: from text to a model that talks, in one command.
@Command(
        name = "up",
        description = {
            "Train a model on a text and serve it: the page shows it learn, then lets you talk to it.",
            "Then the model learns to answer, from bundled tasks, and is served besides as NAME-chat.",
            "Without --text the bundled Shakespeare is used. Started again, it goes on where it was stopped, or serves"
                    + " the finished model at once."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome up --text my-notes/ --time 10m"})
public final class UpCommand implements Callable<Integer> {
    @Option(
            names = "--text",
            arity = "1..*",
            paramLabel = "PATH",
            description = "Files or folders: plain text, .jsonl (field `text`), .gz, .zst, .xz, .bz2.")
    private List<Path> texts = List.of();

    @Option(names = "--model", paramLabel = "FOLDER", description = "Where the model is kept (default: models/NAME).")
    private Path folder;

    @Option(names = "--no-chat", description = "Do not teach the model to answer.")
    private boolean noChat;

    @Mixin
    private ServiceOptions service;

    @Mixin
    private TextOptions text;

    @Mixin
    private RunOptions run;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path model = folder != null ? folder : ModelPlace.of(texts);
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        ModelRegistry models = new ModelRegistry();
        TrainingProgress progress = new TrainingProgress();
        try (Accounts accounts = service.accounts();
                EpitomeServer server = EpitomeServer.start(
                        service.config(),
                        models,
                        Optional.of(progress),
                        accounts,
                        Optional.of(service.tuning(kernels, backend)))) {
            System.err.println("page: " + server.uri());
            if (ModelPlace.isFinished(model)) {
                serveFinished(model, backend, models, progress);
                if (!texts.isEmpty() && !ModelPlace.wasTrainedOn(model, Corpus.of(texts))) {
                    System.err.println(
                            "note: " + texts + " changed since, or is another text: --model FOLDER trains on it");
                }
            } else if (!train(model, backend, models, progress)) {
                return Interruption.EXIT_CODE;
            }
            if (!noChat && !teach(new ChatLesson(model), backend, models, progress)) {
                return Interruption.EXIT_CODE;
            }
            progress.publish(new ProgressEvent.StatusChanged(Phase.READY, ""));
            System.err.printf("%s is served at %s (Ctrl-C ends)%n", model.getFileName(), server.uri());
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(server::close));
            server.awaitClose();
        }
        return 0;
    }

    private static void serveFinished(Path folder, Backend backend, ModelRegistry models, TrainingProgress progress)
            throws IOException {
        LoadedModel model = LoadedModel.open(folder); // served until the process ends
        models.put(
                model,
                model.generator(backend),
                Files.getLastModifiedTime(folder.resolve("config.json")).toInstant(),
                ServeCommand.chat(model));
        try {
            new WebProgress(progress).replayFinished(folder, model.transformer().config(), backend.describe());
        } catch (IOException e) {
            System.err.println("note: the page shows no training run: " + e.getMessage());
        }
        System.err.println("found the finished model " + folder + "; delete the folder to train anew");
    }

    /// Trains, and leaves the model served by the registry. False when it was interrupted.
    private boolean train(Path model, Backend backend, ModelRegistry models, TrainingProgress progress)
            throws IOException {
        try {
            RunPlan plan = RunPlan.of(texts, model, text, run, kernels.threads(), Notices.terminal());
            TerminalProgress terminal = new TerminalProgress();
            WebProgress web = new WebProgress(progress);
            web.describe(
                    plan.settings().title(),
                    backend.describe(),
                    plan.bytesPerToken(),
                    Optional.of(plan.text().baselines()));
            Pretraining[] running = new Pretraining[1];
            TrainingListener announce = event -> {
                if (event instanceof TrainingEvent.Evaluated) {
                    models.put(running[0].generator()); // there are weights worth trying
                }
            };
            // Stays open after the run: the model is served from its memory.
            Pretraining pretraining = plan.open(backend, TrainingListener.all(terminal, web, announce));
            running[0] = pretraining;
            web.replay(model, pretraining.step());
            boolean complete;
            try (Interruption _ = new Interruption(pretraining::requestStop);
                    terminal) {
                complete = pretraining.train();
                System.err.println(
                        complete
                                ? "report: " + model.resolve(Report.FILE)
                                : Notices.stopped(model, pretraining.step(), "the next `epitome up`"));
            }
            if (complete) {
                models.put(pretraining.generator());
            }
            return complete;
        } catch (IOException | RuntimeException e) {
            progress.publish(new ProgressEvent.StatusChanged(Phase.FAILED, String.valueOf(e.getMessage())));
            throw e;
        }
    }

    /// Lets the model learn to answer, where it has not, and serves the one that does. False when it was interrupted.
    private static boolean teach(ChatLesson lesson, Backend backend, ModelRegistry models, TrainingProgress progress)
            throws IOException {
        Optional<String> obstacle = lesson.obstacle();
        if (obstacle.isPresent()) {
            System.err.println("note: " + obstacle.get());
            return true;
        }
        try {
            WebProgress web = new WebProgress(progress);
            web.replayAnswers(lesson.folder());
            if (!ModelPlace.isFinished(lesson.folder())) {
                System.err.println("now it learns to answer: " + lesson.folder());
                TerminalProgress terminal = new TerminalProgress();
                try (terminal;
                        FineTuning run = lesson.open(backend, TrainingListener.all(terminal, web.ofAnswers()));
                        Interruption _ = new Interruption(run::requestStop)) {
                    if (!run.train()) {
                        System.err.println(Notices.stopped(lesson.folder(), run.step(), "the next `epitome up`"));
                        return false;
                    }
                }
            }
            LoadedModel model = LoadedModel.open(lesson.folder()); // served until the process ends
            models.put(
                    model,
                    model.generator(backend),
                    Files.getLastModifiedTime(lesson.folder().resolve("config.json"))
                            .toInstant(),
                    ServeCommand.chat(model));
            return true;
        } catch (IOException | RuntimeException e) {
            progress.publish(new ProgressEvent.StatusChanged(Phase.FAILED, String.valueOf(e.getMessage())));
            throw e;
        }
    }
}
