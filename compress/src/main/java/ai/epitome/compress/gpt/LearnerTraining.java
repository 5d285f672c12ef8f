package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.ExactKernels;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;

/// Training of a learner, a step at a time, beside the prediction: a step begins with the bytes known then,
/// and the next segment is predicted by the weights of the step before. So two threads share the work, and
/// the result depends on neither.
///
/// ```text
/// predicts:  segment 5, weights 3 | segment 6, weights 4 | segment 7, weights 5
/// trains:    step 4 on bytes .. 4 | step 5 on bytes .. 5 | step 6 on bytes .. 6
/// ```
final class LearnerTraining {
    private static final int WARM_UP = 50;
    /// Steps after which the rate falls with the square root of time.
    private static final int STEADY = 2_000;

    private final LearnerShape shape;
    private final LearnerWeights weights;
    private final LearnerTable table;
    private final LearnerPass pass;
    private final Executor executor;
    private final LearnedParameter.Corrections corrections = new LearnedParameter.Corrections();
    private final int[] ids; // (T)
    private final int[] targets; // (T)
    private final int[] rows; // (T, contexts)
    private final int newest; // of `rows`, where those of the newest segment begin
    private FutureTask<Void> step; // under way
    private int steps;

    LearnerTraining(
            LearnerShape shape, LearnerWeights weights, LearnerTable table, ExactKernels kernels, Executor executor) {
        this.shape = shape;
        this.weights = weights;
        this.table = table;
        this.executor = executor;
        pass = new LearnerPass(shape, weights, table, kernels);
        ids = new int[shape.window()];
        targets = new int[ids.length];
        rows = new int[ids.length * LearnerHistory.CONTEXTS];
        newest = (shape.window() - shape.segment()) * LearnerHistory.CONTEXTS;
    }

    /// Waits for the step that is under way, if there is one, and makes what it learned the weights to predict by.
    void finish() {
        if (step == null) {
            return;
        }
        try {
            step.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a network learned", e);
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("a step of training failed", e.getCause());
        }
        step = null;
        weights.publish();
        table.publish(rows, newest);
    }

    /// Begins a step on the newest window of bytes.
    void start(LearnerHistory history) {
        long from = history.length() - ids.length - 1;
        for (int i = 0; i < ids.length; i++) {
            ids[i] = history.at(from + i);
            targets[i] = history.at(from + i + 1);
            history.contexts(from + i, rows, i * LearnerHistory.CONTEXTS);
        }
        step = new FutureTask<>(this::step, null);
        executor.execute(step);
    }

    private void step() {
        float rate = rate();
        pass.run(ids, targets, rows);
        steps++;
        corrections.step();
        for (LearnedParameter parameter : weights.all()) {
            parameter.update(rate, corrections.first(), corrections.second());
        }
        pass.updateRows(rows, newest, shape.rowRate());
        weights.pack();
    }

    private float rate() {
        int t = steps + 1;
        if (t < WARM_UP) {
            return shape.rate() * t / WARM_UP;
        }
        return t < STEADY ? shape.rate() : shape.rate() * (float) Math.sqrt((double) STEADY / t);
    }
}
