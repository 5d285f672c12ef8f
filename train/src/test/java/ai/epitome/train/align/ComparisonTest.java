package ai.epitome.train.align;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.align.Comparison.Entry;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.preference.Preference;
import ai.epitome.train.report.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ComparisonTest {
    @TempDir
    Path folder;

    private static Continuations.Sample sample(String prompt, String answer) {
        int[] tokens = TextTokens.of(new ByteTokenizer(), prompt + answer);
        return new Continuations.Sample(new Example(tokens, new boolean[tokens.length]), 1 + prompt.length());
    }

    @Test
    void theBestAnswerStandsAgainstTheWorst() {
        List<Continuations.Sample> samples = List.of(
                sample("It is", " good"),
                sample("It is", " fine"),
                sample("It is", " bad"),
                sample("Or", " same"),
                sample("Or", " same"),
                sample("Or", " same"));
        assertThat(RankedPairs.of(samples, new double[] {0.2, 0.9, -1, 1, 1, 1}, 3, new ByteTokenizer()))
                .containsExactly(new Preference.OfTexts("It is", " fine", " bad"));
    }

    private static List<int[]> prompts(String json, int tokens, int most) throws IOException {
        Corpus corpus = Corpus.of("p.jsonl", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        return Prompts.read(corpus, ChatStyle.PLAIN.over(new ByteTokenizer()), tokens, most);
    }

    @Test
    void promptsAreTextsBeginningsOrTurns() throws IOException {
        List<int[]> read = prompts(
                "{'prompt': 'ab'}\n{'text': 'abcdef'}\n{'text': 'x'}\n{'prompt': [{'role': 'user', 'content': 'u'}]}",
                3,
                9);
        assertThat(read).hasSize(3);
        assertThat(read.get(0)).containsExactly(256, 'a', 'b');
        assertThat(read.get(1)).containsExactly(256, 'a', 'b', 'c');
        assertThat(new String(new ByteTokenizer().decode(read.get(2)), StandardCharsets.UTF_8))
                .endsWith("user:\nu\n\nassistant:\n");
        assertThat(prompts("{'prompt': 'ab'}\n{'prompt': 'c'}", 3, 1)).hasSize(1);
        assertThatThrownBy(() -> prompts("{'prompt': 'ab'}\n{'answer': 'c'}", 3, 5))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("p.jsonl, line 2: expected a `prompt` or a `text`");
        assertThatThrownBy(() -> prompts("{'text': 'ab'}", 3, 5)).hasMessageContaining("there is no prompt");
    }

    private static Entry entry(String name, double divergence, double bits) {
        return new Entry(name, divergence, 0.1, 0.75, 0.6, 1.25, 12, bits, List.of(" an | answer", " more"));
    }

    @Test
    void theReportHasTableNumbersAndAnswers() throws IOException {
        AlignmentReport report = new AlignmentReport(
                "A comparison",
                "epitome align report",
                Optional.of("0123"),
                Machine.here("kernels"),
                "judge",
                "2 texts",
                new Comparison.Settings(12, 1, 5),
                List.of("Say", "And"),
                List.of(
                        entry("base", 0, 1.5),
                        entry("dpo", 4.5, 1.53),
                        new Entry("best-of-4", 0.64, Double.NaN, 0.7, 0.6, 1, 12, 1.5, List.of("x", "y"))));
        report.write(folder);
        assertThat(Files.readString(folder.resolve("report.md")))
                .contains("| dpo | 75.0 % | 60.0 % | 1.25 | 4.50 ± 0.10 | 12.0 | 1.5300 | +2.00 % |")
                .contains("| best-of-4 | 70.0 % | 60.0 % | 1.00 | at most 0.64 | 12.0 | 1.5000 | +0.00 % |")
                .contains("**Say**", "an \\| answer");
        JsonNode json = new JsonMapper().readTree(Files.readAllBytes(folder.resolve("results.json")));
        assertThat(json.path("models").path(1).path("kl").asDouble()).isEqualTo(4.5);
        assertThat(json.path("models").path(2).has("kl")).isFalse();
        assertThat(json.path("models").path(2).path("kl_at_most").asDouble()).isEqualTo(0.64);
        assertThat(folder.resolve("frontier.png")).isNotEmptyFile();
    }
}
