package ai.epitome.model.transformer;

import ai.epitome.model.transformer.WeightNames.Slice;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/// Low-rank additions to the matrices of a [Transformer] (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language
/// Models"): `W + scale · B · A` in place of each `W` that it targets.
///
/// Targets are the projections that files name, `q_proj` for one, which is some rows of the fused matrix here. See
/// [Transformer#with]. An adapter belongs to the model that it was made for, and shares none of its weights. Its memory
/// goes when nobody can reach it any more: sequences under way keep the adapter that they began with.
public final class Adapter {
    private static final AtomicInteger LAST_NUMBER = new AtomicInteger();

    /// @param rank columns of B
    /// @param alpha `scale = alpha / rank`, or `alpha / sqrt(rank)` where `stabilised`
    /// @param stabilised Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA"
    /// @param dropout probability, of what goes into A in training
    /// @param targets last parts of the projections' names
    public record Settings(int rank, double alpha, boolean stabilised, double dropout, Set<String> targets) {
        public Settings {
            targets = Collections.unmodifiableSet(new TreeSet<>(targets)); // in one order, or checkpoints differ by run
            if (rank < 1 || !(alpha > 0) || !(dropout >= 0 && dropout < 1) || targets.isEmpty()) {
                throw new IllegalArgumentException(
                        "an adapter needs a rank of at least 1, an alpha above 0, a dropout from 0 up to below 1, and targets; not %d, %s, %s and %s"
                                .formatted(rank, alpha, dropout, targets));
            }
        }

        /// An alpha of twice the rank, as is usual.
        public static Settings of(int rank, Set<String> targets) {
            return new Settings(rank, 2.0 * rank, false, 0, targets);
        }

        double scale() {
            return alpha / (stabilised ? Math.sqrt(rank) : rank);
        }
    }

    /// One projection with its addition.
    ///
    /// @param name as files name the projection, without `.weight`
    /// @param weight the parameter that it is part of
    /// @param from first row of it there
    /// @param down A, (rank, in)
    /// @param up B, (rows, rank)
    public record Target(String name, Parameter weight, int from, Parameter down, Parameter up) {}

    private final int number = LAST_NUMBER.incrementAndGet();
    private final Settings settings;
    private final Arena arena = Arena.ofAuto();
    private final List<Target> targets = new ArrayList<>();
    private final Map<Parameter, List<Target>> byWeight = new IdentityHashMap<>();

    /// An adapter of zeros for the targets in `model`.
    ///
    /// @throws IllegalArgumentException if a target is no projection of the model; the message names those that are
    public Adapter(Transformer model, Settings settings) {
        this.settings = settings;
        Set<String> unknown = new TreeSet<>(settings.targets);
        for (Slice slice : projections(model)) {
            String name = slice.name().substring(0, slice.name().length() - ".weight".length());
            String last = last(name);
            if (settings.targets.contains(last)) {
                unknown.remove(last);
                add(name, slice);
            }
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("no projection of this model is called %s; it has %s"
                    .formatted(String.join(", ", unknown), names(model)));
        }
    }

    private void add(String name, Slice slice) {
        int rows = slice.to() - slice.from();
        Parameter down = new Parameter(
                arena, name + ".lora_A.weight", settings.rank, slice.parameter().shape()[1]);
        Parameter up = new Parameter(arena, name + ".lora_B.weight", rows, settings.rank);
        Target target = new Target(name, slice.parameter(), slice.from(), down, up);
        targets.add(target);
        byWeight.computeIfAbsent(slice.parameter(), _ -> new ArrayList<>()).add(target);
    }

    /// A new adapter: A uniform up to `1 / sqrt(in)`, as PEFT draws it, and B zero, so that nothing changes at first.
    public static Adapter create(Transformer model, Settings settings, long seed) {
        Adapter adapter = new Adapter(model, settings);
        SplitMix64 random = new SplitMix64(seed);
        for (int place = 0; place < adapter.targets.size(); place++) {
            Tensor down = adapter.targets.get(place).down.value();
            SplitMix64 own = random.split(place);
            double limit = 1 / Math.sqrt(down.columns());
            for (long i = 0; i < down.size(); i++) {
                down.set(i, (float) ((2 * own.nextDouble() - 1) * limit));
            }
        }
        return adapter;
    }

    /// The names of the projections that adapters of `model` can target.
    public static Set<String> names(Transformer model) {
        Set<String> names = new TreeSet<>();
        for (Slice slice : projections(model)) {
            names.add(last(slice.name().substring(0, slice.name().length() - ".weight".length())));
        }
        return names;
    }

    private static List<Slice> projections(Transformer model) {
        return WeightNames.slices(model).stream()
                .filter(slice -> switch (model.role(slice.parameter())) {
                    case MATRIX, OUTPUT_MATRIX -> true;
                    case EMBEDDING, HEAD, GAIN, BIAS -> false;
                })
                .toList();
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    public Settings settings() {
        return settings;
    }

    /// In the order of the model's files.
    public List<Target> targets() {
        return List.copyOf(targets);
    }

    /// What is trained.
    public List<Parameter> parameters() {
        return targets.stream()
                .flatMap(target -> List.of(target.down, target.up).stream())
                .toList();
    }

    /// The result `y` of a layer with what this adapter adds to it.
    ///
    /// @param weight of the layer
    Tensor add(Tape tape, Tensor y, Tensor x, Parameter weight, Dropout dropout) {
        Tensor sum = y;
        for (Target target : byWeight.getOrDefault(weight, List.of())) {
            Tensor input = x;
            if (tape.recording() && settings.dropout > 0) {
                // Places of the network itself are numbered from 0 on, so the adapter's count downwards.
                long seed = dropout.seedAt(-1 - targets.indexOf(target));
                input = tape.dropout(x, (float) settings.dropout, seed);
            }
            sum = tape.adapt(sum, target.from, input, target.down, target.up, (float) settings.scale());
        }
        return sum;
    }

    /// Adds it to the weights of its model for good. An adapter is merged once, and not used with the model afterwards.
    public void merge() {
        for (Target target : targets) {
            merge(target);
            target.weight.changed();
        }
    }

    private void merge(Target target) {
        Tensor up = target.up.value();
        float[] down = target.down.value().toFloats();
        int columns = target.down.value().columns();
        int rank = settings.rank;
        for (int row = 0; row < up.rows(); row++) {
            double[] sums = new double[columns];
            for (int r = 0; r < rank; r++) {
                double factor = settings.scale() * up.get((long) row * rank + r);
                for (int column = 0; column < columns; column++) {
                    sums[column] += factor * down[r * columns + column];
                }
            }
            Tensor weights = target.weight.value().slice(target.from + row, target.from + row + 1);
            float[] values = weights.toFloats();
            for (int column = 0; column < columns; column++) {
                values[column] = (float) (values[column] + sums[column]);
            }
            Tensor.of(weights.data(), DType.F32, columns).set(values);
        }
    }

    /// Tells it from all other adapters of this process; none is 0.
    public int number() {
        return number;
    }
}
