package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandsTest.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `epitome reward` on a tiny model.
class RewardCommandTest {
    @TempDir
    static Path folder;

    private static Path base;

    @BeforeAll
    static void pretrains() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(200));
        base = folder.resolve("base");
        List<String> arguments = new ArrayList<>(List.of("pretrain", text.toString(), "-o", base.toString()));
        arguments.addAll(List.of("--depth", "1", "--context", "48", "--batch", "2", "--threads", "1", "--steps", "2"));
        CommandsTest.done(arguments.toArray(String[]::new));
    }

    private static Result reward(Path data, String model, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("reward", base.toString(), data.toString(), "-o"));
        arguments.addAll(List.of(folder.resolve(model).toString(), "--threads", "1", "--batch", "4"));
        arguments.addAll(Arrays.asList(more));
        return CommandsTest.run(arguments.toArray(String[]::new));
    }

    @Test
    void learnsFromLabelsAndGoesOn() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"text\": \"%d is %s\", \"label\": %d}\n".formatted(i, i % 2 == 0 ? "even" : "odd", i % 2));
        }
        Path data = Files.writeString(folder.resolve("labels.jsonl"), lines);
        Result first = reward(data, "judge");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err())
                .contains("60 texts with labels")
                .containsPattern("held-out  accuracy \\d")
                .contains("report: " + folder.resolve("judge/report.md"));
        assertThat(reward(data, "judge").err()).contains("has come to its end");
        assertThat(reward(data, "judge", "--epochs", "2").err()).contains("going on after step");
        Result other = reward(data, "judge2", "--held-out", data.toString());
        assertThat(other.err()).contains("60 texts with labels, and 60 that are held out");
    }

    @Test
    void aBrokenPairIsNamedOrPassedOver() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            lines.append("{\"prompt\": \"%d\", \"chosen\": \"a\", \"rejected\": \"b\"}\n".formatted(i));
        }
        lines.append("{\"prompt\": \"30\", \"chosen\": \"a\", \"rejected\": \"a\"}\n");
        Path data = Files.writeString(folder.resolve("pairs.jsonl"), lines);
        Result refused = reward(data, "pairs");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("pairs.jsonl, line 31: `chosen` and `rejected` are equal");
        Result passed = reward(data, "pairs", "--skip-wrong");
        assertThat(passed.code()).as(passed.err()).isZero();
        assertThat(passed.err()).contains("1 records are no pairs and were passed over");
    }

    @Test
    void aStyleThatTheModelDoesNotKnow() throws IOException {
        Path data = Files.writeString(
                folder.resolve("chats.jsonl"),
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"chosen\": \"b\", \"rejected\": \"c\"}\n");
        assertThat(reward(data, "chatml", "--style", "chatml").err()).contains("lacks the control tokens");
    }
}
