package ai.epitome.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenShardTest {
    private static final TokenTable TABLE = TokenTable.of(new DoubledBytes(600, true));
    private static final String CORPUS = "ab".repeat(32);

    @TempDir
    Path folder;

    private Path write(String name, int[]... documents) throws IOException {
        Path file = folder.resolve(name);
        try (TokenShardWriter writer = new TokenShardWriter(file, TABLE, CORPUS)) {
            for (int[] document : documents) {
                writer.beginDocument();
                writer.write(document);
            }
            writer.finish();
        }
        return file;
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(write("whole", new int[] {1, 2, 3}, new int[] {4, 5}));
        // 112 of header, 5 tokens of 2 bytes padded to 16, 2 documents.
        assertThat(whole).hasSize(112 + 16 + 16);
        for (int size = 0; size < whole.length; size++) {
            Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(whole, size));
            try (Arena arena = Arena.ofConfined()) {
                assertThatThrownBy(() -> TokenShard.open(cut, arena, TABLE.sha256(), CORPUS))
                        .isInstanceOf(CorpusException.class)
                        .hasMessageContaining("cut, byte ");
            }
        }
    }

    @Test
    void everyChangedByteIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(write("whole", new int[] {1, 2, 3}, new int[] {4, 5}));
        for (int at = 0; at < whole.length; at++) {
            byte[] changed = whole.clone();
            changed[at] ^= 4;
            Path file = Files.write(folder.resolve("changed"), changed);
            try (Arena arena = Arena.ofConfined()) {
                assertThatThrownBy(() -> TokenShard.open(file, arena, TABLE.sha256(), CORPUS))
                        .as("byte %d", at)
                        .isInstanceOf(CorpusException.class);
            }
        }
    }

    @Test
    void anotherTokenizerOrCorpusIsRefused() throws IOException {
        Path file = write("shard", new int[] {1});
        try (Arena arena = Arena.ofConfined()) {
            assertThatCode(() -> TokenShard.open(file, arena, TABLE.sha256(), CORPUS))
                    .doesNotThrowAnyException();
            assertThatThrownBy(() -> TokenShard.open(file, arena, "00".repeat(32), CORPUS))
                    .hasMessageContaining("tokenizer");
            assertThatThrownBy(() -> TokenShard.open(file, arena, TABLE.sha256(), "00".repeat(32)))
                    .hasMessageContaining("corpus");
        }
    }

    @Test
    void severalShardsReadAsOne() throws IOException {
        Path a = write("a", new int[] {1, 2, 3}, new int[] {4});
        Path b = write("b", new int[] {5, 6, 7, 8, 9});
        Path c = write("c", new int[] {10, 11}, new int[] {12, 599});
        try (TokenShards shards = TokenShards.open(List.of(a, b, c), TABLE, CORPUS)) {
            assertThat(shards.tokens()).isEqualTo(13);
            assertThat(shards.documents()).isEqualTo(5);
            for (int from = 0; from <= 13; from++) {
                for (int count = 0; from + count <= 13; count++) {
                    int[] read = shards.read(from, count);
                    for (int i = 0; i < count; i++) {
                        assertThat(read[i]).isEqualTo(from + i == 12 ? 599 : from + i + 1);
                    }
                }
            }
            assertThat(new long[] {0, 3, 4, 9, 11, 12})
                    .containsExactly(
                            LongStream.range(0, 6).map(shards::documentStart).toArray());
            assertThat(shards.bytes()).isEqualTo(12);
        }
    }

    @FuzzTest
    void headersOfAnyBytesAreReadOrRefused(byte[] bytes) throws IOException {
        byte[] file = Arrays.copyOf(bytes, Math.max(bytes.length, 8));
        // Past the magic number lies the interesting part.
        if (bytes.length > 8 && bytes[0] % 2 == 0) {
            System.arraycopy(TokenShard.MAGIC.getBytes(), 0, file, 0, 8);
        }
        MemorySegment segment = MemorySegment.ofArray(file);
        try {
            TokenShard.Header header = TokenShard.readHeader(segment, "fuzz");
            assertThat(header.fileSize()).isEqualTo(segment.byteSize());
            assertThat(header.documentTable()).isBetween((long) TokenShard.HEADER, segment.byteSize());
            assertThat(segment.asSlice(header.documentTable()).toArray(ValueLayout.JAVA_BYTE))
                    .hasSize((int) (8 * header.documents()));
        } catch (CorpusException refused) {
            assertThat(refused).hasMessageContaining("fuzz");
        }
    }
}
