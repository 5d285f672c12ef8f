package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `epitome sft` on a tiny model.
class SftCommandTest {
    @TempDir
    static Path folder;

    private static Path base;
    private static Path chats;

    @BeforeAll
    static void pretrains() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(200));
        base = folder.resolve("base");
        CommandResult.done(
                "pretrain",
                text.toString(),
                "-o",
                base.toString(),
                "--depth",
                "1",
                "--context",
                "48",
                "--batch",
                "2",
                "--threads",
                "1",
                "--steps",
                "2");
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"instruction\": \"%d?\", \"output\": \"%d\"}\n".formatted(i, i + 1));
        }
        chats = Files.writeString(folder.resolve("chats.jsonl"), lines);
    }

    private static CommandResult sft(Path data, String model, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("sft", base.toString(), data.toString(), "-o"));
        arguments.addAll(List.of(folder.resolve(model).toString(), "--threads", "1", "--batch", "4"));
        arguments.addAll(Arrays.asList(more));
        return CommandResult.run(arguments.toArray(String[]::new));
    }

    @Test
    void makesAModelThatGoesOnAndThatOthersRead() throws IOException {
        CommandResult first = sft(chats, "chat", "--epochs", "2");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err())
                .contains("60 conversations, 3 of them held out")
                .contains("report: " + folder.resolve("chat/report.md"));
        assertThat(sft(chats, "chat").err()).contains("has come to its end");
        CommandResult longer = sft(chats, "chat", "--epochs", "3");
        assertThat(longer.err()).contains("going on after step").contains("done after");
        Path model = folder.resolve("chat");
        assertThat(CommandResult.done("generate", model.toString(), "1?", "--max-tokens", "3", "--threads", "1")
                        .out())
                .isNotNull();
        assertThat(CommandResult.done("info", model.toString()).out()).contains("320");
    }

    /// The adapter and the model that it is merged into say the same, and something else than the base.
    @Test
    void anAdapterIsTrainedUsedAndMerged() throws IOException {
        CommandResult result =
                sft(chats, "adapter", "--epochs", "4", "--lora", "4", "--lora-targets", "q_proj,down_proj");
        assertThat(result.code()).as(result.err()).isZero();
        String adapter = folder.resolve("adapter").toString();
        String merged = folder.resolve("merged").toString();
        assertThat(CommandResult.done("lora", "merge", base.toString(), adapter, "-o", merged)
                        .err())
                .contains("merged: " + merged);
        assertThat(Path.of(merged, "chat_template.jinja")).exists();
        String adapted = generated(base.toString(), "--adapter", adapter);
        assertThat(adapted).isEqualTo(generated(merged)).isNotEqualTo(generated(base.toString()));
        CommandResult again = CommandResult.run("lora", "merge", base.toString(), adapter, "-o", merged);
        assertThat(again.err()).contains(merged + " holds a model already");
        assertThat(sft(chats, "never", "--lora-alpha", "8").err()).contains("options of an adapter need --lora RANK");
        assertThat(sft(chats, "never", "--lora", "2", "--lora-targets", "x").err())
                .contains("no projection of this model is called x; it has [down_proj");
    }

    /// From the command line, too: the weights stay in their file, and only an adapter learns.
    @Test
    void anAdapterOfAQuantisedModel() throws IOException {
        String quantised = folder.resolve("base-q8.gguf").toString();
        CommandResult.done("quantize", base.toString(), "-o", quantised, "--type", "q8_0");
        String adapter = folder.resolve("adapter-q8").toString();
        String[] words = {"sft", quantised, chats.toString(), "-o", adapter, "--threads", "1", "--batch", "4"};
        CommandResult result = CommandResult.run(with(words, "--epochs", "4", "--lora", "4", "--style", "plain"));
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(generated(quantised, "--adapter", adapter)).isNotEqualTo(generated(quantised));
        assertThat(CommandResult.run("lora", "merge", quantised, adapter, "-o", folder + "/merged-q8")
                        .err())
                .contains(quantised + " is quantised, and an adapter cannot be merged into its weights");
        words[4] = folder.resolve("never").toString();
        assertThat(CommandResult.run(with(words, "--style", "plain")).err()).contains("train an adapter");
    }

    private static String[] with(String[] words, String... more) {
        return Stream.concat(Arrays.stream(words), Arrays.stream(more)).toArray(String[]::new);
    }

    private static String generated(String... words) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("generate"));
        arguments.addAll(Arrays.asList(words));
        arguments.addAll(List.of("user:\n1?\n\nassistant:\n", "--temperature", "0", "--max-tokens", "20", "--json"));
        arguments.addAll(List.of("--threads", "1", "--precision", "f32", "--seed", "1"));
        if (words.length > 1) { // the prompt comes right after the model
            arguments.add(2, arguments.remove(4));
        }
        return CommandResult.done(arguments.toArray(String[]::new))
                .json()
                .path("text")
                .asString();
    }

    @Test
    void badDataIsNamed() throws IOException {
        Path bad = Files.writeString(
                folder.resolve("bad.jsonl"),
                "{\"instruction\": \"a\", \"output\": \"b\"}\n{\"messages\": [{\"content\": \"Hi\"}]}\n");
        CommandResult result = sft(bad, "never");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("epitome: " + bad + ", line 2: turn 1 has no `role`");
        assertThat(folder.resolve("never")).doesNotExist();
    }

    @Test
    void rowsMustFitInTheContext() throws IOException {
        CommandResult result = sft(chats, "never", "--length", "64");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("rows of 64 tokens, but the context of " + base + " is 48");
    }
}
