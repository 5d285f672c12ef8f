package ai.epitome.cli.generate;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.TinyModel;
import ai.epitome.cli.terminal.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome generate` on a tiny model.
class GenerateCommandTest {
    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    /// A model of llama2.c, as it is, and what its own program writes with it.
    @Test
    void aModelOfLlama2cWorksLikeAFolder() throws IOException {
        Path shared = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "weights", "stories260K");
        assumeTrue(Files.isDirectory(shared), () -> shared + " is not there: the trained model is not checked");
        String stories = shared.resolve("stories260K.bin").toString();
        String prompt = "One day, Lily met a";
        String[] greedy = {"--temperature", "0", "--max-tokens", "57", "--precision", "f32", "--threads", "1"};
        List<String> arguments = new ArrayList<>(List.of("generate", stories, prompt));
        arguments.addAll(List.of(greedy));
        CommandResult text = run(arguments.toArray(String[]::new));
        assertThat(prompt + text.out()).isEqualTo(Files.readString(shared.resolve("greedy_n64_lily.txt")));

        CommandResult info = run("info", stories, "--json");
        assertThat(info.json().path("name").stringValue()).isEqualTo("stories260K");
        assertThat(info.json().path("tokenizer").stringValue()).startsWith("sentencepiece, 512 tokens");
        Path story = Files.writeString(folder.resolve("story.txt"), prompt + text.out());
        JsonNode score = run("score", stories, story.toString(), "--json", "--threads", "1")
                .json();
        assertThat(score.path("bits_per_byte").doubleValue()).isLessThan(1);
        assertThat(score.path("logprobs").path(0).isNumber()).isTrue(); // after the token before every text
    }

    @Test
    void givesTheSameTextForTheSameSeed() throws IOException {
        String[] arguments = {"generate", tiny.model().toString(), "to be", "--max-tokens", "20", "--seed", "7"};
        CommandResult plain = run(arguments);
        assertThat(plain.code()).as(plain.err()).isZero();
        List<String> asJson = new ArrayList<>(List.of(arguments));
        asJson.add("--json");
        JsonNode json = run(asJson.toArray(String[]::new)).json();
        assertThat(plain.out()).isEqualTo(json.path("text").asString() + "\n");
        assertThat(json.path("finish_reason").asString()).isEqualTo("length");
        assertThat(json.path("prompt_tokens").asInt()).isEqualTo(5);
        assertThat(json.path("completion_tokens").asInt()).isEqualTo(20);
        assertThat(json.path("seed").asInt()).isEqualTo(7);
        CommandResult fromInput = run(
                "to be".getBytes(StandardCharsets.UTF_8),
                "generate",
                tiny.model().toString(),
                "--max-tokens",
                "20",
                "--seed",
                "7");
        assertThat(fromInput.out()).isEqualTo(plain.out());
        byte[] noUtf8 = {'t', 'o', (byte) 0xff, 'b'};
        assertThat(run(noUtf8, "generate", tiny.model().toString(), "--max-tokens", "1", "--json")
                        .json()
                        .path("prompt_tokens")
                        .asInt())
                .isEqualTo(4);
    }

    @Test
    void readsNothingAgainThatItsCacheKnows() throws IOException {
        Path cache = folder.resolve("conversation.cache");
        String[] arguments = {
            "generate", tiny.model().toString(), "to be or not to be", "--max-tokens", "9", "--seed", "7", "--json"
        };
        JsonNode without = run(arguments).json();
        assertThat(without.path("cached_tokens").asInt()).isZero();
        assertThat(cache).doesNotExist();
        JsonNode first = run(with(arguments, "--cache", cache.toString())).json();
        JsonNode second = run(with(arguments, "--cache", cache.toString())).json();
        assertThat(first).isEqualTo(without);
        assertThat(second.path("text")).isEqualTo(without.path("text"));
        assertThat(second.path("cached_tokens").asInt()).isEqualTo(16);
        String[] halved = with(arguments, "--kv-cache", "f16", "--cache", cache.toString());
        run(halved).assertFails("conversation.cache", "format");
        Files.delete(cache);
        JsonNode halves = run(halved).json();
        assertThat(run(halved).json().path("text")).isEqualTo(halves.path("text"));
        Files.delete(cache);
        Path none = folder.resolve("none.cache");
        CommandResult few =
                run("generate", tiny.model().toString(), "to", "--max-tokens", "1", "--cache", none.toString());
        assertThat(few.code()).isZero();
        assertThat(few.err()).contains("none.cache is not written: ").contains("nothing to keep");
        assertThat(none).doesNotExist();
        Files.writeString(cache, "to be");
        run(with(arguments, "--cache", cache.toString())).assertFails("conversation.cache", "offset");
    }

    @Test
    void writesWhatItMust() throws IOException {
        Path grammar = Files.writeString(folder.resolve("pairs.gbnf"), "root ::= \"<\" [a-z]{2} \">\" root?");
        String[] generate = {"generate", tiny.model().toString(), "to be", "--max-tokens", "9", "--seed", "3"};
        assertThat(run(with(generate, "--regex", "[0-9]{3}-[é]")).out()).matches("[0-9]{3}-é\n");
        assertThat(run(with(generate, "--grammar", grammar.toString())).out()).matches("(<[a-z]{2}>){1,2}\n");
        assertThat(Json.MAPPER
                        .readTree(run(with(generate, "--json-object")).out())
                        .isObject())
                .isTrue();
        Path schema = Files.writeString(folder.resolve("schema.json"), "{\"enum\": [\"red\", 12]}");
        assertThat(run(with(generate, "--json-schema", schema.toString())).out())
                .matches("\"red\"\n|12\n");
        Files.writeString(schema, "{\"items\": {\"not\": {}}}");
        run(with(generate, "--json-schema", schema.toString())).assertFails("at `/items/not`: this keyword is not");
        run(with(generate, "--regex", "a(")).assertFails("`(` without `)`, at character 2");
        assertThat(run(with(generate, "--regex", "a", "--json-object")).err()).contains("mutually exclusive");
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void takesEverySamplingOption() throws IOException {
        CommandResult biased = run(
                "generate",
                tiny.model().toString(),
                "to be",
                "--max-tokens",
                "6",
                "--temperature",
                "0",
                "--logit-bias",
                "97=100",
                "--logit-bias",
                "98=-1");
        assertThat(biased.out()).as(biased.err()).isEqualTo("aaaaaa\n");
        CommandResult all = run(
                "generate",
                tiny.model().toString(),
                "to be",
                "--max-tokens",
                "3",
                "--top-k",
                "5",
                "--top-p",
                "0.9",
                "--min-p",
                "0.01",
                "--typical",
                "0.9",
                "--repetition-penalty",
                "1.1",
                "--presence-penalty",
                "0.1");
        assertThat(all.code()).as(all.err()).isZero();
        run("generate", tiny.model().toString(), "a", "--typical", "2")
                .assertFails("typical must be above 0 and at most 1");
        run("generate", tiny.model().toString(), "a", "--logit-bias", "9999=1").assertFails("bias for token 9999");
    }
}
