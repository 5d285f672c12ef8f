package ai.epitome.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.data.BundledText;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.HeldOut;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ReportTest {
    private static final JsonNode DATA = new JsonMapper().readTree("""
                    {"sha256": "aa11", "files": [{"name": "plays|1.txt", "size": 1115394, "sha256": "bb22"}],
                     "split": {"description": "the last 10 % of the bytes"},
                     "train": {"documents": 1, "tokens": 1003854, "bytes": 1003854},
                     "held_out": {"documents": 1, "tokens": 111540, "bytes": 111540}}""");

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    private RunHistory madeUpRun(int steps) throws IOException {
        Random random = new Random(1);
        Path file = folder.resolve("log.jsonl");
        try (RunLog log = RunLog.open(file, 0)) {
            for (int step = 1; step <= steps; step++) {
                double fall = 1.45 + 2.7 * Math.exp(-step / (0.04 * steps)) + 0.5 * Math.exp(-step / (0.4 * steps));
                Map<String, Object> values = new LinkedHashMap<>();
                values.put(RunLog.TOKENS, step * 16384L);
                values.put(RunLog.SECONDS, step * 0.09);
                values.put(RunLog.LOSS, fall + 0.05 * random.nextGaussian());
                values.put(
                        RunLog.LEARNING_RATE,
                        0.02 * Math.min(1, Math.min(step / 50.0, (steps - step) / (0.4 * steps))));
                values.put(RunLog.TOKENS_PER_SECOND, 180_000 + 4000 * random.nextGaussian());
                if (step == 1 || step % 50 == 0) {
                    values.put(RunLog.HELD_OUT_BITS_PER_BYTE, (fall + 0.05) / Math.log(2));
                }
                if (step % 250 == 0) {
                    values.put(RunLog.SAMPLE, "ROMEO:\n```\nWhat light " + step);
                }
                log.append(step, values);
            }
        }
        return RunHistory.of(file);
    }

    private Report report(RunHistory history) throws IOException {
        Corpus corpus = BundledText.tinyshakespeareCorpus();
        Baselines baselines =
                Baselines.of(corpus, HeldOut.choose(corpus, corpus.scan()), shared.resolve("baselines.json"), 2);
        return new Report(
                "A made-up run",
                "epitome pretrain --text plays.txt",
                Optional.of("0123abcd"),
                Machine.here("oneDNN, 2 threads"),
                DATA,
                Optional.of(baselines),
                Map.of("depth", "6"),
                Map.of("held-out bits per byte", "2.1423597"),
                history);
    }

    @Test
    void saysEverythingThatIsNeededToRepeatTheRun() throws IOException {
        report(madeUpRun(2000)).write(folder);
        String text = Files.readString(folder.resolve("report.md"));
        assertThat(text)
                .startsWith("# A made-up run\n\n**2.2233 held-out")
                .contains("after 2,000 steps, 32,768,000 tokens and 3 min 00 s.")
                .contains("![Held-out bits per byte over time](held-out.png)")
                .contains("| bzip2 -9 | 2.39")
                .contains("epitome pretrain --text plays.txt")
                .contains("| commit | 0123abcd |")
                .contains("| kernels | oneDNN, 2 threads |")
                .contains("| plays\\|1.txt | 1,115,394 | `bb22` |")
                .contains("| held out | 1 | 111,540 | 111,540 |")
                .contains("| depth | 6 |")
                .contains("| held-out bits per byte | 2.1423597 |")
                .contains("*step 2,000*\n\n````\nROMEO:\n```\nWhat light 2000\n````")
                .contains("*step 1,000*") // the fifth from the end
                .doesNotContain("*step 750*");
    }

    @Test
    void drawsCurvesThatAreNotBlank() throws IOException {
        report(madeUpRun(2000)).write(folder);
        for (String name : List.of("held-out", "curves")) {
            BufferedImage image = ImageIO.read(folder.resolve(name + ".png").toFile());
            assertThat(image.getWidth()).isGreaterThan(1500);
            long blue = 0;
            for (int y = 0; y < image.getHeight(); y++) {
                for (int x = 0; x < image.getWidth(); x++) {
                    blue += (image.getRGB(x, y) & 0xffffff) == 0x1f5fbf ? 1 : 0;
                }
            }
            assertThat(blue).isGreaterThan(1000);
        }
    }

    @Test
    void aRunWithoutASingleMeasurementStillHasAReport() throws IOException {
        Report empty = report(new RunHistory());
        empty.write(folder);
        assertThat(folder.resolve("held-out.png")).isNotEmptyFile();
        assertThat(folder.resolve("report.md"))
                .content()
                .contains("A made-up run")
                .doesNotContain("could not be drawn");
        report(madeUpRun(1)).write(folder);
        assertThat(folder.resolve("report.md"))
                .content()
                .contains("after 1 steps")
                .doesNotContain("could not be drawn");
    }

    @Test
    void longRunsAreThinnedToMeansAndNothingIsLeftOut() {
        for (int steps : new int[] {0, 1, 1199, 1200, 1201, 10_000, 1_000_003}) {
            Curve curve = new Curve();
            for (int step = 1; step <= steps; step++) {
                curve.add(step, step == 777 ? 1e9 : 3 * step);
            }
            double[] x = curve.x();
            assertThat(curve.isEmpty()).isEqualTo(steps == 0);
            assertThat(x).hasSameSizeAs(curve.y()).hasSizeBetween(Math.min(steps, Curve.MOST / 2), Curve.MOST);
            if (steps > 777) {
                double stretch = x.length < 2 ? 1 : x[1] - x[0];
                assertThat(curve.highest()).isEqualTo(1e9);
                assertThat(x[0]).isEqualTo((1 + stretch) / 2);
                assertThat(x[x.length - 1]).isBetween(steps - stretch, (double) steps);
                assertThat(curve.y()[x.length - 1]).isCloseTo(3 * x[x.length - 1], within(1e-6));
                for (int i = 2; i < x.length - 1; i++) {
                    assertThat(x[i] - x[i - 1]).isEqualTo(stretch);
                }
            }
        }
    }

    @Test
    void smoothingDoesNotLag() {
        double[] values = new double[10_000];
        Arrays.setAll(values, i -> i);
        // A straight line stays what it is, up to its ends.
        assertThat(Curves.smoothed(values)).containsExactly(values, within(1e-6));
        double[] zigzag = new double[1000];
        Arrays.setAll(zigzag, i -> i % 2);
        assertThat(Arrays.stream(Curves.smoothed(zigzag), 100, 900).max().getAsDouble())
                .isLessThan(0.6);
    }

    @Test
    void namesTheCommitOfAFolder() throws IOException {
        assertThat(GitCommit.of(folder)).isEmpty();
        assertThat(Machine.here("none").cores()).isPositive();
    }
}
