package ai.epitome.cli.train;

import static ai.epitome.cli.train.CheckpointFolder.awaitTraining;
import static ai.epitome.cli.train.CheckpointFolder.awaitUnfinished;
import static ai.epitome.cli.train.CheckpointFolder.unfinished;
import static ai.epitome.cli.train.CheckpointFolder.wholeSteps;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import ai.epitome.cli.terminal.Interruption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A run that is killed (SIGKILL) or interrupted (SIGINT) and begun again ends with the weights of one that was left in
/// peace, bit for bit.
@DisabledOnOs(OS.WINDOWS)
class InterruptedRunTest {
    private static final int STEPS = 100;
    private static final int KILLS = 4;

    @TempDir
    static Path folder;

    private static Path text;
    private static byte[] weights;

    @BeforeAll
    static void trainsInPeace() throws IOException, InterruptedException {
        StringBuilder words = new StringBuilder();
        Random random = new Random(3);
        while (words.length() < 20_000) {
            words.append(random.nextBoolean() ? "to be, or " : "not to be\n");
        }
        text = Files.writeString(folder.resolve("text.txt"), words);
        assertThat(CommandProcess.run(folder, pretrain(folder.resolve("peace"))))
                .isZero();
        weights = Files.readAllBytes(folder.resolve("peace/model.safetensors"));
    }

    @Test
    void killedAtAnyMomentAndBegunAgain() throws IOException, InterruptedException {
        Path model = folder.resolve("killed");
        Random random = new Random();
        int killedWhileWriting = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            try (CommandProcess process = CommandProcess.start(folder, pretrain(model))) {
                // Every other kill waits for a checkpoint that is being written; the last can come late in the run.
                awaitTraining(process, model, wholeSteps(model));
                if (kill % 2 == 0) {
                    awaitUnfinished(process, model);
                } else {
                    Thread.sleep(random.nextInt(100));
                }
                process.kill();
            }
            killedWhileWriting += unfinished(model).isEmpty() ? 0 : 1;
        }
        assertThat(killedWhileWriting).isPositive();
        try (CommandProcess last = CommandProcess.start(folder, pretrain(model))) {
            assertThat(last.exitCode()).as(last.output()).isZero();
            assertThat(last.output()).contains("going on after step");
        }
        assertThat(Files.readAllBytes(model.resolve("model.safetensors"))).isEqualTo(weights);
        assertThat(unfinished(model)).isEmpty();
        assertThat(Files.readAllLines(model.resolve("log.jsonl"))).hasSize(STEPS);
    }

    @Test
    void interruptedItSaysWhatIsKept() throws IOException, InterruptedException {
        Path model = folder.resolve("interrupted");
        try (CommandProcess process = CommandProcess.start(folder, pretrain(model))) {
            awaitTraining(process, model, List.of());
            process.interrupt();
            assertThat(process.exitCode()).as(process.output()).isEqualTo(Interruption.EXIT_CODE);
            String kept =
                    "step " + Integer.parseInt(wholeSteps(model).getFirst().substring("step-".length()));
            assertThat(process.output())
                    .contains("stopping after this step")
                    .contains("stopped: " + kept + " is kept in " + model)
                    .contains("the same command goes on");
        }
        assertThat(CommandProcess.run(folder, pretrain(model))).isZero();
        assertThat(Files.readAllBytes(model.resolve("model.safetensors"))).isEqualTo(weights);
    }

    /// Fine-tuning goes through the same trainer, with data and a model of its own.
    @Test
    void fineTuningIsKilledAndBegunAgain() throws IOException, InterruptedException {
        StringBuilder chats = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            chats.append("{\"instruction\": \"%d?\", \"output\": \"%d\"}\n".formatted(i, i + 1));
        }
        Path data = Files.writeString(folder.resolve("chats.jsonl"), chats);
        Path whole = folder.resolve("chat");
        Path killed = folder.resolve("killed-chat");
        assertThat(CommandProcess.run(folder, sft(data, whole))).isZero();
        try (CommandProcess process = CommandProcess.start(folder, sft(data, killed))) {
            awaitTraining(process, killed, List.of());
            process.kill();
        }
        try (CommandProcess last = CommandProcess.start(folder, sft(data, killed))) {
            assertThat(last.exitCode()).as(last.output()).isZero();
            assertThat(last.output()).contains("going on after step");
        }
        assertThat(killed.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
    }

    private static List<String> sft(Path data, Path model) {
        List<String> arguments = new ArrayList<>(
                List.of("sft", folder.resolve("peace").toString(), data.toString(), "-o", model.toString()));
        arguments.addAll(List.of("--length", "32", "--batch", "4", "--threads", "2", "--dropout", "0.1"));
        arguments.addAll(List.of("--steps", String.valueOf(STEPS), "--checkpoint", "5", "--evaluate", "40"));
        return arguments;
    }

    private static List<String> pretrain(Path model) {
        List<String> arguments = new ArrayList<>(List.of("pretrain", text.toString(), "-o", model.toString()));
        arguments.addAll(List.of("--depth", "1", "--context", "32", "--batch", "4", "--threads", "2"));
        arguments.addAll(List.of("--dropout", "0.1", "--average", "0.9"));
        arguments.addAll(List.of("--steps", String.valueOf(STEPS), "--checkpoint", "5", "--evaluate", "40"));
        return arguments;
    }
}
