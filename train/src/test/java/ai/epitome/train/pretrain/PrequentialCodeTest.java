package ai.epitome.train.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.TrainingConfig;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PrequentialCodeTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void names() {
        file = folder.resolve("log.jsonl");
    }

    /// Steps of 8 tokens that cost 2 bits each and stand for 16 bytes.
    private void steps(long from, long to) throws IOException {
        try (RunLog log = RunLog.open(file, from - 1)) {
            for (long step = from; step <= to; step++) {
                Map<String, Object> values = new LinkedHashMap<>();
                values.put(RunLog.TOKENS, 8 * step);
                values.put(RunLog.LOSS, 2 * Math.log(2));
                values.put(RunLog.BITS_PER_BYTE, 1.0);
                log.append(step, values);
            }
        }
    }

    private PrequentialCode sum(long tokens, boolean packed, TrainingConfig training) throws IOException {
        DataRecord.Side train = new DataRecord.Side(3, tokens, 2 * tokens);
        DataRecord data = new DataRecord(List.of(), train, Optional.of(packed), Optional.empty());
        return PrequentialSum.of(file, training, data, 1 << 10, 800);
    }

    private static TrainingConfig training() {
        return TrainingConfig.ofSteps(100, 2, 4);
    }

    private static PrequentialCode.Code code(PrequentialCode code) {
        assertThat(code).isInstanceOf(PrequentialCode.Code.class);
        return (PrequentialCode.Code) code;
    }

    private static void assertUnknown(PrequentialCode code, String reason) {
        assertThat(code)
                .isInstanceOfSatisfying(
                        PrequentialCode.Unknown.class,
                        unknown -> assertThat(unknown.reason()).contains(reason));
    }

    @Test
    void onlyWhatIsReadForTheFirstTimeCounts() throws IOException {
        steps(1, 12);
        PrequentialCode.Code code = code(sum(36, false, training()));
        // 35 tokens are predicted: four steps of 8; the fifth would end at 40.
        assertThat(code.steps()).isEqualTo(4);
        assertThat(code.tokens()).isEqualTo(32);
        assertThat(code.bytes()).isEqualTo(64);
        assertThat(code.batches()).isCloseTo(64, within(1e-9));
        assertThat(code.passes()).isCloseTo(96 / 35.0, within(1e-12));
        // The tokenizer, and 8 rows of 4 tokens and perhaps a shorter one, with 10 bits each for their first tokens.
        assertThat(code.besides()).isCloseTo(800 + 90, within(1e-9));
        assertThat(code.bits()).isCloseTo(954, within(1e-9));
        assertThat(code.bitsPerByte()).isCloseTo(954 / 64.0, within(1e-9));
        assertThat(code(sum(41, false, training())).steps()).isEqualTo(5);
        assertThat(code(sum(40, false, training())).steps()).isEqualTo(4);
        assertThat(code(sum(1_000, false, training())).passes()).isCloseTo(96 / 999.0, within(1e-12));
    }

    @Test
    void whatFollowsTheClockAndWhereDocumentsEndIsPaidFor() throws IOException {
        steps(1, 12);
        TrainingConfig timed = training().with(c -> {
            c.steps = 0;
            c.seconds = 60;
            c.dropout = 0.25f;
        });
        PrequentialCode.Code code = code(sum(36, false, timed));
        assertThat(code.besides()).isCloseTo(800 + 90 + 4 * 64, within(1e-9));
        assertThat(code.dropout()).isEqualTo(0.25);
        PrequentialCode.Code packed = code(sum(36, true, training()));
        assertThat(packed.tokens()).isEqualTo(32); // of 33
        assertThat(packed.besides()).isCloseTo(800 + 11 * 10 + 3 * 32, within(1e-9));
        assertThat(code(sum(34, true, training())).tokens()).isEqualTo(24); // of 31
    }

    @Test
    void aSumLeavesNoStepOut() throws IOException {
        steps(1, 2);
        steps(4, 6);
        assertUnknown(sum(50, false, training()), "log.jsonl has no loss of step 3");
        assertThat(code(sum(17, false, training())).steps()).isEqualTo(2);
        try (RunLog log = RunLog.open(file, 2)) {
            log.append(3, Map.of(RunLog.HELD_OUT_BITS_PER_BYTE, 1));
        }
        assertUnknown(sum(50, false, training()), "log.jsonl has no loss of step 3");
        assertUnknown(sum(8, false, training()), "no step whose tokens were all read for the first time");
        assertUnknown(sum(0, false, training()), "data.json does not say how many tokens there were");
    }

    /// The sum of a real run, added up here from the text of its log.
    @Test
    void isTheSumOfARealRun() throws IOException {
        try (TinyRun tiny = new TinyRun(folder.resolve("cache"))) {
            for (boolean packed : new boolean[] {false, true}) {
                Path model = folder.resolve("packed-" + packed);
                try (Pretraining run = tiny.open(model, packed, _ -> {})) {
                    assertThat(run.train()).isTrue();
                }
                long documents = tiny.dataset.train().documents();
                long limit = tiny.dataset.train().tokens() - (packed ? documents : 1);
                double bits = 0;
                long tokens = 0;
                for (String line : Files.readAllLines(model.resolve("log.jsonl"))) {
                    JsonNode step = JSON.readTree(line);
                    if (step.path("tokens").asLong() <= limit) {
                        bits += step.path("loss").asDouble()
                                * (step.path("tokens").asLong() - tokens)
                                / 0.6931471805599453;
                        tokens = step.path("tokens").asLong();
                    }
                }
                PrequentialCode.Code code = code(PrequentialCode.of(model));
                assertThat(code.batches()).isCloseTo(bits, within(1e-6 * bits));
                assertThat(code.tokens()).isEqualTo(tokens).isPositive();
                assertThat(code.steps()).isEqualTo(24); // less than once through
                // Bytes are tokens; those that end documents are none.
                assertThat(code.bytes()).isBetween(tokens - documents, tokens);
                assertThat(code.dropout()).isCloseTo(0.1, within(1e-6));
                double tokenizer = 8.0 * Files.size(model.resolve("tokenizer.json"));
                assertThat(code.besides()).isGreaterThan(tokenizer + tokens / 16 * 8);
            }
        }
    }

    @Test
    void aFolderWithoutALogIsNoFailure() throws IOException {
        assertUnknown(PrequentialCode.of(folder), "the folder has no log.jsonl");
        steps(1, 2);
        assertUnknown(PrequentialCode.of(folder), "the folder has no training.json");
    }
}
