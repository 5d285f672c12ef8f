package ai.epitome.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.train.report.RunLog;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A page that is opened after a pause shows the curve from its beginning.
class WebProgressTest {
    @TempDir
    private Path folder;

    @Test
    void tellsWhatWasLoggedUpToTheCheckpoint() throws IOException {
        try (RunLog log = RunLog.open(folder.resolve(RunLog.FILE), 0)) {
            for (long step = 1; step <= 3; step++) {
                log.append(step, Map.of(RunLog.SECONDS, 0.5 * step, RunLog.LOSS, 2.0, RunLog.TOKENS, 100 * step));
                log.amend(Map.of(RunLog.HELD_OUT_BITS_PER_BYTE, 5.0 - step));
                log.amend(Map.of(RunLog.SAMPLE, "written after " + step));
            }
        }
        var progress = new TrainingProgress();
        new WebProgress(progress).replay(folder, 2);
        assertThat(history(progress))
                .contains("\"latest\":{\"step\":2,\"tokens\":200,\"seconds\":1.0,")
                .contains("\"held_out_bits_per_byte\":4.0", "\"held_out_bits_per_byte\":3.0")
                .contains("written after 1", "written after 2")
                .doesNotContain("\"step\":3", "written after 3");
    }

    @Test
    void tellsNothingWhereNothingWasLogged() throws IOException {
        var progress = new TrainingProgress();
        new WebProgress(progress).replay(folder, 2);
        assertThat(history(progress)).contains("\"latest\":null");
    }

    /// The first thing that the page gets.
    private static String history(TrainingProgress progress) throws IOException {
        try (var server = EpitomeServer.start(ServerConfig.local(0), new ModelRegistry(), Optional.of(progress));
                var lines = new BufferedReader(new InputStreamReader(
                        server.uri().resolve("api/progress").toURL().openStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("event: history");
            return lines.readLine();
        }
    }
}
