package ai.epitome.cli.generate;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.TinyModel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome score` on a tiny model.
class ScoreCommandTest {
    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    @Test
    void scoreOfATextAndOfItsIdsAreTheSame() throws IOException {
        byte[] input = {'t', 'o', (byte) 0xff, 0, '\n'}; // no UTF-8: bytes are kept
        CommandResult scored = run(input, "score", tiny.model().toString(), "--json", "--precision", "f32");
        assertThat(scored.out())
                .startsWith("{\"ids\":[116,111,255,0,10],\"logprobs\":[null,-")
                .endsWith("}\n");
        JsonNode json = scored.json();
        assertThat(json.propertyNames()).containsExactly("ids", "logprobs", "bits_per_byte");
        double nats = Math.log(257); // what the first token costs
        for (int i = 1; i < 5; i++) {
            nats -= json.path("logprobs").get(i).asDouble();
        }
        assertThat(json.path("bits_per_byte").asDouble())
                .isCloseTo(nats / Math.log(2) / 5, org.assertj.core.data.Offset.offset(1e-6));
        CommandResult ids =
                run("score", tiny.model().toString(), "--ids", "116,111,255,0,10", "--json", "--precision", "f32");
        assertThat(ids.out()).isEqualTo(scored.out());
        CommandResult table = run(input, "score", tiny.model().toString(), "-");
        assertThat(table.out()).contains("0xff").contains("5 tokens, 5 bytes").contains("bits per byte");
        assertThat(table.out().lines()).hasSize(6);
    }
}
