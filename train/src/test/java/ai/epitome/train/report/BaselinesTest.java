package ai.epitome.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.data.BundledText;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.HeldOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaselinesTest {
    @TempDir
    Path folder;

    @Test
    void agreesWithTheCommandLineToolsOnTinyshakespeare() throws IOException {
        Corpus corpus = BundledText.tinyshakespeareCorpus();
        Baselines baselines =
                Baselines.of(corpus, HeldOut.choose(corpus, corpus.scan()), folder.resolve("baselines.json"), 2);
        assertThat(baselines.lines())
                .extracting(Baselines.Line::name)
                .containsExactly("gzip -9", "bzip2 -9", "xz -9e", "zstd -19");
        // From `gzip -9c < held-out | wc -c` and so on. Versions of zlib and zstd differ a little.
        double[] alone = {3.189, 2.635, 2.947, 2.984};
        double[] given = {3.097, 2.398, 2.518, 2.539};
        for (int i = 0; i < 4; i++) {
            assertThat(baselines.lines().get(i).alone()).isCloseTo(alone[i], within(0.01));
            assertThat(baselines.lines().get(i).givenTraining()).isCloseTo(given[i], within(0.01));
        }
        assertThat(baselines.description())
                .isEqualTo("Compressors were given all 1,003,854 bytes of the training text before all 111,540 bytes of"
                        + " the held-out text.");
    }

    @Test
    void isMeasuredOnceAndAgainWhereTheFileIsBroken() throws IOException {
        byte[] text = "to be or not to be, ".repeat(50).getBytes();
        Corpus corpus = Corpus.of("hamlet", text);
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        Path file = folder.resolve("baselines.json");
        Baselines measured = Baselines.of(corpus, rule, file, 1);
        assertThat(Baselines.of(corpus, rule, file, 1)).isEqualTo(measured);
        String whole = Files.readString(file);
        Files.writeString(file, whole.replace("gzip -9", "kept from the file"));
        assertThat(Baselines.of(corpus, rule, file, 1).lines().getFirst().name())
                .isEqualTo("kept from the file");
        for (String broken : List.of("", "{}", whole.substring(0, whole.length() / 2))) {
            Files.writeString(file, broken);
            assertThat(Baselines.of(corpus, rule, file, 1)).isEqualTo(measured);
            assertThat(file).hasContent(whole);
        }
        assertThat(folder).isDirectoryContaining(path -> path.equals(file)).isDirectoryNotContaining("glob:**.part-*");
    }

    @Test
    void largeTextsAreCutAndThatIsSaid() throws IOException {
        // Noise, which no compressor makes smaller.
        List<byte[]> texts = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            byte[] text = new byte[2_000];
            random.nextBytes(text);
            texts.add(text);
        }
        Corpus corpus = Corpus.ofTexts(texts);
        Baselines baselines = Baselines.measure(corpus, new HeldOut.ByHash(0.02), 300_000, 2);
        assertThat(baselines.trainingUsed()).isEqualTo(300_000);
        assertThat(baselines.heldOutUsed()).isEqualTo(baselines.heldOutBytes());
        assertThat(baselines.description()).contains("the last 300,000 of 386,000 bytes");
        assertThat(baselines.lines())
                .allSatisfy(line -> assertThat(line.givenTraining()).isBetween(7.9, 8.2));
    }

    @Test
    void nothingHeldOutIsRefused() {
        assertThatThrownBy(() -> Baselines.measure(new byte[] {1}, new byte[0], 1))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
