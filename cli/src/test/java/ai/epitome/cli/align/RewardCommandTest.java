package ai.epitome.cli.align;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `epitome reward` and `epitome dpo` on a tiny model.
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
        CommandResult.done(arguments.toArray(String[]::new));
    }

    private static CommandResult reward(Path data, String model, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("reward", base.toString(), data.toString(), "-o"));
        arguments.addAll(List.of(folder.resolve(model).toString(), "--threads", "1", "--batch", "4"));
        arguments.addAll(Arrays.asList(more));
        return CommandResult.run(arguments.toArray(String[]::new));
    }

    @Test
    void learnsFromLabelsAndGoesOn() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"text\": \"%d is %s\", \"label\": %d}\n".formatted(i, i % 2 == 0 ? "even" : "odd", i % 2));
        }
        Path data = Files.writeString(folder.resolve("labels.jsonl"), lines);
        CommandResult first = reward(data, "judge");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err())
                .contains("57 texts with labels, and 3 that are held out")
                .containsPattern("held-out  accuracy \\d")
                .contains("report: " + folder.resolve("judge/report.md"));
        assertThat(reward(data, "judge").err()).contains("has come to its end");
        assertThat(reward(data, "judge", "--epochs", "2").err()).contains("going on after step");
        CommandResult other = reward(data, "judge2", "--held-out", data.toString());
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
        CommandResult refused = reward(data, "pairs");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("pairs.jsonl, line 31: `chosen` and `rejected` are equal");
        CommandResult passed = reward(data, "pairs", "--skip-wrong");
        assertThat(passed.code()).as(passed.err()).isZero();
        assertThat(passed.err()).contains("1 records are no pairs and were passed over");
    }

    @Test
    void preferencesMakeAModelOrAnAdapter() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("{\"prompt\": \"%d\", \"chosen\": \" be\", \"rejected\": \" or\"}\n".formatted(i));
        }
        String data = Files.writeString(folder.resolve("dpo.jsonl"), lines).toString();
        String whole = folder.resolve("dpo").toString();
        List<String> same = List.of("dpo", base.toString(), data, "--threads", "1", "--batch", "4");
        List<String> full = new ArrayList<>(same);
        full.addAll(List.of("-o", whole, "--beta", "0.2", "--smoothing", "0.1"));
        CommandResult first = CommandResult.done(full.toArray(String[]::new));
        assertThat(first.err())
                .contains("40 pairs, 2 of them held out")
                .containsPattern("held-out  accuracy \\d.* margin in nats");
        assertThat(Files.readString(folder.resolve("dpo/report.md"))).contains("| beta | 0.2 |");
        CommandResult.done("generate", whole, "7", "--max-tokens", "3", "--threads", "1");
        full.set(full.indexOf("0.2"), "0.3");
        assertThat(CommandResult.run(full.toArray(String[]::new)).err()).contains("was trained on other data");
        List<String> part = new ArrayList<>(same);
        String adapter = folder.resolve("dpo-lora").toString();
        part.addAll(List.of("-o", adapter, "--lora", "2"));
        CommandResult.done(part.toArray(String[]::new));
        CommandResult.done(
                "generate", base.toString(), "7", "--adapter", adapter, "--max-tokens", "3", "--threads", "1");
    }

    /// Answers are sampled, ranked, learned from, and the outcome is measured beside the base.
    @Test
    void fromAnswersToAReport() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            lines.append("{\"text\": \"%d is %s\", \"label\": %d}\n".formatted(i, i % 2 == 0 ? "to" : "be", i % 2));
        }
        Path data = Files.writeString(folder.resolve("judged.jsonl"), lines);
        assertThat(reward(data, "judged").code()).isZero();
        String judge = folder.resolve("judged").toString();
        String pairs = folder.resolve("ranked.jsonl").toString();
        List<String> asking =
                List.of("--prompts", data.toString(), "--prompt-tokens", "4", "--max-tokens", "8", "--threads", "1");
        List<String> make = new ArrayList<>(List.of("align", "pairs", base.toString(), "--reward", judge, "-o", pairs));
        make.addAll(asking);
        assertThat(CommandResult.done(make.toArray(String[]::new)).err()).containsPattern("\\d+ pairs of 40 prompts");
        String model = folder.resolve("ranked-dpo").toString();
        CommandResult.done("dpo", base.toString(), pairs, "-o", model, "--threads", "1", "--batch", "4", "--lora", "2");
        String out = folder.resolve("compared").toString();
        List<String> compare = new ArrayList<>(List.of("align", "report", base.toString(), model));
        compare.addAll(List.of("--judge", judge, "--texts", data.toString(), "-o", out, "-n", "2"));
        compare.addAll(List.of("--refusals", "--toxicity", data.toString(), "--best-of", "2,3", "--reward", judge));
        compare.addAll(asking);
        assertThat(CommandResult.done(compare.toArray(String[]::new)).err())
                .containsPattern("base .* KL +0.00 ")
                .contains("ranked-dpo")
                .containsPattern("best-of-3 .* KL +0.43 ");
        assertThat(Files.readString(Path.of(out, "report.md")))
                .contains("| base |", "| ranked-dpo |", "frontier.png")
                .contains("| model | declined of what it should | declined of harmless requests |")
                .contains("| declined of harmless requests in other words | flagged answers |")
                .contains("at most 0.19");
    }

    @Test
    void aStyleThatTheModelDoesNotKnow() throws IOException {
        Path data = Files.writeString(
                folder.resolve("chats.jsonl"),
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"chosen\": \"b\", \"rejected\": \"c\"}\n");
        assertThat(reward(data, "chatml", "--style", "chatml").err()).contains("lacks the control tokens");
    }
}
