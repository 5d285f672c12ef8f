package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.tensor.Tensor;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Planned;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a run does and tells, from its first step to its last.
class TrainerTest {
    @TempDir
    Path folder;

    @Test
    void tellsWhatHappensInOrder() {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG)) {
            assertThat(trainer.run()).isTrue();
            assertThat(run.events.getFirst()).isInstanceOf(Started.class);
            assertThat(run.events(Started.class).getFirst().parameters()).isEqualTo(24 * 16 + 300);
            List<Stepped> steps = run.events(Stepped.class);
            assertThat(steps).hasSize(20);
            assertThat(steps.getLast().tokens()).isEqualTo(20 * 2 * 2);
            assertThat(steps.getLast().progress()).isOne();
            assertThat(steps.get(0).expectedSteps()).isEqualTo(20);
            assertThat(meanLoss(steps.subList(13, 20))).isLessThan(meanLoss(steps.subList(0, 7)));
            assertThat(steps.getFirst().bitsPerByte())
                    .isEqualTo(steps.getFirst().loss() / Math.log(2) * 4 / 4);
            assertThat(run.events(Evaluated.class).stream().map(Evaluated::step))
                    .containsExactly(6L, 12L, 18L, 20L);
            assertThat(run.events(Evaluated.class).getLast().whole()).isTrue();
            assertThat(run.events(Sampled.class)).hasSize(4);
            assertThat(run.events.getLast()).isInstanceOf(Finished.class);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.9})
    void aRunThatIsStoppedAndGoesOnEqualsOneThatIsNot(double average) throws IOException {
        TrainingConfig config = ToyRun.CONFIG.with(c -> c.average = average);
        byte[] whole;
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder.resolve("whole"))) {
            trainer.run();
            whole = Files.readAllBytes(folder.resolve("whole/model.safetensors"));
        }
        Path parts = folder.resolve("parts");
        for (int stopAt : new int[] {3, 9, 14, 20}) {
            try (ToyRun run = new ToyRun()) {
                Trainer[] trainer = new Trainer[1];
                AtomicInteger passes = new AtomicInteger();
                try (Trainer it = run.trainer(config).checkpointsIn(parts)) {
                    trainer[0] = it;
                    long from = it.step();
                    run.beforePass = _ -> {
                        if (from + (passes.incrementAndGet() + 1) / 2 == stopAt) {
                            it.requestStop();
                        }
                    };
                    assertThat(it.run()).isEqualTo(stopAt == 20);
                    assertThat(it.step()).isEqualTo(stopAt);
                }
            }
        }
        assertThat(Files.readAllBytes(parts.resolve("model.safetensors"))).isEqualTo(whole);
        assertThat(Files.readAllBytes(parts.resolve("checkpoints/step-000000020/optimizer.safetensors")))
                .isEqualTo(
                        Files.readAllBytes(folder.resolve("whole/checkpoints/step-000000020/optimizer.safetensors")));
    }

    @Test
    void evaluatesAndSavesTheAverageButTrainsTheWeights() throws IOException {
        TrainingConfig config = ToyRun.CONFIG.with(c -> c.average = 0.9);
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            trainer.run();
            try (Safetensors file = Safetensors.open(folder.resolve("model.safetensors"))) {
                float averaged = file.entries().get("file.vector").tensor().get(0);
                assertThat(averaged).isNotEqualTo(run.vector.value().get(0));
                assertThat(run.events(Evaluated.class).getLast().bitsPerByte()).isEqualTo(averaged);
            }
        }
    }

    /// After one step momentum and mean are the clipped gradient times 1 - beta.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 1e9})
    void gradientsAreClippedToTheirNorm(double limit) {
        TrainingConfig config = ToyRun.CONFIG.with(c -> {
            c.steps = 1;
            c.schedule = new Schedule(Schedule.Shape.COSINE, 0, 0, 0);
            c.clip = limit;
        });
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config)) {
            trainer.run();
            Map<String, Tensor> state = run.optimizer.state();
            double squares = 0;
            for (float momentum : state.get("muon.momentum.matrix").toFloats()) {
                squares += Math.pow(momentum / (1 - 0.95), 2);
            }
            for (float mean : state.get("adamw.mean.vector").toFloats()) {
                squares += Math.pow(mean / (1 - 0.9), 2);
            }
            double norm = run.events(Stepped.class).getFirst().gradientNorm();
            assertThat(norm).isGreaterThan(1);
            assertThat(Math.sqrt(squares)).isCloseTo(limit == 0.5 ? 0.5 : norm, withinPercentage(0.01));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"matrix", "vector"})
    void aGradientThatIsNotFiniteIsNamed(String name) throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            run.beforePass = _ -> {
                if (trainer.step() == 10) {
                    (name.equals("matrix") ? run.matrix : run.vector).gradient().set(7, Float.NaN);
                }
            };
            assertThatThrownBy(trainer::run)
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("step 11")
                    .hasMessageContaining("gradient of `" + name + "`")
                    .hasMessageContaining("lower learning rate")
                    .hasMessageContaining("step 8");
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints")))
                .contains("step-000000008")
                .doesNotContain("step-000000012");
    }

    @Test
    void aWeightThatIsNotFiniteIsNamedAndNeverSaved() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            run.beforePass = _ -> {
                if (trainer.step() == 10) {
                    run.vector.value().set(3, Float.POSITIVE_INFINITY);
                }
            };
            assertThatThrownBy(trainer::run).hasMessageContaining("weight `vector`");
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints")))
                .contains("step-000000008")
                .doesNotContain("step-000000012");
    }

    @Test
    void aLossThatStaysHighStopsTheRun() {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG.with(c -> c.steps = 500))) {
            run.beforePass = _ -> run.loss = trainer.step() < 100 ? 4 : 40;
            assertThatThrownBy(trainer::run)
                    .hasMessageContaining("step " + (100 + LossGuard.PATIENCE))
                    .hasMessageContaining("loss is 20.000")
                    .hasMessageContaining("running mean was 2.000");
        }
    }

    @Test
    void theAverageTakesTheWeightsPlaceBetweenRequestsOnly() throws InterruptedException {
        AtomicInteger torn = new AtomicInteger();
        List<Thread> requests = new ArrayList<>();
        try (ToyRun run = new ToyRun()) {
            TrainingJob job = run.job();
            TrainingJob.Evaluation evaluation = (_, _) -> {
                CountDownLatch begun = new CountDownLatch(1);
                requests.add(Thread.ofPlatform().start(() -> {
                    run.backend.workers().turn().lock();
                    float before = run.vector.value().get(0);
                    begun.countDown();
                    pause(50);
                    torn.addAndGet(run.vector.value().get(0) == before ? 0 : 1);
                    run.backend.workers().turn().unlock();
                }));
                await(begun);
                return new TrainingJob.Score(1, 1, true);
            };
            TrainingJob served = new TrainingJob(
                    job.model(), job.objective(), job.batches(), job.dataHash(), evaluation, null, job.companions());
            try (Trainer trainer = new Trainer(
                    ToyRun.CONFIG.with(c -> c.average = 0.9), served, run.optimizer, run.backend, _ -> {})) {
                trainer.run();
            }
            for (Thread request : requests) {
                request.join();
            }
        }
        assertThat(requests).hasSize(4);
        assertThat(torn).hasValue(0);
    }

    @Test
    void aStopBreaksOffTheLastEvaluationAndTheNextRunTakesIt() throws IOException {
        for (boolean stopped : new boolean[] {true, false}) {
            try (ToyRun run = new ToyRun()) {
                TrainingJob job = run.job();
                Trainer[] trainer = new Trainer[1];
                TrainingJob.Evaluation evaluation = (last, cancelled) -> {
                    if (last && stopped) {
                        trainer[0].requestStop();
                    }
                    if (cancelled.getAsBoolean()) {
                        throw new CancellationException();
                    }
                    return new TrainingJob.Score(2, 1, last);
                };
                TrainingJob watched = new TrainingJob(
                        job.model(), job.objective(), job.batches(), "data-1", evaluation, null, job.companions());
                try (Trainer it = new Trainer(ToyRun.CONFIG, watched, run.optimizer, run.backend, run.events::add)
                        .checkpointsIn(folder)) {
                    trainer[0] = it;
                    assertThat(it.run()).isEqualTo(!stopped);
                    assertThat(it.step()).isEqualTo(20);
                }
                assertThat(run.events(Evaluated.class).stream().anyMatch(Evaluated::whole))
                        .isEqualTo(!stopped);
            }
        }
    }

    @Test
    void twoRunsInOneFolderAreRefused() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.step()).isZero();
            assertThatThrownBy(() -> run.trainer(ToyRun.CONFIG).checkpointsIn(folder))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("already");
        }
    }

    @Test
    void otherDataOrAnotherSeedAreRefused() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        try (ToyRun run = new ToyRun()) {
            TrainingJob job = run.job();
            TrainingJob other = new TrainingJob(job.model(), job.objective(), job.batches(), "data-2");
            try (Trainer trainer = new Trainer(ToyRun.CONFIG, other, run.optimizer, run.backend, _ -> {})) {
                assertThatThrownBy(() -> trainer.checkpointsIn(folder))
                        .hasMessageContaining("data-1")
                        .hasMessageContaining("data-2");
            }
            try (Trainer trainer = run.trainer(ToyRun.CONFIG.with(c -> c.seed = 77))) {
                assertThatThrownBy(() -> trainer.checkpointsIn(folder)).hasMessageContaining("77");
            }
        }
    }

    @Test
    void aBudgetOfTimeEndsOnTimeAndGoesOn() throws IOException {
        TrainingConfig config = ToyRun.CONFIG.with(c -> {
            c.steps = 0;
            c.seconds = 0.6;
            c.checkpoint = Interval.ofSeconds(0.1);
        });
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            run.beforePass = _ -> {
                pause();
                if (trainer.step() == 60) {
                    trainer.requestStop();
                }
            };
            assertThat(trainer.run()).isFalse();
        }
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            assertThat(trainer.step()).isEqualTo(61);
            run.beforePass = _ -> pause();
            assertThat(trainer.run()).isTrue();
            Finished finished = run.events(Finished.class).getFirst();
            assertThat(finished.seconds()).isBetween(0.45, 1.2);
            List<Planned> plans = run.events(Planned.class);
            assertThat(plans).isNotEmpty();
            assertThat(plans.getLast().lastStep()).isEqualTo(finished.step());
            assertThat(run.events(Stepped.class).getLast().rateFactor()).isLessThan(0.1);
        }
    }

    /// A run that its steps have ended, and not its time, goes on when it may have more of them.
    @Test
    void moreStepsInTheSameTimeMakeALongerRun() throws IOException {
        TrainingConfig config = ToyRun.CONFIG.with(c -> c.seconds = 600);
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            assertThat(trainer.run()).isTrue();
            assertThat(trainer.step()).isEqualTo(20);
        }
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            assertThat(trainer.isOver()).isTrue();
        }
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config.with(c -> c.steps = 0)).checkpointsIn(folder)) {
            assertThat(trainer.isOver()).isFalse();
        }
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config.with(c -> c.steps = 30)).checkpointsIn(folder)) {
            assertThat(trainer.isOver()).isFalse();
            assertThat(trainer.run()).isTrue();
            assertThat(trainer.step()).isEqualTo(30);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.3})
    void moreTimeMakesALongerRun(double before) throws IOException {
        TrainingConfig config = ToyRun.CONFIG.with(c -> {
            c.steps = before == 0 ? 20 : 0;
            c.seconds = before;
        });
        long steps;
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(config).checkpointsIn(folder)) {
            run.beforePass = _ -> pause();
            assertThat(trainer.run()).isTrue();
            steps = trainer.step();
        }
        TrainingConfig longer = config.with(c -> {
            c.steps = 0;
            c.seconds = 0.6;
        });
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(longer).checkpointsIn(folder)) {
            assertThat(trainer.isOver()).isFalse();
            run.beforePass = _ -> pause();
            assertThat(trainer.run()).isTrue();
            assertThat(trainer.step()).isGreaterThan(steps);
            assertThat(run.events(Planned.class)).isNotEmpty();
        }
    }

    @Test
    void anAverageIsNotDroppedOnTheWay() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer =
                        run.trainer(ToyRun.CONFIG.with(c -> c.average = 0.9)).checkpointsIn(folder)) {
            trainer.run();
        }
        // The weights in training are not those of the model's file, and would be lost.
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG)) {
            assertThatThrownBy(() -> trainer.checkpointsIn(folder))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("`weights.matrix`")
                    .hasMessageContaining("other settings");
        }
    }

    @Test
    void configurationSurvivesItsFile() {
        TrainingConfig config = ToyRun.CONFIG.with(c -> {
            c.optimizer = TrainingConfig.OptimizerConfig.muon(0.02, 3e-3, 0.01);
            c.dropout = 0.1f;
        });
        assertThat(TrainingConfig.fromJson(config.toJson(), "here")).isEqualTo(config);
        assertThatThrownBy(() -> TrainingConfig.fromJson("{\"steps\":".getBytes(), "training.json"))
                .hasMessageContaining("training.json");
        String noSchedule = new String(config.toJson()).replaceFirst("\"schedule\" : \\{[^}]*}", "\"schedule\" : null");
        assertThatThrownBy(() -> TrainingConfig.fromJson(noSchedule.getBytes(), "training.json"))
                .hasMessageContaining("training.json")
                .hasMessageContaining("a schedule");
        assertThatThrownBy(() -> ToyRun.CONFIG.with(c -> c.dropout = 1)).hasMessageContaining("1.0");
        assertThatThrownBy(() -> ToyRun.CONFIG.with(c -> c.steps = 0)).hasMessageContaining("at least one of them");
    }

    /// Seven steps see every batch once.
    private static double meanLoss(List<Stepped> steps) {
        return steps.stream().mapToDouble(Stepped::loss).average().orElseThrow();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void pause() {
        pause(1);
    }

    private static void pause(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
