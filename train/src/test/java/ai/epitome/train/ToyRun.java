package ai.epitome.train;

import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.train.data.Batch;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Muon;
import ai.epitome.train.optimizer.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/// A model of two parameters that is pulled towards its data: everything of a run but a network.
final class ToyRun implements AutoCloseable {
    static final TrainingConfig CONFIG = TrainingConfig.ofSteps(20, 1, 3).with(c -> {
        c.accumulation = 2;
        c.checkpoint = Interval.ofSteps(4);
        c.evaluate = Interval.ofSteps(6);
    });

    private final Arena arena = Arena.ofShared();
    final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);
    final Parameter matrix = new Parameter(arena, "matrix", 24, 16);
    final Parameter vector = new Parameter(arena, "vector", 300);
    final List<TrainingEvent> events = new ArrayList<>();
    final SequencedMap<String, byte[]> companions = new LinkedHashMap<>();
    final Optimizer optimizer;
    /// Called before each pass with the cursor of its batch.
    LongConsumer beforePass = _ -> {};
    double loss = Double.NEGATIVE_INFINITY;

    ToyRun() {
        Random random = new Random(5);
        for (Parameter parameter : List.of(matrix, vector)) {
            for (int i = 0; i < parameter.value().size(); i++) {
                parameter.value().set(i, (float) random.nextGaussian());
            }
        }
        companions.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
        Muon muon = new Muon(
                List.of(new Muon.Matrices(matrix, List.of(8, 16))),
                new Muon.Settings(0.02, 0.1, 0.95, true, Muon.Scale.SPECTRAL),
                arena,
                backend);
        AdamW adamW = new AdamW(
                List.of(new AdamW.Group(List.of(vector), 1e-2, 0.1)), AdamW.Settings.USUAL, arena, backend.workers());
        optimizer = new CombinedOptimizer(List.of(muon, adamW));
    }

    private final class Model implements TrainedModel {
        @Override
        public List<Parameter> parameters() {
            return List.of(matrix, vector);
        }

        @Override
        public List<Item> weights() {
            return List.of(Item.of("file.matrix", matrix.value()), Item.of("file.vector", vector.value()));
        }

        @Override
        public void load(Safetensors file) {
            matrix.value().data().copyFrom(file.entries().get("file.matrix").data());
            vector.value().data().copyFrom(file.entries().get("file.vector").data());
        }
    }

    TrainingJob job() {
        return new TrainingJob(
                new Model(),
                this::pass,
                ToyRun::batch,
                "data-1",
                (last, _) -> new TrainingJob.Score(vector.value().get(0), 1, last),
                () -> "a sample",
                companions);
    }

    Trainer trainer(TrainingConfig config) {
        return new Trainer(config, job(), optimizer, backend, events::add);
    }

    static Batch batch(long cursor) {
        int[] targets = {(int) (cursor % 7), Batch.NO_TARGET, 3};
        return new Batch(1, 3, new int[] {1, 2, (int) (cursor % 5)}, targets, null, 2);
    }

    private double pass(Batch batch, float weight, long seed) {
        beforePass.accept(batch.targets()[0]);
        Random noise = new Random(seed);
        double sum = 0;
        for (Parameter parameter : List.of(matrix, vector)) {
            for (int i = 0; i < parameter.value().size(); i++) {
                float distance = parameter.value().get(i) - batch.targets()[0] + (float) noise.nextGaussian();
                sum += distance * distance / 2 / 100;
                parameter.gradient().set(i, parameter.gradient().get(i) + weight * batch.targetCount() * distance);
            }
        }
        return loss == Double.NEGATIVE_INFINITY ? sum : loss;
    }

    <E extends TrainingEvent> List<E> events(Class<E> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    @Override
    public void close() {
        backend.workers().close();
        arena.close();
    }

    /// Names of what is in a folder.
    static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
