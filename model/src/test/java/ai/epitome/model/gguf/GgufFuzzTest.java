package ai.epitome.model.gguf;

import ai.epitome.model.Models;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.MalformedTokenizerException;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/// Whatever the bytes are: a model whose tensors lie inside the file, or the format's own exception.
class GgufFuzzTest {
    private static final byte[] VALID = valid();

    private static byte[] valid() {
        TransformerConfig config = TransformerConfig.ofDepth(1, 3, 2).with(c -> {
            c.width = 4;
            c.heads = 2;
            c.keyValueHeads = 1;
            c.headDimension = 2;
            c.hidden = 3;
            c.queryKeyNorm = false;
            c.position = new Position.Rotary(10_000);
        });
        try (Transformer model = Models.drawn(config)) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F16);
            file.tensor("rope_freqs.weight", BlockFormat.F32, new long[] {1}, new float[] {1});
            return file.build();
        }
    }

    @FuzzTest
    void anyBytes(byte[] bytes) throws IOException {
        read(bytes);
    }

    @Test
    void theValidFileIsRead() throws IOException {
        if (!read(VALID)) {
            throw new AssertionError("refused");
        }
    }

    /// Padding behind the last tensor's bytes is not written, so every cut is a loss.
    @Test
    void aFileThatIsCutAnywhereIsRefused() throws IOException {
        for (int length = 0; length < VALID.length; length++) {
            if (read(Arrays.copyOf(VALID, length))) {
                throw new AssertionError("read with %d of %d bytes".formatted(length, VALID.length));
            }
        }
    }

    @Test
    void aFlippedBitAnywhereDoesNoHarm() throws IOException {
        for (int bit = 0; bit < 8 * VALID.length; bit++) {
            byte[] bytes = VALID.clone();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            read(bytes);
        }
    }

    @Property(tries = 3000)
    void aValidFileWithSomeBytesChanged(@ForAll @Size(min = 1, max = 6) int[] places, @ForAll @Size(6) byte[] values)
            throws IOException {
        byte[] bytes = VALID.clone();
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], bytes.length)] = values[i];
        }
        read(bytes);
    }

    private static boolean read(byte[] bytes) throws IOException {
        try (Gguf read = Gguf.parse(MappedFile.of(Path.of("fuzzed"), bytes))) {
            long total = 0;
            for (Gguf.Entry entry : read.entries().values()) {
                total += entry.data().byteSize();
            }
            if (total > bytes.length) {
                throw new AssertionError("tensors of %d bytes in a file of %d".formatted(total, bytes.length));
            }
            TransformerConfig config = GgufModel.config(read);
            GgufModel.tokenizer(read);
            GgufModel.defaults(read);
            GgufWeights.load(read, config).close();
            return true;
        } catch (MalformedModelException | MalformedTokenizerException expected) {
            if (!expected.getMessage().startsWith("fuzzed: ")) {
                throw new AssertionError("the message does not name the file", expected);
            }
            return false;
        }
    }
}
