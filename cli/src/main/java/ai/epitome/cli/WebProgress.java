package ai.epitome.cli;

import ai.epitome.serve.ProgressEvent;
import ai.epitome.serve.ProgressEvent.Phase;
import ai.epitome.serve.TrainingProgress;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;

/// Tells the page what the trainer tells.
final class WebProgress implements TrainingListener {
    private final TrainingProgress progress;
    private Stepped latest;

    WebProgress(TrainingProgress progress) {
        this.progress = progress;
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Started _ -> progress.publish(new ProgressEvent.StatusChanged(Phase.TRAINING, ""));
            case Stepped step -> {
                latest = step;
                progress.publish(point(step, Double.NaN));
            }
            case Evaluated evaluated -> {
                if (latest != null) {
                    progress.publish(point(latest, evaluated.bitsPerByte()));
                }
            }
            case Sampled sampled -> progress.publish(new ProgressEvent.Sample(sampled.step(), "", sampled.text()));
            case TrainingEvent.Planned _,
                    TrainingEvent.Checkpointed _,
                    TrainingEvent.Noticed _,
                    TrainingEvent.Finished _ -> {}
        }
    }

    private static ProgressEvent.Point point(Stepped step, double heldOut) {
        double left = step.progress() > 0 ? step.seconds() / step.progress() - step.seconds() : Double.NaN;
        return new ProgressEvent.Point(
                step.step(), step.tokens(), step.seconds(), step.tokensPerSecond(), step.loss(), heldOut, left);
    }
}
