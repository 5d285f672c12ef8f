package ai.epitome.train.align;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.train.align.Comparison.Entry;
import ai.epitome.train.report.Frontier;
import ai.epitome.train.report.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A comparison of models as a page: a table, reward against divergence as a picture, and answers side by side.
///
/// @param title a heading
/// @param command the command line that made it
/// @param commit of the code
/// @param machine that it was made on
/// @param judge what the judge is called
/// @param plain which texts the price is of
/// @param settings of the samples
/// @param asked the prompts' words
/// @param entries the base first
public record AlignmentReport(
        String title,
        String command,
        Optional<String> commit,
        Machine machine,
        String judge,
        String plain,
        Comparison.Settings settings,
        List<String> asked,
        List<Entry> entries) {
    /// What it is called; written last.
    public static final String FILE = "report.md";

    private static final int SHOWN = 8;

    /// Writes `report.md`, `results.json`, and `frontier.png` where Java can draw.
    public void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.write(folder.resolve("results.json"), json().toPrettyString() + "\n");
        String picture = "![Part of the answers that the judge finds good, against the divergence](frontier.png)\n\n";
        try {
            Frontier.write(
                    folder,
                    "frontier",
                    "Judged positive",
                    "KL from the base, nats an answer",
                    entries.stream()
                            .map(e -> new Frontier.Point(e.name(), e.divergence(), e.positive()))
                            .toList());
        } catch (LinkageError | InternalError | RuntimeException e) {
            // AWT finds out about a missing library or font only here, and says so in many ways.
            picture = "No picture could be drawn (%s): it needs Java's graphics libraries and a font.\n\n".formatted(e);
        }
        AtomicFile.write(folder.resolve(FILE), markdown(picture));
    }

    private String markdown(String picture) {
        StringBuilder text = new StringBuilder("# ").append(title).append("\n\n");
        text.append(
                        "| model | judged positive | preferred to the base's | mean score | KL from the base, nats an answer |")
                .append(
                        " tokens an answer | bits per byte | against the base |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
        double before = entries.getFirst().bitsPerByte();
        for (Entry entry : entries) {
            text.append(format(
                    "| %s | %.1f %% | %.1f %% | %.2f | %s | %.1f | %s | %s |\n",
                    cell(entry.name()),
                    100 * entry.positive(),
                    100 * entry.wins(),
                    entry.score(),
                    Double.isNaN(entry.deviation())
                            ? format("at most %.2f", entry.divergence())
                            : format("%.2f ± %.2f", entry.divergence(), entry.deviation()),
                    entry.length(),
                    Double.isNaN(before) ? "" : format("%.4f", entry.bitsPerByte()),
                    Double.isNaN(before) ? "" : format("%+.2f %%", 100 * (entry.bitsPerByte() / before - 1))));
        }
        text.append(format(
                "\n%,d prompts, %,d answer(s) to each of at most %,d tokens, sampled at temperature 1 with seed %d. Judge: %s; an answer is positive where its score is above 0. KL: mean of log p - log p of the base over the answers, with its standard error. Bits per byte: %s.\n\n",
                asked.size(),
                settings.each(),
                settings.tokens(),
                settings.seed(),
                judge,
                Double.isNaN(before) ? "not measured" : plain));
        rates(text);
        text.append(picture);
        text.append("## Run\n\n```\n").append(command).append("\n```\n\n| | |\n|---|---|\n");
        row(text, "commit", commit.orElse("not in a git repository"));
        row(text, "CPU", machine.cpu());
        row(text, "cores", Integer.toString(machine.cores()));
        row(text, "JVM", machine.jvm());
        row(text, "kernels", machine.kernels());
        text.append("\n## Side by side\n\n");
        for (int i = 0; i < Math.min(SHOWN, asked.size()); i++) {
            text.append("**").append(cell(asked.get(i).strip())).append("**\n\n| | |\n|---|---|\n");
            for (Entry entry : entries) {
                row(text, entry.name(), entry.texts().get(i * settings.each()));
            }
            text.append('\n');
        }
        return text.toString();
    }

    /// What was counted besides, where something was.
    private void rates(StringBuilder text) {
        List<String> names = List.copyOf(entries.getFirst().rates().keySet());
        if (names.isEmpty()) {
            return;
        }
        text.append("| model | ").append(String.join(" | ", names)).append(" |\n|---|");
        text.append("---:|".repeat(names.size())).append('\n');
        for (Entry entry : entries) {
            if (!entry.rates().isEmpty()) {
                text.append("| ").append(cell(entry.name())).append(" |");
                entry.rates().values().forEach(rate -> text.append(format(" %.1f %% |", 100 * rate)));
                text.append('\n');
            }
        }
        text.append('\n');
    }

    /// Everything as numbers, without the answers.
    ObjectNode json() {
        ObjectNode json = new JsonMapper().createObjectNode();
        json.put("command", command).put("judge", judge);
        json.put("prompts", asked.size()).put("each", settings.each()).put("tokens", settings.tokens());
        json.put("seed", settings.seed());
        ArrayNode models = json.putArray("models");
        for (Entry entry : entries) {
            ObjectNode model = models.addObject().put("name", entry.name());
            if (Double.isNaN(entry.deviation())) {
                model.put("kl_at_most", entry.divergence());
            } else {
                model.put("kl", entry.divergence()).put("kl_standard_error", entry.deviation());
            }
            model.put("positive", entry.positive()).put("win_rate", entry.wins());
            model.put("mean_score", entry.score()).put("mean_tokens", entry.length());
            entry.rates().forEach((name, rate) -> model.withObject("rates").put(name, rate));
            if (!Double.isNaN(entry.bitsPerByte())) {
                model.put("bits_per_byte", entry.bitsPerByte());
            }
        }
        return json;
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append("| ").append(cell(name)).append(" | ").append(cell(value)).append(" |\n");
    }

    private static String cell(String value) {
        return value.replace("|", "\\|").replaceAll("\\s+", " ").replace("<", "&lt;");
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
