package ai.epitome.cli.train;

import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.pretrain.DataRecord;
import ai.epitome.train.report.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Where models live, and in which state one is.
public final class ModelPlace {
    private ModelPlace() {}

    /// `models/NAME` beside the launcher, named after the text; relative where that is shorter.
    public static Path of(List<Path> texts) {
        Path home = TypedCommand.home().toAbsolutePath();
        Path here = Path.of("").toAbsolutePath();
        Path model = home.resolve("models").resolve(texts.isEmpty() ? "shakespeare" : name(texts.getFirst()));
        return model.startsWith(here) ? here.relativize(model) : model;
    }

    private static String name(Path text) {
        Path last = text.toAbsolutePath().normalize().getFileName();
        if (last == null) {
            return "model"; // of the root folder
        }
        int dot = last.toString().indexOf('.', 1);
        return dot < 0 ? last.toString() : last.toString().substring(0, dot);
    }

    /// Whether a run has come to its end here: the report is the last thing that it writes.
    public static boolean isFinished(Path folder) {
        return Files.exists(folder.resolve(Report.FILE)) && Files.exists(folder.resolve("model.safetensors"));
    }

    /// Whether a finished model was trained on these files, as far as their sizes tell.
    public static boolean wasTrainedOn(Path folder, Corpus corpus) throws IOException {
        Optional<DataRecord> data = DataRecord.read(folder); // none of a model of elsewhere
        return data.isEmpty() || data.get().sizes().equals(corpus.sizes());
    }
}
