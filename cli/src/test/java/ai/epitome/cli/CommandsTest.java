package ai.epitome.cli;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/// The command line itself: help, completion, and what makes no sense.
class CommandsTest {
    @TempDir
    static Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "up --depth 0",
                "up --time 0s",
                "up --time soon",
                "up --steps -1",
                "up --port many",
                "pretrain",
                "pretrain x --threads 0",
                "pretrain x --rate -1",
                "pretrain x --clip NaN",
                "pretrain x --schedule zigzag",
                "pretrain x --checkpoint never",
                "pretrain x --tokenizer nothing",
                "generate",
                "generate m --max-tokens few",
                "generate m --logit-bias the=1",
                "score m --ids 1,b",
                "tokenizer",
                "tokenizer shrink",
                "tokenizer train x --vocabulary 0",
                "compress x --threads 0",
                "compress x --block 3q",
                "compress x --block 0",
                "decompress --mix x",
                "dance",
                "--wrong"
            })
    void commandLinesThatMakeNoSense(String line) throws IOException {
        CommandResult result = run(line.split(" "));
        assertThat(result.code()).as(result.err()).isEqualTo(2);
        assertThat(result.err()).startsWith("epitome: ").contains("--help").doesNotContain("\tat ");
        assertThat(result.err().lines().count()).isLessThanOrEqualTo(4);
    }

    /// All commands that are shown, with their own; completion is picocli's.
    static Stream<List<String>> commands() {
        return commands(List.of(), Main.commandLine());
    }

    private static Stream<List<String>> commands(List<String> path, CommandLine line) {
        Stream<List<String>> below = line.getSubcommands().entrySet().stream()
                .filter(entry -> !entry.getKey().equals("generate-completion"))
                .filter(entry ->
                        !entry.getValue().getCommandSpec().usageMessage().hidden())
                .flatMap(entry -> commands(with(path, entry.getKey()), entry.getValue()));
        return Stream.concat(Stream.of(path), below);
    }

    private static List<String> with(List<String> words, String last) {
        return Stream.concat(words.stream(), Stream.of(last)).toList();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpHasAnExample(List<String> command) throws IOException {
        CommandResult result = run(with(command, "--help").toArray(String[]::new));
        assertThat(result.code()).isZero();
        assertThat(result.out())
                .startsWith("Usage: epitome")
                .contains("Example: ")
                .doesNotContain("\u001b");
    }

    @Test
    void aCommandIsLookedAtAlone() {
        for (String name : Main.commandLine().getSubcommands().keySet()) {
            assertThat(Main.commandLine(name, "--help").getSubcommands().keySet())
                    .hasSize(
                            name.equals("generate-completion")
                                    ? Main.commandLine().getSubcommands().size()
                                    : 1)
                    .contains(name);
        }
    }

    @Test
    void everyCommandIsHere() {
        assertThat(Main.commandLine().getSubcommands().keySet())
                .containsExactlyInAnyOrder(
                        "up",
                        "pretrain",
                        "sft",
                        "tasks",
                        "ppo",
                        "grpo",
                        "best-of-n",
                        "lora",
                        "reward",
                        "dpo",
                        "align",
                        "fine-tuning-job",
                        "export",
                        "quantize",
                        "generate",
                        "chat",
                        "score",
                        "serve",
                        "key",
                        "price",
                        "usage",
                        "bill",
                        "feedback",
                        "moderation",
                        "info",
                        "compress",
                        "decompress",
                        "tokenizer",
                        "split",
                        "measure",
                        "generate-completion");
    }

    @Test
    void completionIsAShellScript() throws IOException, InterruptedException {
        CommandResult result = run("generate-completion");
        assertThat(result.out())
                .startsWith("#!")
                .contains("complete -F _complete_epitome")
                .contains("--depth");
        Path script = Files.write(folder.resolve("completion.sh"), result.bytes());
        assertThat(new ProcessBuilder("bash", "-n", script.toString()).start().waitFor())
                .isZero();
    }

    @Test
    void anUnknownCommandIsCalledThat() throws IOException {
        assertThat(run("dance", "x").err()).startsWith("epitome: unknown command 'dance'\n");
        assertThat(run("tokenizer", "shrink").err())
                .startsWith("epitome: unknown command 'shrink'\n")
                .endsWith("See: epitome tokenizer --help\n");
    }

    @Test
    void noArgumentsShowTheUsage() throws IOException {
        CommandResult result = run();
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).startsWith("Usage: epitome").contains("Commands:");
    }
}
