package ai.epitome.cli.generate;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.terminal.Json;
import ai.epitome.cli.terminal.Visible;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome chat` in this process, fed by a script, with a tiny model.
class ChatCommandTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void trains() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(500));
        model = folder.resolve("tiny");
        CommandResult result = CommandResult.run(
                "pretrain",
                text.toString(),
                "-o",
                model.toString(),
                "--steps",
                "2",
                "--tokenizer",
                "byte",
                "--depth",
                "1",
                "--context",
                "64",
                "--batch",
                "2",
                "--threads",
                "1");
        assertThat(result.code()).as(result.err()).isZero();
    }

    private static CommandResult chat(Path model, String script, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("chat", model.toString(), "--threads", "1", "--seed", "1"));
        arguments.addAll(Arrays.asList(more));
        return CommandResult.run(script.getBytes(StandardCharsets.UTF_8), arguments.toArray(String[]::new));
    }

    private static JsonNode json(Path file) throws IOException {
        return Json.MAPPER.readTree(Files.readString(file));
    }

    @Test
    void messagesAreAnsweredAndKept() throws IOException {
        Path saved = folder.resolve("saved.json");
        CommandResult result = chat(
                model,
                "Hi\\\nthere\n\"\"\"two\nlines\"\"\"\n/undo\n/retry\n/save " + saved + "\n/stats\n",
                "--max-tokens",
                "5",
                "--system",
                "S");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err())
                .contains("tiny, 64 tokens of context. Conversations are written as \"User: ... Assistant: ...\"")
                .contains("(cut short after --max-tokens)")
                .contains("(your last message is forgotten)")
                .contains("(saved: 2 messages)")
                .contains("last answer: 5 tokens");
        JsonNode messages = json(saved);
        assertThat(messages).hasSize(3);
        assertThat(messages.get(0).path("content").stringValue()).isEqualTo("S");
        assertThat(messages.get(1).path("role").stringValue()).isEqualTo("user");
        assertThat(messages.get(1).path("content").stringValue()).isEqualTo("Hi\nthere");
        assertThat(messages.get(2).path("role").stringValue()).isEqualTo("assistant");
        assertThat(result.out().lines().count()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void theSameSeedGivesTheSameAnswersAndAnotherTryAnother() throws IOException {
        CommandResult once = chat(model, "Hi\n/retry\n", "--max-tokens", "8");
        CommandResult twice = chat(model, "Hi\n/retry\n", "--max-tokens", "8");
        assertThat(once.out()).isEqualTo(twice.out());
        CommandResult reset = chat(model, "Hi\n/reset\nHi\n", "--max-tokens", "8");
        assertThat(reset.out()).isNotEqualTo(once.out());
        CommandResult greedy = chat(model, "/set temperature 0\nHi\n/retry\n/set max_tokens 3\n", "--max-tokens", "8");
        assertThat(greedy.err()).contains("temperature 0.0").contains("max-tokens 3");
        String half = greedy.out().substring(0, greedy.out().length() / 2);
        assertThat(greedy.out()).isEqualTo(half + half);
    }

    @Test
    void conversationsAreLoaded() throws IOException {
        Path file = folder.resolve("load.json");
        Files.writeString(
                file,
                "{\"messages\": [{\"role\": \"system\", \"content\": \"S\"}, {\"role\": \"user\", \"content\": \"Hi\"}]}");
        Path saved = folder.resolve("again.json");
        CommandResult result = chat(model, "/load " + file + "\n/system\n/save " + saved + "\n", "--max-tokens", "2");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(json(saved)).hasSize(2); // answered at once, and the system's message is gone
        for (String wrong :
                List.of("{}", "[", "[1]", "[{\"role\": \"x\", \"content\": \"\"}]", "[{\"role\": \"user\"}]")) {
            Files.writeString(file, wrong);
            CommandResult refused = chat(model, "/load " + file + "\n");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err()).contains(file.toString());
        }
    }

    @Test
    void whatIsWrongIsSaidAndTheConversationGoesOn() throws IOException {
        CommandResult result = chat(
                model,
                "/nope\n/set x 1\n/set temperature hot\n/set temperature -1\n/set top-p\n/retry\n/save\n/load "
                        + folder.resolve("absent") + "\n/undo\n/help\n/exit\nnever read\n",
                "--max-tokens",
                "2");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .contains("there is no command /nope; /help lists")
                .contains("there is no setting 'x'; known are max-tokens, temperature")
                .contains("temperature wants a number, found 'hot'")
                .contains("temperature must be 0 or more, not -1.0")
                .contains("expected /set NAME VALUE")
                .contains("there is no message to answer again")
                .contains("expected a file's name")
                .contains("no such file or folder: " + folder.resolve("absent"))
                .contains("(there is nothing to undo)")
                .contains("/load FILE");
        assertThat(result.out()).isEmpty();
    }

    @Test
    void aFullContextIsSaidOnce() throws IOException {
        CommandResult result = chat(model, "one two\n".repeat(5), "--max-tokens", "8");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).containsOnlyOnce("the context of 64 tokens is full");
        CommandResult tooLong =
                chat(model, "a message as long as the whole context of this model, and longer than it\n");
        assertThat(tooLong.code()).as(tooLong.err()).isZero();
    }

    @Test
    void aModelsOwnTemplateIsUsed() throws IOException {
        Path own = Files.createDirectory(folder.resolve("own"));
        for (String name : List.of("config.json", "generation_config.json", "tokenizer.json", "model.safetensors")) {
            Files.copy(model.resolve(name), own.resolve(name));
        }
        Path template = own.resolve("chat_template.jinja");
        Files.writeString(
                template, "{% if messages[0].role == 'system' %}\n{{ raise_exception('No system.') }}{% endif %}x");
        CommandResult result = chat(own, "Hi\n/system\nHi\n", "--system", "S", "--max-tokens", "2");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .contains("written as the model's own")
                .containsOnlyOnce("chat template, line 2: the template refuses this: No system.")
                .containsOnlyOnce("(cut short");
        Files.writeString(template, "{% if %}");
        CommandResult malformed = chat(own, "Hi\n");
        assertThat(malformed.code()).isEqualTo(1);
        assertThat(malformed.err()).startsWith("epitome: chat template, line 1: expected an expression");
    }

    @Test
    void controlCharactersOfAnAnswerAreMadeVisible() {
        assertThat(Visible.lines("a\u001b[2J\tb\n\r\u009b東京👍")).isEqualTo("a\\x1b[2J\tb\n\\x0d\\x9b東京👍");
    }
}
