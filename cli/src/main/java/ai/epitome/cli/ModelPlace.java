package ai.epitome.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Where models live, and in which state one is.
final class ModelPlace {
    private ModelPlace() {}

    /// `models/NAME` beside the launcher, named after the text.
    static Path of(List<Path> texts) {
        Path home = Path.of(System.getProperty("epitome.home", ""));
        return home.resolve("models").resolve(texts.isEmpty() ? "shakespeare" : name(texts.getFirst()));
    }

    private static String name(Path text) {
        String file = text.toAbsolutePath().normalize().getFileName().toString();
        int dot = file.indexOf('.', 1);
        return dot < 0 ? file : file.substring(0, dot);
    }

    /// Whether a run has come to its end here: the report is the last thing that it writes.
    static boolean isFinished(Path folder) {
        return Files.exists(folder.resolve("report.md")) && Files.exists(folder.resolve("model.safetensors"));
    }
}
