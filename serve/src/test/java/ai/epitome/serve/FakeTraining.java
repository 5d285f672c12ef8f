package ai.epitome.serve;

import ai.epitome.serve.page.ProgressEvent;
import ai.epitome.serve.page.TrainingProgress;
import java.util.Map;

/// The events of a training run that never took place: a curve that falls past other compressors.
final class FakeTraining {
    static final int STEPS = 900;
    private static final int EVALUATE_EVERY = 25;
    private static final int TOKENS_PER_STEP = 4096;
    private static final double STEPS_PER_SECOND = 5;

    private FakeTraining() {}

    static void begin(TrainingProgress progress) {
        progress.publish(new ProgressEvent.Description(
                "3.3M-parameter byte model on tinyshakespeare",
                "oneDNN 3.13 (AVX-512 bf16) + Vector API 512 bit, 2 threads",
                1.0));
        progress.publish(new ProgressEvent.Baselines(
                Map.of("gzip -9", 3.0964, "bzip2 -9", 2.3985, "xz -9e", 2.5166, "zstd -19", 2.5396)));
        progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.TRAINING, ""));
    }

    static void step(TrainingProgress progress, int step) {
        double held = heldOut(step);
        double noise = 0.06 * Math.sin(step * 12.9898) * Math.cos(step * 4.1414);
        boolean evaluated = step % EVALUATE_EVERY == 0;
        progress.publish(new ProgressEvent.Point(
                step,
                (long) step * TOKENS_PER_STEP,
                step / STEPS_PER_SECOND,
                TOKENS_PER_STEP * STEPS_PER_SECOND * (1 + 0.02 * Math.sin(step)),
                (held - 0.12 * step / STEPS + noise) * Math.log(2),
                evaluated ? held : Double.NaN,
                (STEPS - step) / STEPS_PER_SECOND));
        if (step % 150 == 0) {
            progress.publish(new ProgressEvent.Sample(step, "ROMEO:", sample(step)));
        }
    }

    static double heldOut(int step) {
        return 2.13 + 3.2 * Math.exp(-step / 55.0) + 0.75 * Math.exp(-step / 260.0);
    }

    private static String sample(int step) {
        return step < 300
                ? "\nThe wand thee therer of my and sore the hath,\nAnd tho wither, the shall bet and mer hears.\n\n"
                        + "GLOUCESTE:\nWhat she the pard the ward?"
                : "\nI have not seen the crown of such a man,\nAnd yet the king hath sworn to keep his word.\n\n"
                        + "JULIET:\nO gentle lord, what news from Mantua?\nThe night is long, and I am full of care.";
    }
}
