package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What a run that is under way has written so far.
public final class CheckpointFolder {
    private CheckpointFolder() {}

    /// Waits for a whole checkpoint that was not there before.
    public static void awaitTraining(CommandProcess process, Path model, List<String> before)
            throws IOException, InterruptedException {
        while (wholeSteps(model).equals(before)) {
            assertThat(process.isAlive()).as(process.output()).isTrue();
            Thread.sleep(5);
        }
    }

    /// Names of whole checkpoints, the newest first.
    public static List<String> wholeSteps(Path model) throws IOException {
        return names(model).stream()
                .filter(name -> name.matches("step-\\d+"))
                .toList()
                .reversed();
    }

    static void awaitUnfinished(CommandProcess process, Path model) throws IOException {
        while (process.isAlive() && unfinished(model).isEmpty()) {
            Thread.onSpinWait();
        }
    }

    static List<String> unfinished(Path model) throws IOException {
        return names(model).stream().filter(name -> name.endsWith(".tmp")).toList();
    }

    private static List<String> names(Path model) throws IOException {
        Path checkpoints = model.resolve("checkpoints");
        if (!Files.exists(checkpoints)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(checkpoints)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
