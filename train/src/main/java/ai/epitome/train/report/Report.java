package ai.epitome.train.report;

import ai.epitome.model.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The report of a run: what was done, with what, and what came of it.
///
/// @param title a heading
/// @param command the command line that made the run
/// @param commit of the code, see [GitCommit]
/// @param machine see [Machine#here]
/// @param data what `Dataset.toJson()` says
/// @param baselines what compressors pay for the held-out text
/// @param configuration every setting by name, in the order to print
/// @param results every final number by name, exactly as it was measured, in the order to print
/// @param history of the run's steps
public record Report(
        String title,
        String command,
        Optional<String> commit,
        Machine machine,
        JsonNode data,
        Optional<Baselines> baselines,
        Map<String, String> configuration,
        Map<String, String> results,
        RunHistory history) {
    /// What it is called; written last and whole.
    public static final String FILE = "report.md";

    private static final int MOST_FILES = 50;

    public Report {
        configuration = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
        results = Collections.unmodifiableMap(new LinkedHashMap<>(results));
    }

    /// Writes `report.md` into a folder, and its pictures `held-out.png` and `curves.png` beside it. Where
    /// Java cannot draw, since the system has no fonts for instance, the report says so in their place.
    public void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        String missing = "";
        try {
            new Curves(history, baselines).write(folder);
        } catch (LinkageError | InternalError | RuntimeException e) {
            // AWT finds out about a missing library or font only here, and says so in many ways.
            missing = format(
                    "The curves could not be drawn (%s). They need Java's graphics libraries and a font: on Debian, `apt-get install fontconfig fonts-dejavu-core`.",
                    e);
        }
        AtomicFile.write(folder.resolve(FILE), markdown(missing));
    }

    private String markdown(String missingPictures) {
        StringBuilder text = new StringBuilder();
        text.append("# ").append(title).append("\n\n");
        summary().ifPresent(sentence -> text.append(sentence).append("\n\n"));
        if (missingPictures.isEmpty()) {
            text.append(
                    ofTexts()
                            ? "![Held-out bits per byte over time](held-out.png)\n\n"
                            : "![What was measured on held-out data](held-out.png)\n\n");
        } else {
            text.append(missingPictures).append("\n\n");
        }
        baselines.ifPresent(lines -> appendBaselines(text, lines));
        appendTable(text, "Results", results);
        appendRun(text);
        appendData(text);
        appendTable(text, "Configuration", configuration);
        appendSamples(text);
        if (missingPictures.isEmpty()) {
            text.append("## Curves\n\n![")
                    .append(ofTexts() ? "Held-out bits per byte over steps, tokens and time; training" : "Training")
                    .append(" loss, learning rate and speed](curves.png)\n\nEvery step: `log.jsonl`.\n");
        }
        return text.toString();
    }

    /// Whether the price of texts is what was learned.
    private boolean ofTexts() {
        return history.measures().isEmpty() || history.lastMeasurement().isPresent();
    }

    private Optional<String> summary() {
        if (!ofTexts()) {
            List<String> last = new ArrayList<>();
            history.measures().forEach((name, curve) -> last.add(format("%s %s", name, rounded(curve.last()))));
            return Optional.of("**Held out: " + String.join(", ", last) + ".**");
        }
        return history.lastMeasurement().map(last -> {
            StringBuilder sentence = new StringBuilder(
                    format("**%s held-out bits per byte** after %,d steps", rounded(last.bitsPerByte()), last.step()));
            last.tokens().ifPresent(tokens -> sentence.append(format(", %,.0f tokens", tokens)));
            last.seconds().ifPresent(seconds -> sentence.append(" and ").append(duration(seconds)));
            return sentence.append('.').toString();
        });
    }

    private void appendBaselines(StringBuilder text, Baselines measured) {
        text.append("| bits per byte of the held-out text | given the training text | alone |\n|---|---:|---:|\n");
        history.lastMeasurement()
                .ifPresent(last -> text.append(format("| **this model** | **%s** | |\n", rounded(last.bitsPerByte()))));
        for (Baselines.Line line : measured.lines()) {
            text.append(
                    format("| %s | %s | %s |\n", line.name(), rounded(line.givenTraining()), rounded(line.alone())));
        }
        text.append('\n').append(measured.description()).append("\n\n");
    }

    private void appendRun(StringBuilder text) {
        text.append("## Run\n\n").append(fenced(command)).append("\n| | |\n|---|---|\n");
        row(text, "commit", commit.orElse("not in a git repository"));
        row(text, "CPU", machine.cpu());
        row(text, "cores", Integer.toString(machine.cores()));
        row(text, "memory", format("%.1f GiB", machine.memory() / (double) (1 << 30)));
        row(text, "system", machine.system());
        row(text, "JVM", machine.jvm());
        row(text, "kernels", machine.kernels());
        text.append('\n');
    }

    private void appendData(StringBuilder text) {
        text.append("## Data\n\n| | documents | tokens | bytes |\n|---|---:|---:|---:|\n");
        for (String side : List.of("train", "held_out")) {
            JsonNode counts = data.path(side);
            text.append(format(
                    "| %s | %,d | %,d | %,d |\n",
                    side.equals("train") ? "training" : "held out",
                    counts.path("documents").asLong(0),
                    counts.path("tokens").asLong(0),
                    counts.path("bytes").asLong(0)));
        }
        text.append("\nHeld out: ")
                .append(data.path("split").path("description").asString(""))
                .append(".\n\n| file | bytes | SHA-256 |\n|---|---:|---|\n");
        int shown = 0;
        for (JsonNode file : data.path("files")) {
            if (shown++ == MOST_FILES) {
                break;
            }
            text.append(format(
                    "| %s | %,d | `%s` |\n",
                    cell(file.path("name").asString("")),
                    file.path("size").asLong(0),
                    file.path("sha256").asString("")));
        }
        int hidden = data.path("files").size() - MOST_FILES;
        if (hidden > 0) {
            text.append(format("\n... and %,d files more; all of them are in the run's JSON.\n", hidden));
        }
        text.append("\nAll documents in order: SHA-256 `")
                .append(data.path("sha256").asString(""))
                .append("`.\n\n");
    }

    private void appendSamples(StringBuilder text) {
        if (!history.samples().isEmpty()) {
            text.append("## Samples\n\n");
        }
        for (RunHistory.Sample sample : history.samples()) {
            text.append(format("*step %,d*\n\n", sample.step()))
                    .append(fenced(sample.text()))
                    .append('\n');
        }
    }

    private static void appendTable(StringBuilder text, String heading, Map<String, String> rows) {
        if (rows.isEmpty()) {
            return;
        }
        text.append("## ").append(heading).append("\n\n| | |\n|---|---|\n");
        rows.forEach((name, value) -> row(text, name, value));
        text.append('\n');
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append("| ").append(cell(name)).append(" | ").append(cell(value)).append(" |\n");
    }

    private static String cell(String value) {
        return value.replace("|", "\\|").replace('\n', ' ');
    }

    /// A code block whose fence is longer than any run of backticks inside.
    private static String fenced(String code) {
        String fence = "```";
        while (code.contains(fence)) {
            fence += "`";
        }
        return fence + "\n" + code + (code.endsWith("\n") ? "" : "\n") + fence + "\n";
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    private static String rounded(double value) {
        return format("%.4f", value);
    }

    private static String duration(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 120) {
            return whole + " seconds";
        }
        return whole < 7200
                ? format("%d min %02d s", whole / 60, whole % 60)
                : format("%d h %02d min", whole / 3600, whole / 60 % 60);
    }
}
