package ai.epitome.cli.text;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.StandardOutput;
import ai.epitome.cli.terminal.Table;
import ai.epitome.cli.terminal.WholeFile;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.task.TaskKind;
import ai.epitome.train.task.TaskMixture;
import ai.epitome.train.task.TaskScore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/// `epitome tasks`: requests with checkable answers, to learn from and to measure with.
@Command(
        name = "tasks",
        description = {
            "Write small tasks with their right answers, as conversations: copy, reverse, spell, count, arithmetic, the"
                    + " longer word, JSON, refuse, say who you are.",
            "One instance in ten is held out, and no conversation has two of the kinds: `tasks score` asks those."
        },
        mixinStandardHelpOptions = true,
        subcommands = TasksCommand.Score.class,
        footer = {
            "",
            "Example: epitome tasks -o tasks.jsonl && epitome sft models/mine tasks.jsonl -o models/mine-chat",
            "         epitome tasks score models/mine-chat"
        })
public final class TasksCommand implements Callable<Integer> {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where the conversations go, one a line.")
    private Path file;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Conversations (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int count = 20_000;

    @Option(names = "--seed", paramLabel = "SEED", description = "Seed of the tasks (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--held-out", description = "Write held-out tasks instead, of the kinds that are learned.")
    private boolean heldOut;

    @Override
    public Integer call() throws IOException {
        if (file == null) {
            throw new IllegalArgumentException("say where the tasks go: -o tasks.jsonl");
        }
        byte[] lines = new TaskMixture(seed, heldOut).jsonLines(count).getBytes(StandardCharsets.UTF_8);
        WholeFile.write(file, out -> out.write(lines));
        System.err.printf(Locale.ROOT, "%,d conversations: %s%n", count, file);
        return 0;
    }

    /// `epitome tasks score`: how many held-out tasks a model solves.
    @Command(
            name = "score",
            description =
                    "Ask a model held-out tasks of every kind, and check its answers (the likeliest token always).",
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome tasks score models/mine-chat --answers answers.jsonl"})
    static final class Score implements Callable<Integer> {
        @Parameters(
                index = "0",
                paramLabel = "MODEL",
                description = "Model: a folder, a GGUF file, or one of llama2.c.")
        private Path source;

        @Option(
                names = "--count",
                paramLabel = "N",
                description = "Most tasks of a kind (default: ${DEFAULT-VALUE}); some kinds have fewer.",
                converter = Numbers.Count.class)
        private int count = 100;

        @Option(names = "--seed", paramLabel = "SEED", description = "Seed of the tasks (default: ${DEFAULT-VALUE}).")
        private long seed = 1;

        @Option(names = "--learned", description = "Ask tasks that may be learned from, not those that are held out.")
        private boolean learned;

        @Option(
                names = "--answers",
                paramLabel = "FILE",
                description = "Write every answer there, a JSON object a line.")
        private Path answers;

        @Option(names = "--json", description = "Print the result as JSON.")
        private boolean json;

        @Mixin
        private KernelOptions kernels;

        @Override
        public Integer call() throws IOException {
            Backend backend = kernels.backend();
            try (LoadedModel model = LoadedModel.open(source)) {
                List<TaskScore> scores =
                        TaskScore.of(model.generator(backend), model.chat(), new TaskMixture(seed, !learned), count);
                if (answers != null) {
                    write(scores);
                }
                print(scores);
                return 0;
            } finally {
                backend.workers().close();
            }
        }

        private void print(List<TaskScore> scores) {
            PrintStream out = new PrintStream(new StandardOutput(), true, StandardCharsets.UTF_8);
            if (json) {
                ObjectNode result = Json.MAPPER.createObjectNode();
                for (TaskScore score : scores) {
                    result.putObject(score.kind().label())
                            .put("right", score.right())
                            .put("asked", score.answers().size())
                            .put("accuracy", score.accuracy())
                            .put("learned", score.kind().learned());
                }
                out.println(Json.write(result));
                return;
            }
            Table table = new Table("task", "right>", "asked>", "accuracy>");
            scores.forEach(score -> row(
                    table, name(score.kind()), score.right(), score.answers().size()));
            List<TaskScore> known =
                    scores.stream().filter(score -> score.kind().learned()).toList();
            row(
                    table,
                    "all kinds that are learned",
                    known.stream().mapToLong(TaskScore::right).sum(),
                    known.stream().mapToInt(score -> score.answers().size()).sum());
            table.print(out);
        }

        private static String name(TaskKind kind) {
            return kind.label() + (kind.learned() ? "" : " (a kind that no conversation teaches)");
        }

        private static void row(Table table, String name, long right, int asked) {
            table.add(name, right, asked, String.format(Locale.ROOT, "%.1f %%", 100.0 * right / asked));
        }

        private void write(List<TaskScore> scores) throws IOException {
            WholeFile.write(answers, out -> {
                for (TaskScore score : scores) {
                    for (TaskScore.Answer answer : score.answers()) {
                        out.write((line(answer) + "\n").getBytes(StandardCharsets.UTF_8));
                    }
                }
            });
        }

        private static String line(TaskScore.Answer answer) {
            return Json.write(Json.MAPPER
                    .createObjectNode()
                    .put("task", answer.task().kind().label())
                    .put("request", answer.task().request())
                    .put("expected", answer.task().answer())
                    .put("answer", answer.text())
                    .put("right", answer.right()));
        }
    }
}
