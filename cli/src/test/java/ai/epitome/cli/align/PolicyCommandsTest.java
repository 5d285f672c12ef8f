package ai.epitome.cli.align;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `epitome ppo`, `grpo` and `best-of-n` on a model that knows nothing.
class PolicyCommandsTest {
    @TempDir
    Path folder;

    private String done(String line) throws IOException {
        return CommandResult.done((line + " --threads 1").split(" ")).err();
    }

    @Test
    void aModelIsTrainedByRewards() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(200));
        Path base = folder.resolve("base");
        done("pretrain %s -o %s --depth 1 --context 128 --batch 2 --steps 2".formatted(text, base));
        Path policy = folder.resolve("grpo");
        String grpo = "grpo %s -o %s --ask 2 --group 3 --max-tokens 8 --rate 0.001".formatted(base, policy);
        assertThat(done(grpo + " --iterations 2"))
                .contains("rewarded: 1 for a right answer to a task")
                .contains("step      2  reward 0.000")
                .contains("report: " + policy.resolve("report.md"));
        assertThat(done(grpo + " --iterations 2")).contains("has come to its end");
        assertThat(done(grpo + " --iterations 3")).contains("going on after step 2");

        Path prompts =
                Files.writeString(folder.resolve("prompts.jsonl"), "{\"prompt\": \"to be\"}\n{\"prompt\": \"or\"}\n");
        Path judge = folder.resolve("judge");
        Path labels = Files.writeString(
                folder.resolve("labels.jsonl"),
                "{\"text\": \"to be\", \"label\": 1}\n{\"text\": \"or\", \"label\": 0}\n".repeat(30)
                        + "{\"text\": \"is\", \"label\": 1}\n{\"text\": \"no\", \"label\": 0}\n");
        done("reward %s %s -o %s --steps 2".formatted(base, labels, judge));
        Path ppo = folder.resolve("ppo");
        assertThat(done(
                        "ppo %s -o %s --ask 4 --max-tokens 4 --iterations 2 --reward %s --prompts %s --mix %s --kl-target 2"
                                .formatted(base, ppo, judge, prompts, text)))
                .contains("the reward model " + judge)
                .contains("value loss");
        assertThat(ppo.resolve("model.safetensors")).exists();

        Path chosen = folder.resolve("chosen.jsonl");
        assertThat(done("best-of-n %s -n 3 --count 5 --reward %s --prompts %s -o %s --max-tokens 6"
                        .formatted(base, judge, prompts, chosen)))
                .contains("5 prompts: mean reward");
        assertThat(Files.readString(chosen)).startsWith("{\"prompt\":\"or\",\"completion\":\"");
        Path better = folder.resolve("better");
        assertThat(done("sft %s %s -o %s --style plain --steps 2".formatted(base, chosen, better)))
                .contains("5 conversations, 1 of them held out");
        CommandResult result =
                CommandResult.run(("best-of-n %s -o %s --prompts %s".formatted(base, chosen, prompts)).split(" "));
        assertThat(result.err()).contains("--reward tasks checks answers to the bundled tasks");

        result = CommandResult.run(
                ("best-of-n %s -o %s --besides copy".formatted(base, folder.resolve("never"))).split(" "));
        assertThat(result.err()).contains("copy is asked anyway; --besides takes kinds that no conversation teaches");

        String whole = Files.readString(chosen);
        result = CommandResult.run("best-of-n %s -o %s --prompts %s --reward http://127.0.0.1:1/ --max-tokens 6"
                .formatted(base, chosen, prompts)
                .split(" "));
        assertThat(result.err()).contains("no rewards from http://127.0.0.1:1/");
        assertThat(Files.readString(chosen)).isEqualTo(whole); // written whole or not at all
    }
}
