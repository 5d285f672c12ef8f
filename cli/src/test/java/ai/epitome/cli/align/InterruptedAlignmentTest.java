package ai.epitome.cli.align;

import static ai.epitome.cli.train.CheckpointFolder.awaitTraining;
import static ai.epitome.cli.train.CheckpointFolder.wholeSteps;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs that learn from preferences and rewards, killed (SIGKILL) twice in processes of their own and begun again, end
/// with the weights of one that was left in peace, bit for bit.
@Tag("long")
@DisabledOnOs(OS.WINDOWS)
class InterruptedAlignmentTest {
    private static final int KILLS = 2;

    @TempDir
    static Path folder;

    private static Path base;
    private static Path labels;
    private static Path pairs;
    private static Path prompts;
    private static Path judge;

    @BeforeAll
    static void aModelAndItsJudge() throws IOException, InterruptedException {
        StringBuilder judged = new StringBuilder();
        StringBuilder preferred = new StringBuilder();
        StringBuilder asked = new StringBuilder();
        for (int i = 0; i < 80; i++) {
            judged.append("{\"text\": \"no. %d is good\", \"label\": 1}\n{\"text\": \"no. %d is bad\", \"label\": 0}\n"
                    .formatted(i, i));
            preferred.append(
                    "{\"prompt\": \"no. %d is\", \"chosen\": \" good\", \"rejected\": \" bad\"}\n".formatted(i));
            asked.append("{\"prompt\": \"no. %d is\"}\n".formatted(i));
        }
        labels = Files.writeString(folder.resolve("labels.jsonl"), judged);
        pairs = Files.writeString(folder.resolve("pairs.jsonl"), preferred);
        prompts = Files.writeString(folder.resolve("prompts.jsonl"), asked);
        Path text = Files.writeString(folder.resolve("text.txt"), "no. 1 is good, no. 2 is bad\n".repeat(300));
        base = folder.resolve("base");
        complete("pretrain %s -o %s --depth 1 --context 48 --batch 4 --steps 30 --threads 2".formatted(text, base));
        judge = folder.resolve("judge");
        complete(command("reward", judge));
    }

    private static String command(String kind, Path model) {
        String learning = switch (kind) {
            case "reward" -> "reward %s %s --steps 60 --checkpoint 5 --batch 8".formatted(base, labels);
            case "dpo" -> "dpo %s %s --steps 60 --checkpoint 5 --batch 8".formatted(base, pairs);
            case "ppo" -> "ppo %s --kl-target 2 --ask 8 --iterations 15 --checkpoint 8 %s".formatted(base, rewards());
            default -> "grpo %s --ask 2 --group 4 --iterations 40 --checkpoint 4 %s".formatted(base, rewards());
        };
        return learning + " --evaluate 20 --dropout 0 --threads 2 -o " + model;
    }

    private static String rewards() {
        return "--max-tokens 6 --reward %s --prompts %s".formatted(judge, prompts);
    }

    private static void complete(String line) throws IOException, InterruptedException {
        try (CommandProcess process = CommandProcess.start(folder, List.of(line.split(" ")))) {
            assertThat(process.exitCode()).as(process.output()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reward", "dpo", "ppo", "grpo"})
    void killedAndBegunAgain(String kind) throws IOException, InterruptedException {
        Path whole = kind.equals("reward") ? judge : folder.resolve(kind);
        if (!Files.exists(whole)) {
            complete(command(kind, whole));
        }
        Path killed = folder.resolve("killed-" + kind);
        List<String> line = List.of(command(kind, killed).split(" "));
        List<String> kept = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            try (CommandProcess process = CommandProcess.start(folder, line)) {
                awaitTraining(process, killed, wholeSteps(killed));
                process.kill();
            }
            kept.add(wholeSteps(killed).getFirst());
        }
        assertThat(kept).doesNotHaveDuplicates();
        try (CommandProcess last = CommandProcess.start(folder, line)) {
            assertThat(last.exitCode()).as(last.output()).isZero();
            assertThat(last.output()).contains("going on after step");
        }
        assertThat(killed.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
        assertThat(Files.readAllLines(killed.resolve("log.jsonl")))
                .hasSameSizeAs(Files.readAllLines(whole.resolve("log.jsonl")));
    }
}
