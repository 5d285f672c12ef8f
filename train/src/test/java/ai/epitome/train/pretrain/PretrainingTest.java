package ai.epitome.train.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Scorer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingException;
import ai.epitome.train.data.TokenShards;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PretrainingTest {
    @TempDir
    Path folder;

    @Test
    void leavesAModelItsLogAndAReportThatAgree() throws IOException {
        Path model = folder.resolve("model");
        try (TinyRun tiny = new TinyRun(folder.resolve("cache"))) {
            try (Pretraining run = tiny.open(model, false, _ -> {})) {
                assertThat(run.train()).isTrue();
            }
            for (String file : List.of("config.json", "tokenizer.json", "training.json", "data.json", "curves.png")) {
                assertThat(model.resolve(file)).isNotEmptyFile();
            }
            assertThat(TrainingConfig.fromJson(Files.readAllBytes(model.resolve("training.json")), "training.json"))
                    .isEqualTo(TinyRun.RECIPE.training());
            List<RunLog.Entry> log = new ArrayList<>();
            RunLog.read(model.resolve("log.jsonl"), log::add);
            assertThat(log.stream().map(RunLog.Entry::step))
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(1, 24).boxed().toList());
            double score = score(model, tiny);
            assertThat(score).isBetween(3.0, 8.0);
            assertThat(log.getLast().number(RunLog.HELD_OUT_BITS_PER_BYTE)).hasValue(score);
            assertThat(Files.readString(model.resolve("report.md")))
                    .startsWith("# a tiny run\n\n**%.4f held-out bits per byte** after 24 steps".formatted(score))
                    .contains("epitome pretrain tiny")
                    .containsPattern("\\| commit \\| ([0-9a-f]{40}|not in a git repository)")
                    .contains("| cores | " + Runtime.getRuntime().availableProcessors() + " |")
                    .contains(tiny.backend.describe())
                    .contains("SHA-256 `" + tiny.dataset.summary().sha256() + "`")
                    .contains("| held-out bits per byte (all %,d bytes) | %s |"
                            .formatted(tiny.dataset.heldOut().bytes(), score))
                    .contains("| tokens | 1,536 |")
                    .contains("dropout=0.1")
                    .contains("## Samples");
        }
    }

    /// The held-out score of the folder's model, by another way than the run's.
    private static double score(Path model, TinyRun tiny) throws IOException {
        TokenShards heldOut = tiny.dataset.heldOut();
        try (LoadedModel loaded = LoadedModel.open(model);
                Scorer scorer = loaded.scorer(tiny.backend)) {
            return scorer.score(heldOut.read(1, (int) heldOut.tokens() - 1), heldOut.bytes())
                    .bitsPerByte();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRunThatIsStoppedNowAndThenEndsWithTheSameBits(boolean packed) throws IOException {
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        try (TinyRun tiny = new TinyRun(folder.resolve("cache"))) {
            try (Pretraining run = tiny.open(whole, packed, _ -> {})) {
                run.train();
            }
            int never = 25;
            for (int stopAt : new int[] {5, 17, 24, never}) { // at 24 the last score is still to be taken
                Pretraining[] running = new Pretraining[1];
                try (Pretraining run = tiny.open(parts, packed, event -> {
                    if (event instanceof Stepped step && step.step() == stopAt) {
                        running[0].requestStop();
                    }
                })) {
                    running[0] = run;
                    assertThat(run.train()).isEqualTo(stopAt == never);
                }
            }
        }
        assertThat(parts.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
        assertThat(parts.resolve("log.jsonl")).content().hasLineCount(24);
        assertThat(samples(parts)).isEqualTo(samples(whole)).contains("*step 6*", "*step 24*");
    }

    private static String samples(Path model) throws IOException {
        String report = Files.readString(model.resolve("report.md"));
        return report.substring(report.indexOf("## Samples"));
    }

    @Test
    void goesOnWithTheSameRowsOnlyAndLetsGoOfTheFolderWhenItRefuses() throws IOException {
        try (TinyRun tiny = new TinyRun(folder.resolve("cache"))) {
            Path model = folder.resolve("model");
            try (Pretraining run = tiny.open(model, true, _ -> {})) {
                run.train();
            }
            assertThatThrownBy(() -> tiny.open(model, false, _ -> {}))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("packed");
            try (Pretraining run = tiny.open(model, true, _ -> {})) {
                assertThat(run.step()).isEqualTo(24);
            }
        }
    }
}
