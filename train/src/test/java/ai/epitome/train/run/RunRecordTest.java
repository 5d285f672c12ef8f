package ai.epitome.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {
    @TempDir
    Path folder;

    private static final TrainingEvent END = new Finished(2, true, 20, 2, 3);

    private static Stepped step(long step) {
        return new Stepped(step, 2, 0.5, 10 * step, step, 1, 1, 1, 0.1, 1, 10);
    }

    private static Evaluated score(long step, double bitsPerByte) {
        return new Evaluated(step, step, bitsPerByte, 100, true, 1);
    }

    private List<RunLog.Entry> log() throws IOException {
        List<RunLog.Entry> entries = new ArrayList<>();
        RunLog.read(folder.resolve("log.jsonl"), entries::add);
        return entries;
    }

    @Test
    void aLineHasTheScoreOfItsStep() throws IOException {
        try (RunRecord record = new RunRecord(folder, 0, _ -> {})) {
            for (TrainingEvent event : List.of(step(1), score(1, 4), step(2), score(2, 3), END)) {
                record.on(event);
            }
            assertThat(record.evaluated().orElseThrow().bitsPerByte()).isEqualTo(3);
        }
        assertThat(log().stream()
                        .map(line -> line.number(RunLog.HELD_OUT_BITS_PER_BYTE).orElseThrow()))
                .containsExactly(4.0, 3.0);
    }

    /// The checkpoint of the last step was whole, but the line of that step still waited for the score.
    @Test
    void aRunKilledBeforeItsLastScoreStillLogsIt() throws IOException {
        try (RunLog killed = RunLog.open(folder.resolve("log.jsonl"), 0)) {
            killed.append(1, Map.of(RunLog.LOSS, 1));
        }
        try (RunRecord record = new RunRecord(folder, 2, _ -> {})) {
            record.on(new Started(2, 2, TrainingConfig.ofSteps(2, 1, 1), 1, 8));
            record.on(score(2, 3));
            record.on(END);
        }
        assertThat(log()).hasSize(2);
        assertThat(log().getLast().step()).isEqualTo(2);
        assertThat(log().getLast().number(RunLog.HELD_OUT_BITS_PER_BYTE)).hasValue(3);
    }

    @Test
    void aLogThatCannotBeWrittenIsToldOnceAndStopsNothing() throws IOException {
        List<String> notices = new ArrayList<>();
        RunRecord record = new RunRecord(folder, 0, notices::add);
        record.on(step(1));
        record.close(); // what it writes to is gone
        for (long step = 2; step < 10; step++) {
            record.on(step(step));
        }
        record.on(END);
        assertThat(notices)
                .singleElement()
                .satisfies(notice -> assertThat(notice).contains("log.jsonl").contains("training goes on"));
        assertThat(record.finished()).isPresent();
        assertThat(log()).hasSize(1);
    }
}
