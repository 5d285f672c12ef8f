package ai.epitome.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome tasks` and `epitome tasks score`, on a model that knows nothing.
class TasksCommandTest {
    @TempDir
    Path folder;

    @Test
    void tasksAreWrittenLearnedAndAsked() throws IOException {
        Path tasks = folder.resolve("tasks.jsonl");
        assertThat(CommandResult.done("tasks", "-o", tasks.toString(), "--count", "60")
                        .err())
                .contains("60 conversations: " + tasks);
        List<String> lines = Files.readAllLines(tasks);
        assertThat(lines)
                .hasSize(60)
                .allSatisfy(line -> assertThat(line).startsWith("{\"messages\":[{\"role\":\"user\""));

        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(200));
        Path base = folder.resolve("base");
        CommandResult.done(
                "pretrain",
                text.toString(),
                "-o",
                base.toString(),
                "--depth",
                "1",
                "--context",
                "160",
                "--batch",
                "2",
                "--threads",
                "1",
                "--steps",
                "2");
        Path chat = folder.resolve("chat");
        String sft = "sft %s %s -o %s --threads 1 --steps 2".formatted(base, tasks, chat);
        assertThat(CommandResult.done(sft.split(" ")).err()).contains("60 conversations, 3 of them held out");

        Path answers = folder.resolve("answers.jsonl");
        String score = "tasks score %s --count 3 --threads 1 --answers %s".formatted(chat, answers);
        JsonNode result = CommandResult.done((score + " --json").split(" ")).json();
        assertThat(result.path("reverse").path("asked").asInt()).isEqualTo(3);
        assertThat(result.path("spell backwards").path("learned").asBoolean(true))
                .isFalse();
        assertThat(Files.readAllLines(answers)).hasSize(36);
        assertThat(CommandResult.done((score + " --learned").split(" ")).out())
                .contains("all kinds that are learned  ")
                .containsPattern("copy +\\d +3 +\\d")
                .doesNotContain("backwards");
    }

    @Test
    void aPlaceForTheTasksIsAskedFor() throws IOException {
        CommandResult result = CommandResult.run("tasks");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("say where the tasks go: -o tasks.jsonl");
    }
}
