package ai.epitome.tensor.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.GradientCheck;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.format.BlockFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BlockProductTest {
    private static final Workers WORKERS = new Workers(2);

    static Stream<BlockFormat> formats() {
        return Stream.of(BlockFormat.values()).filter(BlockFormat::quantised);
    }

    private static List<BlockProduct> products() {
        List<BlockProduct> products = new ArrayList<>(List.of(new VectorBlockProduct()));
        BlockProduct fastest =
                Backend.of(Backend.Kernels.EXACT, Backend.Precision.F32, 1).blocks();
        if (!(fastest instanceof VectorBlockProduct)) {
            products.add(fastest);
        }
        return products;
    }

    /// Random blocks whose scales are ordinary numbers. The memory ends where they do.
    private static MemorySegment blocks(Arena arena, BlockFormat format, int rows, int columns, Random random) {
        byte[] bytes = new byte[(int) format.bytesOf((long) rows * columns)];
        random.nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += format.blockBytes()) {
            int scale = at + (format == BlockFormat.Q6_K ? 208 : 0);
            putHalf(bytes, scale, (random.nextFloat() - 0.5f) / 64);
            if (format.hasLeast()) {
                putHalf(bytes, at + 2, (random.nextFloat() - 0.5f) / 16);
            }
        }
        MemorySegment memory = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return memory;
    }

    private static void putHalf(byte[] bytes, int at, float value) {
        short half = Float.floatToFloat16(value);
        bytes[at] = (byte) half;
        bytes[at + 1] = (byte) (half >> 8);
    }

    private static BlockMatrix matrix(Arena arena, BlockFormat format, int rows, int columns, Random random) {
        return matrix(arena, format, rows, columns, random, null);
    }

    private static BlockMatrix matrix(
            Arena arena, BlockFormat format, int rows, int columns, Random random, PackedMemory memory) {
        MemorySegment data = blocks(arena, format, rows, columns, random);
        long stride = format.bytesOf(columns);
        return new BlockMatrix(columns, List.of(new BlockMatrix.Run(format, data, 0, stride, rows)), memory);
    }

    private static Tensor activations(Arena arena, DType dtype, int rows, int columns, Random random) {
        Tensor x = Tensor.zeros(arena, dtype, rows, columns);
        for (int i = 0; i < x.size(); i++) {
            x.set(i, (float) random.nextGaussian() * (i / 32 % 5 == 3 ? 0 : 1 + i % 7));
        }
        return x;
    }

    /// The definition, number by number.
    private static float[] naive(Tensor x, BlockMatrix w, Tensor bias) {
        float[] y = new float[x.rows() * w.rows()];
        BlockRows row = new BlockRows(w.columns());
        for (BlockMatrix.Group group : w.groups()) {
            BlockFormat format = group.run().format();
            for (int r = 0; r < group.rows(); r++) {
                row.read(
                        format,
                        group.run().data(),
                        group.offset() + r * group.run().stride());
                for (int t = 0; t < x.rows(); t++) {
                    float sum = bias == null ? 0 : bias.get(group.target() + r);
                    y[t * w.rows() + group.target() + r] = naive(x, t, row, format, sum);
                }
            }
        }
        return y;
    }

    private static float naive(Tensor x, int t, BlockRows row, BlockFormat format, float start) {
        float y = start;
        for (int from = 0; from < x.columns(); from += format.group()) {
            float most = 0;
            for (int i = 0; i < 32; i++) {
                most = Math.max(most, Math.abs(x.get((long) t * x.columns() + from / 32 * 32 + i)));
            }
            long sum = 0;
            long own = 0;
            for (int i = from; i < from + format.group(); i++) {
                float value = x.get((long) t * x.columns() + i);
                long number = most == 0 ? 0 : (long) Math.rint(value * (127 / most));
                own += number;
                sum += number * row.numbers[i];
            }
            y = Math.fma(sum * (most / 127), row.scales[from / format.group()], y);
            if (format.hasLeast()) {
                y = Math.fma(own * (most / 127), row.least[from / format.group()], y);
            }
        }
        return y;
    }

    @ParameterizedTest
    @MethodSource("formats")
    void numbersAndScalesAreTheValues(BlockFormat format) {
        Random random = new Random(5);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = blocks(arena, format, 3, 768, random);
            BlockRows row = new BlockRows(768);
            float[] expected = new float[768];
            for (int r = 0; r < 3; r++) {
                row.read(format, data, r * format.bytesOf(768));
                format.expand(data, r * format.bytesOf(768), 768, expected);
                for (int i = 0; i < 768; i++) {
                    int group = i / format.group();
                    float value = row.scales[group] * row.numbers[i];
                    float found = format.hasLeast() ? value + row.least[group] : value;
                    assertThat(found).as("%d", i).isEqualTo(expected[i] + 0f);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("formats")
    void allProductsAreTheDefinitionToTheBit(BlockFormat format) {
        Random random = new Random(format.number());
        for (int round = 0; round < 24; round++) {
            boolean wide = round % 4 < 2 || round % 8 == 7;
            int columns = format.blockValues() * (1 + random.nextInt(wide ? 1024 / format.blockValues() : 4));
            int rows = round % 3 == 0 ? 16 * (1 + random.nextInt(4)) : 1 + random.nextInt(70);
            int tokens = round % 2 == 0 ? 1 : round % 4 == 1 ? 2 + random.nextInt(7) : 1 + random.nextInt(40);
            try (Arena arena = Arena.ofShared();
                    PackedMemory memory = new PackedMemory(PackedMemory.bytes(format, (long) rows * columns), 1)) {
                BlockMatrix w = matrix(arena, format, rows, columns, random, round % 3 < 2 ? memory : null);
                Tensor x = activations(arena, round % 5 == 0 ? DType.BF16 : DType.F32, tokens, columns, random);
                Tensor bias = round % 4 == 1 ? activations(arena, DType.F32, 1, rows, random) : null;
                float[] expected = naive(x, w, bias);
                for (BlockProduct product : products()) {
                    Tensor y = Tensor.zeros(arena, DType.F32, tokens, rows);
                    product.multiply(x, w, bias, y, WORKERS);
                    assertThat(y.toFloats())
                            .as("%s %dx%dx%d", product, tokens, rows, columns)
                            .isEqualTo(expected);
                    assertThat(multiply(product, x, w, bias, arena)).isEqualTo(expected); // now packed
                    Tensor reduced = Tensor.zeros(arena, DType.BF16, tokens, rows);
                    product.multiply(x, w, bias, reduced, WORKERS);
                    for (int i = 0; i < expected.length; i++) {
                        assertThat(reduced.get(i)).isEqualTo(Float.intBitsToFloat(Bf16.fromFloat(expected[i]) << 16));
                    }
                }
            }
        }
    }

    /// What was packed is read from then on, and not where it came from.
    @ParameterizedTest
    @MethodSource("formats")
    void weightsArePackedOnce(BlockFormat format) {
        Assumptions.assumeTrue(products().size() > 1);
        Random random = new Random(4);
        BlockProduct product = products().getLast();
        try (Arena arena = Arena.ofShared();
                PackedMemory memory = new PackedMemory(PackedMemory.bytes(format, 48 * 768), 1)) {
            MemorySegment data = blocks(arena, format, 48, 768, random);
            BlockMatrix.Run run = new BlockMatrix.Run(format, data, 0, format.bytesOf(768), 48);
            BlockMatrix kept = new BlockMatrix(768, List.of(run), memory);
            BlockMatrix second = new BlockMatrix(768, List.of(run));
            Tensor one = activations(arena, DType.F32, 1, 768, random);
            Tensor many = activations(arena, DType.F32, 19, 768, random);
            float[] expectedOfOne = naive(one, kept, null);
            float[] expectedOfMany = naive(many, kept, null);
            for (int i = 0; i < 2; i++) {
                assertThat(multiply(product, many, kept, null, arena)).isEqualTo(expectedOfMany);
                assertThat(multiply(product, many, second, null, arena)).isEqualTo(expectedOfMany);
            }
            for (int tokens = 2; tokens <= 8; tokens++) { // from what others have left behind
                Tensor few = activations(arena, DType.F32, tokens, 768, random);
                assertThat(multiply(product, few, kept, null, arena)).isEqualTo(naive(few, kept, null));
            }
            data.fill((byte) 0);
            assertThat(multiply(product, one, kept, null, arena)).isEqualTo(expectedOfOne);
            assertThat(multiply(product, many, kept, null, arena)).isEqualTo(expectedOfMany);
            assertThat(multiply(product, one, second, null, arena)).containsOnly(0f);
        }
    }

    private static float[] multiply(BlockProduct product, Tensor x, BlockMatrix w, Tensor bias, Arena arena) {
        Tensor y = Tensor.zeros(arena, DType.F32, x.rows(), w.rows());
        product.multiply(x, w, bias, y, WORKERS);
        return y.toFloats();
    }

    /// Pages of a file leave the process when its weights are packed, and come back when they are read.
    @Test
    void packedWeightsOfAFileStayReadable() throws IOException {
        Random random = new Random(6);
        Path file = Files.createTempFile("weights", ".bin");
        try (Arena arena = Arena.ofShared();
                PackedMemory memory = new PackedMemory(BlockFormat.Q8_0.bytesOf(64 * 2048), 1)) {
            MemorySegment data = blocks(arena, BlockFormat.Q8_0, 64, 2048, random);
            Files.write(file, data.toArray(ValueLayout.JAVA_BYTE));
            MemorySegment mapped;
            try (FileChannel channel = FileChannel.open(file)) {
                mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            }
            long stride = BlockFormat.Q8_0.bytesOf(2048);
            BlockMatrix w = new BlockMatrix(
                    2048, List.of(new BlockMatrix.Run(BlockFormat.Q8_0, mapped, 0, stride, 64)), memory);
            Tensor x = activations(arena, DType.F32, 1, 2048, random);
            for (BlockProduct product : products()) {
                assertThat(multiply(product, x, w, null, arena)).isEqualTo(naive(x, w, null));
                assertThat(multiply(product, x, w, null, arena)).isEqualTo(naive(x, w, null));
            }
            assertThat(mapped.mismatch(data)).isEqualTo(-1);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void machineCodeIsUsedWhereTheProcessorHasTiles() throws IOException {
        Path processor = Path.of("/proc/cpuinfo");
        Assumptions.assumeTrue(
                Files.exists(processor) && Files.readString(processor).contains(" amx_int8"));
        assertThat(Backend.best(1).blocks()).isInstanceOf(AmxBlockProduct.class);
        assertThat(Backend.of(Backend.Kernels.JAVA, Backend.Precision.F32, 1).blocks())
                .isInstanceOf(VectorBlockProduct.class);
    }

    /// As a fused projection has them: several tensors, several formats, rows of heads in two halves.
    @Test
    void runsOfSeveralFormatsAreOneMatrix() {
        Random random = new Random(8);
        int columns = 256;
        try (Arena arena = Arena.ofShared()) {
            long stride = BlockFormat.Q4_0.bytesOf(columns);
            MemorySegment halves = blocks(arena, BlockFormat.Q4_0, 64, columns, random);
            MemorySegment six = blocks(arena, BlockFormat.Q6_K, 20, columns, random);
            MemorySegment eight = blocks(arena, BlockFormat.Q8_0, 37, columns, random);
            BlockMatrix w = new BlockMatrix(
                    columns,
                    List.of(
                            new BlockMatrix.Run(BlockFormat.Q4_0, halves, 0, 2 * stride, 32),
                            new BlockMatrix.Run(BlockFormat.Q4_0, halves, stride, 2 * stride, 32),
                            new BlockMatrix.Run(BlockFormat.Q6_K, six, 0, BlockFormat.Q6_K.bytesOf(columns), 20),
                            new BlockMatrix.Run(BlockFormat.Q8_0, eight, 0, BlockFormat.Q8_0.bytesOf(columns), 37)));
            for (int tokens : new int[] {1, 21}) {
                Tensor x = activations(arena, DType.F32, tokens, columns, random);
                float[] expected = naive(x, w, null);
                for (BlockProduct product : products()) {
                    Tensor y = Tensor.zeros(arena, DType.F32, tokens, w.rows());
                    product.multiply(x, w, null, y, WORKERS);
                    assertThat(y.toFloats()).as("%s", product).isEqualTo(expected);
                }
            }
            float[] row = new float[columns];
            float[] same = new float[columns];
            w.expand(33, row);
            BlockFormat.Q4_0.expand(halves, 3 * stride, columns, same);
            assertThat(row).isEqualTo(same);
            assertThat(w.expand(arena).slice(33, 34).toFloats()).isEqualTo(same);
        }
    }

    /// Packed rows of one format end where those of the next begin.
    @Test
    void packedRunsOfSeveralFormatsLieSideBySide() {
        Random random = new Random(10);
        sideBySide(576, random, BlockFormat.Q4_0, BlockFormat.Q8_0);
        sideBySide(576, random, BlockFormat.Q5_0, BlockFormat.Q4_0, BlockFormat.Q8_0);
        sideBySide(768, random, BlockFormat.Q4_K, BlockFormat.Q4_K, BlockFormat.Q6_K);
        sideBySide(768, random, BlockFormat.Q4_0, BlockFormat.Q6_K, BlockFormat.Q5_K, BlockFormat.Q8_0);
        sideBySide(768, random, BlockFormat.Q5_0, BlockFormat.Q4_1, BlockFormat.Q4_0, BlockFormat.Q6_K);
    }

    private static void sideBySide(int columns, Random random, BlockFormat... formats) {
        for (BlockProduct product : products()) {
            try (Arena arena = Arena.ofShared();
                    PackedMemory memory = new PackedMemory(
                            Stream.of(formats)
                                    .mapToLong(format -> PackedMemory.bytes(format, 32L * columns))
                                    .sum(),
                            1);
                    Workers alone = new Workers(1)) {
                List<BlockMatrix.Run> runs = Stream.of(formats)
                        .map(format -> new BlockMatrix.Run(
                                format, blocks(arena, format, 32, columns, random), 0, format.bytesOf(columns), 32))
                        .toList();
                BlockMatrix w = new BlockMatrix(columns, runs, memory);
                for (int tokens : new int[] {1, 1, 8, 21}) {
                    Tensor x = activations(arena, DType.F32, tokens, columns, random);
                    Tensor y = Tensor.zeros(arena, DType.F32, tokens, w.rows());
                    product.multiply(x, w, null, y, alone);
                    assertThat(y.toFloats())
                            .as("%s, %s, %d tokens", product, List.of(formats), tokens)
                            .isEqualTo(naive(x, w, null));
                }
            }
        }
    }

    /// Half a unit of 127 for each activation is all that is lost.
    @Test
    void productsAreCloseToThoseOfExpandedWeights() {
        Random random = new Random(9);
        try (Arena arena = Arena.ofShared()) {
            BlockMatrix w = matrix(arena, BlockFormat.Q5_K, 32, 512, random);
            Tensor x = activations(arena, DType.F32, 3, 512, random);
            Tensor expanded = w.expand(arena);
            float[] found = naive(x, w, null);
            for (int t = 0; t < 3; t++) {
                for (int r = 0; r < 32; r++) {
                    double expected = 0;
                    double size = 0;
                    for (int i = 0; i < 512; i++) {
                        double product = x.get(t * 512 + i) * (double) expanded.get(r * 512 + i);
                        expected += product;
                        size += product * product;
                    }
                    assertThat((double) found[t * 32 + r]).isCloseTo(expected, within(0.03 * Math.sqrt(size)));
                }
            }
        }
    }

    /// In tiles of tokens and pairs of blocks, and of single tokens; from weights as they come, and packed ones.
    @ParameterizedTest
    @MethodSource("formats")
    void whatIsNotANumberStaysWhereItIs(BlockFormat format) {
        Random random = new Random(10);
        try (Arena arena = Arena.ofShared();
                PackedMemory memory = new PackedMemory(PackedMemory.bytes(format, 16 * 512), 1)) {
            BlockMatrix w = matrix(arena, format, 16, 512, random, memory);
            Tensor x = activations(arena, DType.F32, 3, 512, random);
            x.set(512 + 40, Float.NaN);
            x.set(1024 + 7, Float.POSITIVE_INFINITY);
            for (BlockProduct product : products()) {
                for (int time = 0; time < 2; time++) {
                    float[] y = multiply(product, x, w, null, arena);
                    for (int t = 0; t < 3; t++) {
                        float[] alone = multiply(product, x.slice(t, t + 1), w, null, arena);
                        assertThat(Arrays.equals(alone, 0, 16, y, 16 * t, 16 * t + 16))
                                .isTrue(); // NaN, too
                        for (int i = 0; i < 16; i++) {
                            assertThat(Float.isFinite(y[16 * t + i])).isEqualTo(t == 0);
                            assertThat(Float.isNaN(y[16 * t + i])).isEqualTo(t > 0);
                        }
                    }
                }
            }
        }
    }

    @Test
    void rowsOutsideOfTheirMemoryAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(18 * 4 * 10 - 1);
            assertThatThrownBy(
                            () -> new BlockMatrix(128, List.of(new BlockMatrix.Run(BlockFormat.Q4_0, data, 0, 72, 10))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("10 rows of 72 bytes, 72 apart from offset 0 on, in memory of 719 bytes");
            assertThatThrownBy(
                            () -> new BlockMatrix(100, List.of(new BlockMatrix.Run(BlockFormat.Q4_0, data, 0, 72, 1))))
                    .hasMessage("rows of 100 values are no whole blocks of Q4_0");
        }
    }

    /// The way back leads through the expanded weights: of a layer, of one behind another, and of the last one with its
    /// losses, in both ways that these are made.
    @ParameterizedTest
    @MethodSource("formats")
    void gradientsOfWhatIsReadAreThoseOfTheExpandedWeights(BlockFormat format) {
        int[] targets = {3, -1, 0, 2};
        float[] weights = {0.5f, 0.25f, 1, 2};
        try (Arena arena = Arena.ofShared();
                StepArena steps = new StepArena()) {
            Parameter quantised = new Parameter(arena, "w", 40, 256);
            quantised.placed(matrix(arena, format, 40, 256, new Random(11)));
            Parameter expanded = new Parameter(arena, "w", 40, 256).trainable(false);
            expanded.value().set(quantised.toFloats());
            Parameter x = GradientCheck.parameter(12, 4, 256);
            Backend backend = GradientCheck.backend();
            List<BiFunction<Tape, Parameter, Tensor>> operations = List.of(
                    (tape, w) -> tape.weightedSum(tape.linear(tape.parameter(x), w), slopes(160)),
                    (tape, w) -> tape.weightedSum(tape.tokenLosses(tape.parameter(x), w, targets), weights),
                    (tape, w) -> tape.weightedSum(tape.tokenLosses(tape.parameter(x), w, targets, weights), weights));
            for (BiFunction<Tape, Parameter, Tensor> operation : operations) {
                float[] found = gradient(operation, quantised, x, backend, steps);
                float[] reference = gradient(operation, expanded, x, backend, steps);
                double difference = 0;
                double size = 0;
                for (int i = 0; i < found.length; i++) {
                    difference += Math.pow(found[i] - reference[i], 2);
                    size += Math.pow(reference[i], 2);
                }
                assertThat(size).isPositive();
                // Losses are of logits that activations of 8 bits gave.
                assertThat(Math.sqrt(difference / size)).isLessThan(0.02);
            }
            float[] straight = gradient(operations.getFirst(), quantised, x, backend, steps);
            assertThat(straight).isEqualTo(gradient(operations.getFirst(), expanded, x, backend, steps));
            backend.workers().close();
        }
    }

    private static float[] slopes(int count) {
        float[] slopes = new float[count];
        for (int i = 0; i < count; i++) {
            slopes[i] = i % 7 - 3;
        }
        return slopes;
    }

    private static float[] gradient(
            BiFunction<Tape, Parameter, Tensor> operation, Parameter w, Parameter x, Backend backend, StepArena steps) {
        x.zeroGradient();
        steps.reset();
        Tape tape = new Tape(backend, steps, true);
        tape.backward(operation.apply(tape, w));
        return x.gradient().toFloats();
    }

    @Test
    void quantisedWeightsAreNotTrained() {
        Arena arena = Arena.ofShared();
        BlockMatrix w = matrix(arena, BlockFormat.Q8_0, 8, 32, new Random(1));
        Parameter parameter = new Parameter(arena, "w", 8, 32);
        parameter.placed(w);
        assertThat(parameter.trainable()).isFalse();
        assertThatThrownBy(() -> parameter.trainable(true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "w is quantised, and quantised weights cannot be trained: train an adapter, or start from a model in f32 or bf16");
        assertThat(parameter.toFloats()).isEqualTo(parameter.value().toFloats());
        Tensor x = activations(arena, DType.F32, 2, 32, new Random(1));
        arena.close();
        for (BlockProduct product : products()) {
            assertThatThrownBy(() -> product.multiply(x, w, null, x, WORKERS))
                    .isInstanceOf(IllegalStateException.class);
        }
    }
}
