package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `epitome pretrain` on a tiny model: runs that begin, go on and are refused.
class PretrainCommandTest {
    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    @Test
    void aRunTellsHowItGoes() {
        assertThat(tiny.trained().err())
                .contains("kernels: ")
                .contains("10,000 bytes in 1 document")
                .containsPattern("step +6 .* held-out \\d")
                .contains("(all of it)")
                .contains("done after 12 steps")
                .contains("report: " + tiny.model().resolve("report.md"))
                .doesNotContain("\u001b")
                .doesNotContain("\r");
        assertThat(tiny.trained().bytes()).isEmpty();
    }

    @Test
    void theSameCommandAgainFindsTheRunFinished() throws IOException {
        Path report = tiny.model().resolve("report.md");
        byte[] before = Files.readAllBytes(report);
        CommandResult again = TinyModel.pretrain(tiny.text(), tiny.model(), "--steps", "12");
        assertThat(again.code()).isZero();
        assertThat(again.err()).contains("come to its end (step 12)");
        assertThat(Files.readAllBytes(report)).isEqualTo(before);
    }

    @Test
    void moreStepsGoOnButAnotherShapeOrTextIsRefused() throws IOException {
        Path longer = folder.resolve("longer");
        assertThat(TinyModel.pretrain(tiny.text(), longer, "--steps", "3").code())
                .isZero();
        CommandResult more = TinyModel.pretrain(tiny.text(), longer, "--steps", "5");
        assertThat(more.err()).contains("going on after step 3").contains("done after 5 steps");
        TinyModel.pretrain(tiny.text(), longer, "--steps", "9", "--width", "128")
                .assertFails("another shape", "width 64");
        Path other = Files.writeString(folder.resolve("other.txt"), "something else \n".repeat(500));
        TinyModel.pretrain(other, longer, "--steps", "9").assertFails("trained on other data", "another model folder");
        TinyModel.pretrain(tiny.text(), longer, "--steps", "9", "--seed", "5").assertFails("seed");
    }

    @Test
    void rowsAreMadeAsWhenTheRunBegan() throws IOException {
        Path packed = folder.resolve("packed");
        assertThat(TinyModel.pretrain(tiny.text(), packed, "--steps", "3", "--packed")
                        .code())
                .isZero();
        assertThat(TinyModel.pretrain(tiny.text(), packed, "--steps", "4").err())
                .contains("going on after step 3");
        assertThat(TinyModel.pretrain(tiny.text(), packed, "--steps", "5", "--packed")
                        .err())
                .contains("going on after step 4");
        assertThat(packed.resolve("report.md")).content().contains("whole documents, packed");
        TinyModel.pretrain(tiny.text(), tiny.model(), "--steps", "20", "--packed")
                .assertFails("began with contiguous windows", "--packed");
    }

    @Test
    void theTokenizerIsThatOfTheRun() throws IOException {
        assertThat(TinyModel.pretrain(tiny.text(), tiny.model(), "--steps", "12", "--tokenizer", "byte")
                        .code())
                .isZero();
        TinyModel.pretrain(tiny.text(), tiny.model(), "--steps", "12", "--tokenizer", "bpe:300")
                .assertFails("257 tokens (byte)", "another");
        Path pairs = folder.resolve("pairs");
        String[] asBegun = {"--steps", "3", "--tokenizer", "bpe:9999"}; // the text has fewer
        assertThat(TinyModel.pretrain(tiny.text(), pairs, asBegun).code()).isZero();
        assertThat(TinyModel.pretrain(tiny.text(), pairs, asBegun).err()).contains("come to its end (step 3)");
        TinyModel.pretrain(tiny.text(), pairs, "--tokenizer", "bpe:257").assertFails("(bpe)", "leave it out");
        TinyModel.pretrain(tiny.text(), pairs, "--tokenizer", "byte").assertFails("(bpe)", "leave it out");
        TinyModel.pretrain(tiny.text(), pairs, "--tokenizer", tiny.model().toString())
                .assertFails("(bpe)", "leave it out");
        assertThat(TinyModel.pretrain(tiny.text(), pairs, "--steps", "3", "--tokenizer", pairs.toString())
                        .code())
                .isZero();
    }

    @Test
    void badTexts() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.txt"));
        TinyModel.pretrain(empty, folder.resolve("a")).assertFails(empty.toString(), "is empty", "give a file");
        Path missing = folder.resolve("missing.txt");
        TinyModel.pretrain(missing, folder.resolve("a")).assertFails("no such file or folder: " + missing);
        Path small = Files.writeString(folder.resolve("small.txt"), "to be");
        TinyModel.pretrain(small, folder.resolve("a"), "--steps", "1")
                .assertFails("has 6 tokens", "needs 33", "a shorter context");
        Path json = Files.writeString(folder.resolve("bad.jsonl"), "{\"text\":\"good\"}\n{\"text\":\n");
        TinyModel.pretrain(json, folder.resolve("a")).assertFails("bad.jsonl, line 2", "not valid JSON");
        Path gzip = Files.writeString(folder.resolve("bad.gz"), "not packed");
        TinyModel.pretrain(gzip, folder.resolve("a")).assertFails("bad.gz", "gzip");
        assertThat(folder.resolve("a")).doesNotExist();
    }

    @Test
    void binaryTextIsTrainedOnAsItIs() throws IOException {
        byte[] bytes = new byte[4000];
        new java.util.Random(1).nextBytes(bytes);
        Path binary = Files.write(folder.resolve("binary.txt"), bytes);
        CommandResult result = TinyModel.pretrain(binary, folder.resolve("binary"), "--steps", "2");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).contains("looks like binary data, and is taken as it is: " + binary);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--heads 64 --width 64 | head dimension",
                "--kv-heads 3 --width 128 | key-value heads",
                "--dropout 1.5 | dropout",
                "--average 1 | average",
                "--warmup -1 | warm-up",
                "--decay 2 | decay"
            })
    void valuesThatDoNotFitTogether(String options, String part) throws IOException {
        TinyModel.pretrain(tiny.text(), folder.resolve("b"), (options + " --steps 1").split(" "))
                .assertFails(part);
        assertThat(folder.resolve("b")).doesNotExist();
    }

    @Test
    void tooLittleMemoryIsSaidBeforeTheRun() throws IOException {
        CommandResult result =
                TinyModel.pretrain(tiny.text(), folder.resolve("c"), "--width", "65536", "--heads", "1024");
        result.assertFails("needs about", "of memory", "are available", "Choose");
        assertThat(folder.resolve("c")).doesNotExist();
    }
}
