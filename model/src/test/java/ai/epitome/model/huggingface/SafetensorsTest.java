package ai.epitome.model.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("some.safetensors");
    }

    private void writeSome() throws IOException {
        Tensor floats = Tensor.ofFloats(Arena.ofAuto(), new float[] {1, -2, 3.5f, 0, 5, 6}, 2, 3);
        Tensor halves = Tensor.zeros(Arena.ofAuto(), DType.BF16, 3);
        halves.set(new float[] {1, 2, -0.5f});
        Tensor ids = Tensor.ofInts(Arena.ofAuto(), new int[] {7, -8}, 2);
        Tensor scalar = Tensor.ofFloats(Arena.ofAuto(), new float[] {42});
        Tensor nothing = Tensor.zeros(Arena.ofAuto(), DType.F32, 0, 4);
        SafetensorsWriter.write(
                file,
                Map.of("step", "1000", "text", "a \"quoted\" word"),
                List.of(
                        Item.of("halves", halves),
                        Item.of("floats", floats),
                        Item.of("ids", ids),
                        Item.of("scalar", scalar),
                        Item.of("nothing", nothing)));
    }

    @Test
    void everyDtypeAndTheMetadataComeBack() throws IOException {
        writeSome();
        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.metadata()).containsOnly(Map.entry("step", "1000"), Map.entry("text", "a \"quoted\" word"));
            assertThat(read.entries()).containsOnlyKeys("halves", "floats", "ids", "scalar", "nothing");
            assertThat(read.entries().get("floats").shape()).containsExactly(2, 3);
            assertThat(read.entries().get("floats").tensor().toFloats()).containsExactly(1, -2, 3.5f, 0, 5, 6);
            assertThat(read.entries().get("halves").tensor().toFloats()).containsExactly(1, 2, -0.5f);
            assertThat(read.entries().get("ids").tensor().toInts()).containsExactly(7, -8);
            assertThat(read.entries().get("scalar").shape()).isEmpty();
            assertThat(read.entries().get("scalar").tensor().get(0)).isEqualTo(42);
            assertThat(read.entries().get("nothing").tensor().size()).isZero();
        }
    }

    @Test
    void everyTruncationIsNoticed() throws IOException {
        writeSome();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> parse(cut))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(MalformedModelException.class)
                    .hasMessageStartingWith(file + ": ");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | overlap
            {'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[8,12]}} | 12 | gaps
            {'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 8 | belong to no tensor
            {'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | gaps
            {'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8 | needs 12 bytes
            {'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | 8 | damaged or cut short
            {'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}} | 8 | whole numbers of 0 or more
            {'a':{'dtype':'F32','shape':[4294967296,4294967296,4294967296],'data_offsets':[0,8]}} | 8 | largest allowed
            {'a':{'dtype':'F64','shape':[2147483647,2147483647,2147483647],'data_offsets':[0,8]}} | 8 | more than 2^63
            {'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}} | 8 | whole numbers
            {'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}} | 8 | unknown dtype "F33"
            {'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | 8 | no array `shape`
            {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}} | 8 | 3 data_offsets
            {'a':{'shape':[2],'data_offsets':[0,8]}} | 8 | `a.dtype` is missing
            {'a':[2]} | 8 | must be an object
            {'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | Duplicate
            {'__metadata__':{'a':1}} | 0 | must be a string
            {'a':} | 0 | not valid JSON at byte
            []xxx | 0 | expected '{'
            """)
    void brokenHeadersNameTheRule(String header, int bytes, String rule) {
        assertThatThrownBy(() -> parse(file(header.replace('\'', '"'), bytes)))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining(rule);
    }

    @Test
    void hugeHeaderLengthsAreRefusedBeforeAnythingIsAllocated() {
        for (long length : new long[] {Long.MAX_VALUE, -1, 1L << 40, 0, 1}) {
            byte[] bytes = ByteBuffer.allocate(64)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(length)
                    .array();
            assertThatThrownBy(() -> parse(bytes))
                    .isInstanceOf(MalformedModelException.class)
                    .hasMessageContaining("header length at offset 0 is " + Long.toUnsignedString(length));
        }
    }

    @Test
    void deepNestingIsRefused() {
        String header = "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertThatThrownBy(() -> parse(file(header, 0)))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("nesting depth");
    }

    @Test
    void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
        writeSome();
        byte[] before = Files.readAllBytes(file);
        Item broken = new Item("broken", DType.F32, List.of(1), () -> {
            throw new UncheckedIOException(new IOException("No space left on device"));
        });
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(broken)))
                .isInstanceOf(UncheckedIOException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void twoTensorsOfOneNameAreRefused() {
        Item item = Item.of("same", Tensor.zeros(Arena.ofAuto(), DType.F32, 1));
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(item, item)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("`same`");
        assertThat(file).doesNotExist();
    }

    private static byte[] file(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    private Safetensors parse(byte[] bytes) throws IOException {
        return Safetensors.parse(MappedFile.of(file, bytes));
    }
}
