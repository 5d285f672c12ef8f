package ai.epitome.tensor.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.AttentionShape;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.VectorProduct;
import ai.epitome.tensor.block.AmxBlockProduct;
import ai.epitome.tensor.block.BlockProduct;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class CachedAttentionTest {
    private static final int LAYERS = 2;
    private static final int LAYER = 1;

    /// What is computed: heads, key-value heads, channels, window, tokens of each sequence.
    private record Case(int heads, int keyHeads, int dimension, int window, int... lengths) {
        int columns() {
            return (heads + 2 * keyHeads) * dimension;
        }

        AttentionShape shape(int length) {
            return new AttentionShape(1, length, length, length, heads, keyHeads, dimension, window);
        }
    }

    static List<Case> cases() {
        return List.of(
                new Case(4, 2, 8, Integer.MAX_VALUE, 5, 40, 1, 17),
                new Case(3, 1, 64, Integer.MAX_VALUE, 300, 33),
                new Case(2, 2, 6, 7, 50, 90),
                new Case(5, 5, 20, 270, 600, 20),
                new Case(2, 1, 16, 601, 1200));
    }

    /// Rows of one sequence that have not been read yet.
    private static final class Sequence {
        final float[][] rows;
        final int[] blocks;
        int read;

        Sequence(float[][] rows, int[] blocks) {
            this.rows = rows;
            this.blocks = blocks;
        }
    }

    /// Reads the sequences together in chunks of random sizes up to `most`, and gives each sequence's results.
    private static float[][] read(
            Backend backend, KeyValueFormat format, Case wanted, float[][][] rows, int most, long seed) {
        Random random = new Random(seed);
        int total = Arrays.stream(wanted.lengths).map(n -> n / 16 + 1).sum();
        List<Integer> numbers =
                new ArrayList<>(IntStream.range(0, total).boxed().toList());
        Collections.shuffle(numbers, random);
        float[][] results = new float[rows.length][];
        List<Sequence> sequences = new ArrayList<>();
        try (Arena arena = Arena.ofShared();
                StepArena step = new StepArena()) {
            KeyValueMemory memory = new KeyValueMemory(arena, format, LAYERS, wanted.keyHeads, wanted.dimension, total);
            memory.reserve(total - 1);
            for (int block = 0; block < total; block++) {
                memory.block(LAYER, block).fill((byte) 0xFF); // NaN
            }
            for (int s = 0; s < rows.length; s++) {
                int[] blocks = new int[rows[s].length / 16 + 1];
                Arrays.setAll(blocks, _ -> numbers.removeFirst());
                sequences.add(new Sequence(rows[s], blocks));
                results[s] = new float[rows[s].length * wanted.heads * wanted.dimension];
            }
            while (sequences.stream().anyMatch(s -> s.read < s.rows.length)) {
                step.reset();
                pass(new Tape(backend, step, false), memory, wanted, sequences, results, most, random);
            }
        }
        return results;
    }

    private static void pass(
            Tape tape,
            KeyValueMemory memory,
            Case wanted,
            List<Sequence> sequences,
            float[][] results,
            int most,
            Random random) {
        List<CachedRows> parts = new ArrayList<>();
        List<Sequence> owners = new ArrayList<>();
        List<float[]> values = new ArrayList<>();
        for (Sequence sequence : sequences) {
            int count = Math.min(random.nextInt(most + 1), sequence.rows.length - sequence.read);
            if (count > 0) {
                parts.add(new CachedRows(values.size(), count, sequence.read, sequence.blocks));
                owners.add(sequence);
                values.addAll(Arrays.asList(sequence.rows).subList(sequence.read, sequence.read + count));
                sequence.read += count;
            }
        }
        if (parts.isEmpty()) {
            return;
        }
        Tensor fused = tape.arena().allocate(tape.backend().compute(), values.size(), wanted.columns());
        for (int i = 0; i < values.size(); i++) {
            for (int c = 0; c < wanted.columns(); c++) {
                fused.set((long) i * wanted.columns() + c, values.get(i)[c]);
            }
        }
        Tensor found = tape.attention(fused, memory, LAYER, wanted.window, parts);
        int width = wanted.heads * wanted.dimension;
        for (int p = 0; p < parts.size(); p++) {
            CachedRows part = parts.get(p);
            float[] numbers = found.slice(part.row(), part.row() + part.count()).toFloats();
            System.arraycopy(
                    numbers, 0, results[sequences.indexOf(owners.get(p))], part.position() * width, numbers.length);
        }
    }

    private static float[][][] rows(Case wanted, long seed) {
        Random random = new Random(seed);
        return Arrays.stream(wanted.lengths)
                .mapToObj(length -> Stream.generate(() -> {
                            float[] row = new float[wanted.columns()];
                            for (int i = 0; i < row.length; i++) {
                                row[i] = Math.round(random.nextGaussian() * 32) / 64f; // exact in bf16
                            }
                            return row;
                        })
                        .limit(length)
                        .toArray(float[][]::new))
                .toArray(float[][][]::new);
    }

    /// Of a sequence as a whole, without blocks.
    private static float[] whole(Backend backend, Case wanted, float[][] rows) {
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, false);
            Tensor fused = tape.arena().allocate(DType.F32, rows.length, wanted.columns());
            for (int i = 0; i < rows.length; i++) {
                fused.slice(i, i + 1).set(rows[i]);
            }
            return tape.attention(fused, wanted.shape(rows.length), null).toFloats();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void blocksGiveWhatTheWholeGives(Case wanted) {
        float[][][] rows = rows(wanted, 1);
        try (Workers workers = new Workers(2)) {
            Backend f32 = new Backend(new VectorProduct(), workers, DType.F32);
            Backend bf16 = new Backend(new VectorProduct(), workers, DType.BF16);
            float[][] expected = Arrays.stream(rows)
                    .map(sequence -> whole(f32, wanted, sequence))
                    .toArray(float[][]::new);
            for (int most : new int[] {1, 9, 300}) {
                assertClose(read(f32, KeyValueFormat.F32, wanted, rows, most, most), expected, 1e-5f);
                assertClose(read(f32, KeyValueFormat.BF16, wanted, rows, most, most), expected, 1e-5f);
                assertClose(read(f32, KeyValueFormat.F16, wanted, rows, most, most), expected, 1e-5f);
                assertClose(read(bf16, KeyValueFormat.BF16, wanted, rows, most, most), expected, 0.02f);
                assertClose(read(bf16, KeyValueFormat.F16, wanted, rows, most, most), expected, 0.02f);
                assertClose(read(f32, KeyValueFormat.Q8, wanted, rows, most, most), expected, 0.02f);
                assertClose(read(bf16, KeyValueFormat.Q8, wanted, rows, most, most), expected, 0.03f);
            }
        }
    }

    /// Machine code rounds where Java does: the same bits, scores far apart and NaN among them.
    @ParameterizedTest
    @EnumSource
    void machineCodeHasTheBitsOfJava(KeyValueFormat format) {
        BlockProduct blocks = Backend.best(1).blocks();
        assumeTrue(blocks instanceof AmxBlockProduct, "no machine code runs here");
        List<Case> cases = List.of(
                new Case(3, 1, 64, Integer.MAX_VALUE, 5, 1, 290),
                new Case(10, 2, 128, 33, 70, 31),
                new Case(4, 4, 64, 300, 340),
                new Case(2, 2, 192, 20, 19, 3));
        try (Workers workers = new Workers(2)) {
            Backend java = new Backend(new VectorProduct(), workers, DType.BF16);
            Backend machine = new Backend(new VectorProduct(), blocks, workers, DType.BF16, "");
            for (Case wanted : cases) {
                float[][][] rows = rows(wanted, 4);
                for (float[] row : rows[0]) {
                    row[0] *= 300; // scores far apart
                }
                for (int most : new int[] {1, 7, 40}) {
                    float[][] expected = read(java, format, wanted, rows, most, most);
                    float[][] found = read(machine, format, wanted, rows, most, most);
                    assertThat(found).as("%s, up to %d", wanted, most).isDeepEqualTo(expected);
                }
                Arrays.fill(rows[0][3], Float.NaN);
                float[][] expected = read(java, format, wanted, rows, 1, 1);
                float[][] found = read(machine, format, wanted, rows, 1, 1);
                assertThat(Arrays.deepEquals(found, expected)).isTrue(); // NaN, too
            }
        }
    }

    @Test
    void machineCodeIsUsedWhereTheProcessorHasIt() {
        assumeTrue(Backend.best(1).runsMachineCode() && VectorMath.LANES == 16, "no machine code runs here");
        try (Arena arena = Arena.ofConfined()) {
            KeyValueMemory memory = new KeyValueMemory(arena, KeyValueFormat.BF16, 1, 1, 64, 1);
            assertThat(CachedAttentionRoutines.find(Tensor.zeros(arena, DType.BF16, 1, 192), memory))
                    .isNotNull();
        }
    }

    private static void assertClose(float[][] found, float[][] expected, float tolerance) {
        for (int s = 0; s < found.length; s++) {
            for (int i = 0; i < found[s].length; i++) {
                assertThat(found[s][i]).as("sequence %d, %d", s, i).isCloseTo(expected[s][i], within(tolerance));
            }
        }
    }

    /// Few rows at a time: a row has the same bits whatever is beside it, in parts of any size, on any number of
    /// threads.
    @ParameterizedTest
    @MethodSource("cases")
    void singleQueriesHaveTheSameBitsInAnyCompany(Case wanted) {
        float[][][] rows = rows(wanted, 2);
        try (Workers one = new Workers(1);
                Workers two = new Workers(2)) {
            for (KeyValueFormat format : KeyValueFormat.values()) {
                float[][] expected = read(new Backend(new VectorProduct(), one, DType.F32), format, wanted, rows, 1, 1);
                Backend backend = new Backend(new VectorProduct(), two, DType.F32);
                assertThat(read(backend, format, wanted, rows, CachedAttention.TILED - 1, 2))
                        .isDeepEqualTo(expected);
            }
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> new CachedRows(0, 2, 15, new int[] {3})).hasMessageContaining("in 1 blocks");
        try (Arena arena = Arena.ofShared();
                StepArena step = new StepArena();
                Workers workers = new Workers(1)) {
            KeyValueMemory memory = new KeyValueMemory(arena, KeyValueFormat.F32, 1, 2, 4, 3);
            assertThatThrownBy(() -> memory.reserve(3)).hasMessage("block 3 of 3");
            memory.reserve(0);
            Tape tape = new Tape(new Backend(new VectorProduct(), workers, DType.F32), step, false);
            Tensor fused = tape.arena().allocate(DType.F32, 2, 24);
            assertThatThrownBy(() -> tape.attention(fused, memory, 0, 9, List.of(new CachedRows(1, 1, 0, new int[1]))))
                    .hasMessageContaining("should begin at row 0");
            assertThatThrownBy(() -> tape.attention(fused, memory, 0, 9, List.of(new CachedRows(0, 1, 0, new int[1]))))
                    .hasMessageContaining("have 1 rows");
            Tensor odd = tape.arena().allocate(DType.F32, 2, 28);
            assertThatThrownBy(() -> tape.attention(odd, memory, 0, 9, List.of(new CachedRows(0, 2, 0, new int[1]))))
                    .hasMessageContaining("not made of queries");
        }
    }

    @Test
    void memoryOfATokenIsWhatIsTaken() {
        try (Arena arena = Arena.ofShared()) {
            for (KeyValueFormat format : KeyValueFormat.values()) {
                KeyValueMemory memory = new KeyValueMemory(arena, format, 30, 3, 64, 4);
                memory.reserve(0);
                assertThat(memory.reservedBytes()).isEqualTo(64 * KeyValueMemory.tokenBytes(format, 30, 3, 64));
            }
            assertThat(KeyValueMemory.tokenBytes(KeyValueFormat.BF16, 30, 3, 64))
                    .isEqualTo(KeyValueMemory.tokenBytes(KeyValueFormat.F16, 30, 3, 64))
                    .isEqualTo(23_040);
            assertThat(KeyValueMemory.tokenBytes(KeyValueFormat.Q8, 30, 3, 64)).isEqualTo(12_240);
        }
    }
}
