package ai.epitome.train.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.model.Scorer;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.data.TokenShards;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeldOutScoreTest {
    @TempDir
    Path cache;

    @Test
    void saysHowMuchWasScored() throws IOException {
        try (TinyRun tiny = new TinyRun(cache);
                Transformer model = new Transformer(TinyRun.RECIPE.model(), Initialization.gpt2(3))) {
            TokenShards heldOut = tiny.dataset.heldOut();
            try (HeldOutScore all = new HeldOutScore(model, tiny.backend, heldOut);
                    HeldOutScore part = new HeldOutScore(model, tiny.backend, heldOut, 40, 100);
                    Scorer scorer =
                            new Scorer(model, tiny.backend, heldOut.table().endOfText())) {
                int[] ids = heldOut.read(1, (int) heldOut.tokens() - 1);
                Score whole = new Score(scorer.score(ids, heldOut.bytes()).bitsPerByte(), heldOut.bytes(), true);
                assertThat(all.score(true, () -> false)).isEqualTo(whole);
                assertThat(all.score(false, () -> false)).isEqualTo(whole);
                assertThat(part.score(true, () -> false).whole()).isFalse();
                // The first hundred tokens, which may hold an end-of-text that has no bytes.
                assertThat(part.score(true, () -> false).bytes()).isBetween(98L, 100L);
                assertThat(part.score(false, () -> false).bytes()).isEqualTo(40);
            }
        }
    }
}
