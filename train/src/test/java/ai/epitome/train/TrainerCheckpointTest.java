package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.train.TrainingEvent.Checkpointed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Noticed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a run keeps: damaged checkpoints, full disks, and kills at any moment.
class TrainerCheckpointTest {
    @TempDir
    Path folder;

    @Test
    void keepsTheLastCheckpointsAndShowsTheNewest() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
            assertThat(ToyRun.names(folder.resolve("checkpoints")))
                    .containsExactly("lock", "step-000000016", "step-000000020");
            assertThat(ToyRun.names(folder)).containsExactly("checkpoints", "config.json", "model.safetensors");
            assertThat(ToyRun.names(folder.resolve("checkpoints/step-000000020")))
                    .containsExactly("config.json", "model.safetensors", "optimizer.safetensors", "state.json");
            assertThat(folder.resolve("model.safetensors"))
                    .hasSameBinaryContentAs(folder.resolve("checkpoints/step-000000020/model.safetensors"));
            assertThat(run.events(Checkpointed.class).stream().map(Checkpointed::step))
                    .containsExactly(4L, 8L, 12L, 16L, 20L);
            try (Safetensors file = Safetensors.open(folder.resolve("model.safetensors"))) {
                assertThat(file.entries().get("file.vector").tensor().toFloats())
                        .containsExactly(run.vector.value().toFloats());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "optimizer.safetensors", "state.json", "config.json"})
    void aTruncatedCheckpointIsPassedOver(String file) throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        Path damaged = folder.resolve("checkpoints/step-000000020").resolve(file);
        byte[] content = Files.readAllBytes(damaged);
        Files.write(damaged, Arrays.copyOf(content, content.length - 2));
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.step()).isEqualTo(16);
            assertThat(run.events(Noticed.class).getFirst().message())
                    .contains("step-000000020")
                    .contains("damaged")
                    .contains(file.equals("state.json") ? "" : file);
            trainer.run();
        }
        if (!file.equals("state.json")) { // which holds the time that the steps took
            assertThat(Files.readAllBytes(damaged)).isEqualTo(content);
        }
    }

    @Test
    void aFlippedBitIsFound() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        Path damaged = folder.resolve("checkpoints/step-000000020/optimizer.safetensors");
        byte[] content = Files.readAllBytes(damaged);
        content[content.length - 5] ^= 4;
        Files.write(damaged, content);
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.step()).isEqualTo(16);
        }
    }

    @Test
    void aDamagedCheckpointNeverOutlivesAWholeOne() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        Path damaged = folder.resolve("checkpoints/step-000000020");
        Files.write(damaged.resolve("optimizer.safetensors"), new byte[5]);
        FullDisk disk = new FullDisk();
        disk.bytesLeft = 900;
        TrainingConfig often = ToyRun.CONFIG.with(c -> c.checkpoint = Interval.ofSteps(1));
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(often).checkpointsIn(folder, disk)) {
            assertThatThrownBy(trainer::run).hasMessageContaining("step-000000016 is whole and kept");
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints"))).contains("step-000000016");
        Files.createDirectories(damaged);
        Files.write(damaged.resolve("optimizer.safetensors"), new byte[5]);
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(often).checkpointsIn(folder)) {
            run.beforePass = _ -> {
                if (trainer.step() == 17) {
                    trainer.requestStop();
                }
            };
            assertThat(trainer.run()).isFalse();
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints")))
                .containsExactly("lock", "step-000000017", "step-000000018");
    }

    @Test
    void aRunWhoseCheckpointsAreAllDamagedIsNotBegunAnew() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        for (int step : new int[] {16, 20}) {
            Files.delete(folder.resolve("checkpoints/step-0000000%d/optimizer.safetensors".formatted(step)));
        }
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG)) {
            assertThatThrownBy(() -> trainer.checkpointsIn(folder))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("none of the 2 checkpoints")
                    .hasMessageContaining("optimizer.safetensors is missing")
                    .hasMessageContaining("delete");
        }
    }

    @Test
    void aCheckpointOfAnotherVersionIsNotPassedOver() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        Path state = folder.resolve("checkpoints/step-000000020/state.json");
        String json = Files.readString(state);
        assertThat(json).contains("\"version\" : 1,");
        Files.writeString(state, json.replace("\"version\" : 1,", "\"version\" : 2,"));
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG)) {
            assertThatThrownBy(() -> trainer.checkpointsIn(folder))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("version 2")
                    .hasMessageContaining("version 1");
            // Refused, it holds nothing: another run may have the folder.
            Files.writeString(state, json);
            try (Trainer next = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
                assertThat(next.step()).isEqualTo(20);
            }
        }
    }

    @Test
    void leftoversOfAKillAreRemoved() throws IOException {
        Path left = folder.resolve("checkpoints/step-000000099.tmp");
        Files.createDirectories(left);
        Files.write(left.resolve("model.safetensors"), new byte[5]);
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.step()).isZero();
            assertThat(left).doesNotExist();
        }
    }

    @Test
    void aFullDiskLosesNothing() throws IOException {
        FullDisk disk = new FullDisk();
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder, disk)) {
            run.beforePass = _ -> {
                if (trainer.step() == 10) {
                    awaitFile(folder.resolve("checkpoints/step-000000008"));
                    disk.bytesLeft = 900;
                }
            };
            assertThatThrownBy(trainer::run)
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("step 20")
                    .hasMessageContaining("No space left")
                    .hasMessageContaining(folder.toString())
                    .hasMessageContaining("step-000000008 is whole and kept");
            // Training went on after the first failure, and the held-out score of the end was still taken.
            assertThat(run.events(Noticed.class).getFirst().message()).contains("step 12");
            assertThat(run.events(Evaluated.class).getLast().whole()).isTrue();
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints"))).containsExactly("lock", "step-000000008");
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.step()).isEqualTo(8);
        }
    }

    @Test
    void aDiskThatIsKnownToBeFullIsNotWrittenTo() throws IOException {
        FullDisk disk = new FullDisk();
        disk.known = true;
        disk.bytesLeft = 5000;
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder, disk)) {
            assertThatThrownBy(trainer::run)
                    .hasMessageContaining("too full")
                    .hasMessageContaining("5,000 bytes are available")
                    .hasMessageContaining("no earlier checkpoint");
            assertThat(disk.writes).isZero();
        }
    }

    @Test
    void olderCheckpointsMakeRoomForANewerOne() throws IOException {
        FullDisk disk = new FullDisk();
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder, disk)) {
            disk.roomWhenOneIsLeft = folder.resolve("checkpoints");
            trainer.run();
        }
        assertThat(ToyRun.names(folder.resolve("checkpoints"))).contains("lock", "step-000000020");
    }

    /// Requests to a model in training use its weights, and the kernel threads, between two steps.
    @Test
    void checkpointsAreCopiedInTheTurnOfTheKernelThreads() throws IOException {
        List<Boolean> held = new ArrayList<>();
        try (ToyRun run = new ToyRun()) {
            TrainedModel model = run.job().model();
            TrainedModel watched = new TrainedModel() {
                @Override
                public List<Parameter> parameters() {
                    return model.parameters();
                }

                @Override
                public List<Item> weights() {
                    held.add(run.backend.workers().turn().isHeldByCurrentThread());
                    return model.weights();
                }

                @Override
                public void load(Safetensors file) {
                    throw new AssertionError("nothing to load");
                }
            };
            TrainingJob job = new TrainingJob(watched, run.job().objective(), ToyRun::batch, "data-1");
            try (Trainer trainer = new Trainer(ToyRun.CONFIG, job, run.optimizer, run.backend, run.events::add)
                    .checkpointsIn(folder)) {
                trainer.run();
            }
        }
        assertThat(held).hasSize(5).containsOnly(true);
    }

    @Test
    void aKillBeforeTheWeightsWereShownIsMadeGood() throws IOException {
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            trainer.run();
        }
        Path shown = folder.resolve("model.safetensors");
        Files.delete(shown);
        Files.copy(folder.resolve("checkpoints/step-000000016/model.safetensors"), shown);
        Files.delete(folder.resolve("config.json"));
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG).checkpointsIn(folder)) {
            assertThat(trainer.isOver()).isTrue();
        }
        assertThat(shown).hasSameBinaryContentAs(folder.resolve("checkpoints/step-000000020/model.safetensors"));
        assertThat(folder.resolve("config.json")).exists();
    }

    @Test
    void weightsThatWereNotTrainedHereAreNotReplaced() throws IOException {
        Path weights = Files.writeString(folder.resolve("model.safetensors"), "somebody's");
        try (ToyRun run = new ToyRun();
                Trainer trainer = run.trainer(ToyRun.CONFIG)) {
            assertThatThrownBy(() -> trainer.checkpointsIn(folder))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining(folder.toString())
                    .hasMessageContaining("another folder");
        }
        assertThat(weights).hasContent("somebody's");
    }

    private static void awaitFile(Path file) {
        for (int i = 0; i < 20_000 && !Files.exists(file); i++) {
            pause();
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

    /// A disk with so many bytes left, which writes what fits before it fails.
    private static final class FullDisk implements CheckpointWriter {
        volatile long bytesLeft = Long.MAX_VALUE;
        /// Whether it says so when asked; otherwise other programs fill it just afterwards.
        volatile boolean known;
        volatile Path roomWhenOneIsLeft;
        volatile int writes;

        @Override
        public void tensors(Path file, List<Item> items) throws IOException {
            take(file, Snapshot.bytes(items));
            DISK.tensors(file, items);
        }

        @Override
        public void bytes(Path file, byte[] content) throws IOException {
            take(file, content.length);
            DISK.bytes(file, content);
        }

        private void take(Path file, long bytes) throws IOException {
            writes++;
            boolean crowded = roomWhenOneIsLeft != null
                    && ToyRun.names(roomWhenOneIsLeft).stream()
                                    .filter(name -> name.matches("step-\\d+"))
                                    .count()
                            > 1;
            if (bytes > bytesLeft || crowded) {
                Files.write(file, new byte[(int) Math.min(100, bytesLeft)], StandardOpenOption.CREATE);
                throw new IOException(file + ": No space left on device");
            }
        }

        @Override
        public long available(Path folder) {
            return known ? bytesLeft : Long.MAX_VALUE;
        }
    }
}
