package ai.epitome.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.Bytes;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.attention.KeyValueMemory;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.InvariantProduct;
import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SavedCacheTest {
    private static final int CONTEXT = 96;
    private static final Transformer MODEL = Models.modern(CONTEXT);
    private static final Backend EXACT = new Backend(new InvariantProduct(), Reference.BACKEND.workers(), DType.F32);
    private static final int[] TEXT = Models.tokens(70, 1);

    @TempDir
    private Path folder;

    private static TextGenerator generator(Transformer model, KeyValueFormat format) {
        EngineLimits limits = EngineLimits.DEFAULT.withCacheBytes(0).withFormat(format);
        return new TextGenerator("small", model, new Bytes(), Set.of(), EXACT, limits);
    }

    private static GenerationResult generate(TextGenerator generator) {
        return generator
                .submit(new GenerationRequest(TEXT, 20, Sampling.ofTemperature(1, 3)))
                .result();
    }

    @ParameterizedTest
    @EnumSource
    void aTextGoesOnAsIfItHadJustBeenRead(KeyValueFormat format) throws IOException {
        Path file = folder.resolve("conversation");
        TextGenerator first = generator(MODEL, format);
        assertThatThrownBy(() -> first.saveCache(TEXT, file)).hasMessageContaining("nothing to keep");
        GenerationResult expected = generate(first);
        assertThat(first.saveCache(TEXT, file)).isEqualTo(64);
        assertThat(first.saveCache(Arrays.copyOf(TEXT, 40), folder.resolve("shorter")))
                .isEqualTo(32);
        TextGenerator second = generator(MODEL, format);
        assertThat(second.loadCache(file)).isEqualTo(64);
        assertThat(second.loadCache(file)).isEqualTo(64); // again: nothing is kept twice
        GenerationResult found = generate(second);
        assertThat(found.text()).isEqualTo(expected.text());
        assertThat(expected.cachedTokens()).isZero();
        assertThat(found.cachedTokens()).isEqualTo(64);
        assertThat(folder).isDirectoryContaining("glob:**/shorter").isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void anotherModelOrFormatIsRefused() throws IOException {
        Path file = folder.resolve("conversation");
        TextGenerator generator = generator(MODEL, KeyValueFormat.F32);
        generate(generator);
        generator.saveCache(TEXT, file);
        assertThatThrownBy(() -> generator(MODEL, KeyValueFormat.Q8).loadCache(file))
                .isInstanceOf(MalformedCacheException.class)
                .hasMessageContaining(
                        "offset 12: format, layers, heads and channels are expected to be [2, 2, 2, 8, 16]");
        try (Transformer other = Models.drawn(MODEL.config())) {
            other.parameters().getLast().value().set(3, 7f);
            assertThatThrownBy(() -> generator(other, KeyValueFormat.F32).loadCache(file))
                    .isInstanceOf(MalformedCacheException.class)
                    .hasMessageContaining("offset 32: made by another model");
        }
        try (Transformer adapted = Models.drawn(MODEL.config())) {
            Adapter adapter = Adapter.create(adapted, Adapter.Settings.of(1, Set.of("q_proj")), 1);
            assertThatThrownBy(() ->
                            generator(adapted.with(adapter), KeyValueFormat.F32).loadCache(file))
                    .hasMessageContaining("offset 32: made by another model");
        }
        try (Transformer changing = Models.drawn(MODEL.config())) {
            TextGenerator learning = generator(changing, KeyValueFormat.F32);
            assertThat(learning.loadCache(file)).isEqualTo(64);
            changing.parameters().getLast().value().set(3, 7f);
            changing.parameters().getLast().changed();
            assertThatThrownBy(() -> learning.loadCache(file)).hasMessageContaining("made by another model");
            assertThat(generate(learning).cachedTokens()).isZero();
        }
    }

    /// A whole file of one block.
    private static byte[] valid(Path file, KeyValueMemory memory) throws IOException {
        memory.reserve(0);
        for (int layer = 0; layer < memory.layers(); layer++) {
            memory.block(layer, 0).fill((byte) (layer + 1));
        }
        CacheFile.write(file, new byte[32], Arrays.copyOf(TEXT, 16), memory, new int[] {0});
        return Files.readAllBytes(file);
    }

    private static int[] read(Path file, KeyValueMemory memory) throws IOException {
        int[] tokens = CacheFile.tokens(file, new byte[32], memory, 257);
        int[] blocks = new int[tokens.length / 16];
        Arrays.setAll(blocks, i -> i);
        memory.reserve(blocks.length - 1);
        CacheFile.read(file, memory, blocks);
        return tokens;
    }

    private static KeyValueMemory memory(Arena arena) {
        return new KeyValueMemory(arena, KeyValueFormat.Q8, 2, 1, 4, 3);
    }

    @Test
    void everyFlippedBitAndEveryMissingByteIsFound() throws IOException {
        Path file = folder.resolve("damaged");
        try (Arena arena = Arena.ofShared()) {
            KeyValueMemory memory = memory(arena);
            byte[] valid = valid(file, memory);
            read(file, memory);
            for (int bit = 0; bit < 8 * valid.length; bit++) {
                valid[bit / 8] ^= (byte) (1 << bit % 8);
                Files.write(file, valid);
                assertThatThrownBy(() -> read(file, memory))
                        .as("bit %d", bit)
                        .isInstanceOf(MalformedCacheException.class)
                        .hasMessageContaining("offset ");
                valid[bit / 8] ^= (byte) (1 << bit % 8);
            }
            for (int length = 0; length < valid.length; length++) {
                Files.write(file, Arrays.copyOf(valid, length));
                assertThatThrownBy(() -> read(file, memory)).isInstanceOf(MalformedCacheException.class);
            }
            Files.write(file, Arrays.copyOf(valid, valid.length + 1));
            assertThatThrownBy(() -> read(file, memory)).isInstanceOf(MalformedCacheException.class);
        }
    }

    /// Makes the checksums what they should be, where the file says they are.
    private static void putChecksums(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        long header = file.length < 68 ? -1 : 68 + 4L * bytes.getInt(64);
        if (header >= 68 && header + 8 <= file.length) {
            bytes.putInt((int) header, checksum(file, 0, (int) header));
            bytes.putInt(file.length - 4, checksum(file, (int) header + 4, file.length - 4));
        }
    }

    private static int checksum(byte[] bytes, int from, int to) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, from, to - from);
        return (int) checksum.getValue();
    }

    /// A whole file that was made once, a memory to read to, and a place for files.
    private record Target(byte[] valid, KeyValueMemory memory, Path file) {
        static final Target ONE = make();

        private static Target make() {
            try {
                Path file = Files.createTempFile("cache", ".fuzzed");
                file.toFile().deleteOnExit();
                KeyValueMemory memory = SavedCacheTest.memory(Arena.ofAuto());
                return new Target(SavedCacheTest.valid(file, memory), memory, file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /// Some bytes of a whole file are replaced. Three times of four the checksums are made right behind that, or
    /// nothing would be read behind them, and as often the file has the length that its number of tokens asks for.
    @FuzzTest(maxDuration = "10m")
    void anyBytes(FuzzedDataProvider data) throws IOException {
        byte[] file = Target.ONE.valid.clone();
        boolean checked = data.consumeByte() % 4 != 0;
        boolean fitted = data.consumeByte() % 4 != 0;
        if (data.consumeBoolean()) {
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(64, data.consumeInt(-1, 80));
        }
        for (int count = data.consumeInt(0, 4); count > 0; count--) {
            byte[] bytes = data.consumeBytes(data.consumeInt(0, 64));
            int at = data.consumeInt(0, file.length - bytes.length);
            System.arraycopy(bytes, 0, file, at, bytes.length);
        }
        file = Arrays.copyOf(file, fitted ? size(file) : data.consumeInt(0, 3 * file.length));
        if (checked) {
            putChecksums(file);
        }
        assertReadOrRefused(file);
    }

    /// What its number of tokens asks for, as far as that is little.
    private static int size(byte[] file) {
        int tokens = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(64);
        long blocks = tokens / 16L * Target.ONE.memory.layers() * Target.ONE.memory.blockBytes();
        return (int) Math.clamp(68 + 4L * tokens + 4 + blocks + 4, 68, 4L * file.length);
    }

    /// What is read is what the file has, byte for byte, and what is refused is told with its place.
    private static void assertReadOrRefused(byte[] bytes) throws IOException {
        Target target = Target.ONE;
        Files.write(target.file, bytes);
        try {
            int[] tokens = read(target.file, target.memory);
            ByteBuffer file =
                    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(68);
            for (int token : tokens) {
                assertThat(file.getInt()).isEqualTo(token).isBetween(0, 256);
            }
            file.position(file.position() + 4);
            for (int block = 0; block < tokens.length / 16; block++) {
                for (int layer = 0; layer < target.memory.layers(); layer++) {
                    byte[] read = target.memory.block(layer, block).toArray(ValueLayout.JAVA_BYTE);
                    byte[] expected = new byte[read.length];
                    file.get(expected);
                    assertThat(read).isEqualTo(expected);
                }
            }
            assertThat(file.remaining()).isEqualTo(4);
        } catch (MalformedCacheException expected) {
            assertThat(expected).hasMessageContaining("offset ");
        }
    }
}
