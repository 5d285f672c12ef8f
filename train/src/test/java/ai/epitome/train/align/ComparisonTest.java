package ai.epitome.train.align;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.align.Comparison.Entry;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.report.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        List<Prompt> prompts =
                List.of(Prompt.ofText(new ByteTokenizer(), "It is"), Prompt.ofText(new ByteTokenizer(), "Or"));
        assertThat(RankedPairs.of(prompts, samples, new double[] {0.2, 0.9, -1, 1, 1, 1}, new ByteTokenizer()))
                .containsExactly(new RankedPairs.Pair(prompts.getFirst(), " fine", " bad"));
    }

    private static Entry entry(String name, double divergence, double bits) {
        return new Entry(
                        name,
                        divergence,
                        0.1,
                        0.75,
                        0.6,
                        1.25,
                        12,
                        bits,
                        List.of(" an | answer", " more"),
                        new LinkedHashMap<>())
                .with(new LinkedHashMap<>(Map.of("declined", divergence / 10)));
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
                        new Entry(
                                "best-of-4",
                                0.64,
                                Double.NaN,
                                0.7,
                                0.6,
                                1,
                                12,
                                1.5,
                                List.of("x", "y"),
                                new LinkedHashMap<>())));
        report.write(folder);
        assertThat(Files.readString(folder.resolve("report.md")))
                .contains("| dpo | 75.0 % | 60.0 % | 1.25 | 4.50 ± 0.10 | 12.0 | 1.5300 | +2.00 % |")
                .contains("| best-of-4 | 70.0 % | 60.0 % | 1.00 | at most 0.64 | 12.0 | 1.5000 | +0.00 % |")
                .contains("| model | declined |\n|---|---:|\n| base | 0.0 % |\n| dpo | 45.0 % |\n\n")
                .contains("**Say**", "an \\| answer");
        JsonNode json = new JsonMapper().readTree(Files.readAllBytes(folder.resolve("results.json")));
        assertThat(json.path("models").path(1).path("kl").asDouble()).isEqualTo(4.5);
        assertThat(json.path("models").path(1).path("rates").path("declined").asDouble())
                .isEqualTo(0.45);
        assertThat(json.path("models").path(2).has("kl")).isFalse();
        assertThat(json.path("models").path(2).path("kl_at_most").asDouble()).isEqualTo(0.64);
        assertThat(folder.resolve("frontier.png")).isNotEmptyFile();
    }
}
