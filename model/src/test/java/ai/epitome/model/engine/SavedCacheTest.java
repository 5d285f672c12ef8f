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
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.InvariantProduct;
import ai.epitome.tensor.KeyValueFormat;
import ai.epitome.tensor.KeyValueMemory;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
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

    private static void read(Path file, KeyValueMemory memory) throws IOException {
        int[] tokens = CacheFile.tokens(file, new byte[32], memory, 257);
        int[] blocks = new int[tokens.length / 16];
        Arrays.setAll(blocks, i -> i);
        memory.reserve(blocks.length - 1);
        CacheFile.read(file, memory, blocks);
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

    /// A beginning that is right, then anything: what is asked for by lengths is never more than there is.
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

    @FuzzTest
    void anyBytes(byte[] bytes) throws IOException {
        Path file = Files.createTempFile("cache", ".fuzzed");
        try (Arena arena = Arena.ofShared()) {
            KeyValueMemory memory = memory(arena);
            byte[] valid = valid(file, memory);
            int at = bytes.length == 0 ? 0 : (bytes[0] & 0xFF) % 70;
            byte[] mixed = Arrays.copyOf(valid, Math.max(at + bytes.length, new Random(at).nextInt(2 * valid.length)));
            System.arraycopy(bytes, 0, mixed, at, bytes.length);
            if (bytes.length % 4 != 0) { // or nothing would be read behind the checksums
                putChecksums(mixed);
            }
            Files.write(file, mixed);
            read(file, memory);
        } catch (MalformedCacheException expected) {
            if (!expected.getMessage().contains("offset ")) {
                throw new AssertionError("the message says no offset", expected);
            }
        } finally {
            Files.delete(file);
        }
    }
}
