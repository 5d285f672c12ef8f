package ai.epitome.model.huggingface;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// Whatever the bytes are: a structure whose tensors lie inside the data, or the format's own exception.
class SafetensorsFuzzTest {
    private static final String HEADER = "{\"__metadata__\":{\"a\":\"b\"},\"x\":{\"dtype\":\"F32\",\"shape\":[2,1],"
            + "\"data_offsets\":[0,8]},\"y\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]}}";

    @FuzzTest
    void anyBytes(byte[] bytes) {
        read(bytes);
    }

    @Property(tries = 3000)
    void aValidFileWithSomeBytesChanged(
            @ForAll @Size(min = 1, max = 6) int @IntRange(max = 200) [] places,
            @ForAll @Size(6) byte @ByteRange(min = 0) [] values) {
        byte[] bytes = valid();
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], bytes.length)] = values[i];
        }
        read(bytes);
    }

    private static byte[] valid() {
        byte[] header = HEADER.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[8 + header.length + 12];
        bytes[0] = (byte) header.length;
        System.arraycopy(header, 0, bytes, 8, header.length);
        return bytes;
    }

    private static void read(byte[] bytes) {
        try (MappedFile file = MappedFile.of(Path.of("fuzzed"), bytes);
                Safetensors read = Safetensors.parse(file)) {
            long total = 0;
            for (Safetensors.Entry entry : read.entries().values()) {
                total += entry.data().byteSize();
                entry.data().toArray(ValueLayout.JAVA_BYTE); // throws when outside the memory
            }
            if (total > bytes.length) {
                throw new AssertionError("tensors of %d bytes in a file of %d".formatted(total, bytes.length));
            }
        } catch (MalformedModelException expected) {
            if (!expected.getMessage().startsWith("fuzzed: ")) {
                throw new AssertionError("the message does not name the file", expected);
            }
        }
    }
}
