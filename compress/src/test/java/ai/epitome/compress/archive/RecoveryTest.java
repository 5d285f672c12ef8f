package ai.epitome.compress.archive;

import static ai.epitome.compress.archive.Archives.MIXED;
import static ai.epitome.compress.archive.Archives.archive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.compress.Coding;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Recovery.Loss;
import ai.epitome.compress.archive.Recovery.Result;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged archives give back what is whole in them.
class RecoveryTest {
    private static final int BLOCK = 100;
    private static final int BLOCKS = 20;
    private static final int MUCH = 4_096;

    @TempDir
    Path folder;

    private byte[] plain;

    private record Recovered(byte[] bytes, Result result) {}

    /// Every block is another text; the last is shorter; block 7 is noise, and stored.
    @BeforeEach
    void fills() {
        plain = new byte[BLOCK * BLOCKS - 30];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = (byte) ('a' + (i / BLOCK + i % 3));
        }
        System.arraycopy(Archives.noise(BLOCK), 0, plain, 7 * BLOCK, BLOCK);
    }

    private byte[] make(boolean solid, OptionalLong length) throws IOException {
        return archive(plain, MIXED, new Layout(solid, BLOCK), 1, length);
    }

    private Recovered recover(byte[] bytes) throws IOException {
        return recover(bytes, MIXED);
    }

    private Recovered recover(byte[] bytes, Coding coding) throws IOException {
        Path file = Files.write(folder.resolve("a.epi"), bytes);
        try (Recovery recovery = new Recovery(file)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            Result result = recovery.recover(coding, 2, out);
            assertThat(result.bytes()).isEqualTo(out.size());
            return new Recovered(out.toByteArray(), result);
        }
    }

    /// Where block `number` begins in an archive.
    private static int begin(byte[] archive, int number) {
        int found = -1;
        for (int at = 0; at < archive.length - 9; at++) {
            if (archive[at] == (byte) 0xeb && archive[at + 1] == 'B' && archive[at + 5] == number) {
                found = at;
                break;
            }
        }
        assertThat(found).isNotNegative();
        return found;
    }

    private byte[] without(int firstBlock, int lastBlock) {
        int to = Math.min(plain.length, BLOCK * (lastBlock + 1));
        byte[] rest = Arrays.copyOf(plain, plain.length - (to - BLOCK * firstBlock));
        System.arraycopy(plain, to, rest, BLOCK * firstBlock, plain.length - to);
        return rest;
    }

    private static Loss loss(long first, long last) {
        return new Loss(first, OptionalLong.of(last));
    }

    @Test
    void aWholeArchiveComesBackWhole() throws IOException {
        for (boolean solid : new boolean[] {true, false}) {
            Recovered recovered = recover(make(solid, OptionalLong.empty()));
            assertThat(recovered.bytes).isEqualTo(plain);
            assertThat(recovered.result).isEqualTo(new Result(BLOCKS, plain.length, java.util.List.of()));
        }
    }

    @Test
    void independentBlocksAroundTheDamage() throws IOException {
        byte[] bytes = make(false, OptionalLong.of(plain.length));
        bytes[begin(bytes, 3) + 40] ^= 1; // coded bytes
        bytes[begin(bytes, 11) + 10] ^= 1; // a header, and the next block's
        bytes[begin(bytes, 12)] ^= 1;
        Recovered recovered = recover(bytes);
        assertThat(recovered.result.losses()).containsExactly(loss(3, 3), loss(11, 12));
        byte[] expected = without(11, 12);
        System.arraycopy(plain, 4 * BLOCK, expected, 3 * BLOCK, 7 * BLOCK);
        System.arraycopy(plain, 13 * BLOCK, expected, 10 * BLOCK, plain.length - 13 * BLOCK);
        assertThat(recovered.bytes).isEqualTo(Arrays.copyOf(expected, plain.length - 3 * BLOCK));
    }

    @Test
    void bytesThatAreMissingOrTooMany() throws IOException {
        byte[] bytes = make(false, OptionalLong.of(plain.length));
        int at = begin(bytes, 5) + 35;
        byte[] shorter = Arrays.copyOf(bytes, bytes.length - 3);
        System.arraycopy(bytes, at + 3, shorter, at, bytes.length - at - 3);
        byte[] longer = Arrays.copyOf(bytes, bytes.length + 7);
        System.arraycopy(bytes, at, longer, at + 7, bytes.length - at);
        for (byte[] broken : new byte[][] {shorter, longer}) {
            Recovered recovered = recover(broken);
            assertThat(recovered.bytes).isEqualTo(without(5, 5));
            assertThat(recovered.result.losses()).containsExactly(loss(5, 5));
        }
    }

    @Test
    void truncated() throws IOException {
        byte[] known = make(false, OptionalLong.of(plain.length));
        Recovered recovered = recover(Arrays.copyOf(known, begin(known, 15) + 31));
        assertThat(recovered.bytes).isEqualTo(Arrays.copyOf(plain, 15 * BLOCK));
        assertThat(recovered.result.losses()).containsExactly(loss(15, BLOCKS - 1));
        byte[] unknown = make(true, OptionalLong.empty());
        recovered = recover(Arrays.copyOf(unknown, begin(unknown, 15) + 31));
        assertThat(recovered.bytes).isEqualTo(Arrays.copyOf(plain, 15 * BLOCK));
        assertThat(recovered.result.losses()).containsExactly(new Loss(15, OptionalLong.empty()));
    }

    @Test
    void ofASolidArchiveWhatComesBeforeTheDamageAndWhatIsStored() throws IOException {
        byte[] bytes = make(true, OptionalLong.empty());
        bytes[begin(bytes, 4) + BlockHeader.SIZE] ^= 1;
        Recovered recovered = recover(bytes);
        byte[] expected = Arrays.copyOf(plain, 5 * BLOCK);
        System.arraycopy(plain, 7 * BLOCK, expected, 4 * BLOCK, BLOCK);
        assertThat(recovered.bytes).isEqualTo(expected);
        assertThat(recovered.result.losses()).containsExactly(loss(4, 6), loss(8, BLOCKS - 1));
    }

    /// An archive that holds an archive: the inner one's blocks are content.
    @Test
    void blocksOfAnArchiveInsideAreNotTaken() throws IOException {
        byte[] inner = make(false, OptionalLong.of(plain.length));
        byte[] bytes = archive(inner, new StoredCoding(), Layout.independent(4096), 1);
        bytes[60] ^= 1;
        Recovered recovered = recover(bytes, new StoredCoding());
        assertThat(recovered.bytes).isEmpty();
    }

    @Test
    void groupsDoNotLoseNeighbours() throws IOException {
        Coding coding = new Archives.Grouped(4, false);
        byte[] bytes = archive(plain, coding, Layout.independent(BLOCK), 1);
        bytes[begin(bytes, 2) + BlockHeader.SIZE] ^= 1;
        Recovered recovered = recover(bytes, coding);
        assertThat(recovered.bytes).isEqualTo(without(2, 2));
    }

    @Test
    void withoutItsBeginningTheHeaderAtTheEndIsTaken() throws IOException {
        byte[] bytes = make(false, OptionalLong.empty());
        byte[] rest = Arrays.copyOfRange(bytes, begin(bytes, 2), bytes.length);
        Recovered recovered = recover(rest);
        assertThat(recovered.bytes).isEqualTo(without(0, 1));
        assertThat(recovered.result.losses().getFirst()).isEqualTo(loss(0, 1));
        Arrays.fill(bytes, 0, begin(bytes, 0) + 1, (byte) 0);
        assertThat(recover(bytes).bytes).isEqualTo(without(0, 0));
    }

    @Test
    void withoutBothHeadersThereIsNothing() throws IOException {
        byte[] bytes = make(false, OptionalLong.empty());
        bytes[20] ^= 1;
        assertThatThrownBy(() -> recover(Arrays.copyOf(bytes, bytes.length - 1)))
                .isInstanceOf(ArchiveException.class)
                .hasMessageContaining("the header has checksum");
        bytes[bytes.length - Footer.SIZE - 20] ^= 1;
        assertThatThrownBy(() -> recover(bytes)).isInstanceOf(ArchiveException.class);
    }

    /// Headers that each claim all that follows: the sum of what they claim grows with the square of the file, so no
    /// more than a few times its length is read in vain.
    @Test
    void blocksOneInAnotherAreGivenUp() throws IOException {
        byte[] bytes = archive(plain, MIXED, Layout.independent(MUCH), 1);
        assertThat(recover(behindNested(bytes, 3)).bytes).isEqualTo(plain);
        assertThat(recover(behindNested(bytes, 2_000)).bytes).isEmpty();
    }

    private static byte[] behindNested(byte[] archive, int headers) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int begin = begin(archive, 0);
        out.write(archive, 0, begin);
        for (int i = 0; i < headers; i++) {
            int claimed = Math.min(MUCH, (headers - i) * BlockHeader.SIZE);
            out.write(new BlockHeader(true, 0, claimed, claimed, 1, 1).write(checksum(archive)));
        }
        out.write(archive, begin, archive.length - begin);
        return out.toByteArray();
    }

    private static int checksum(byte[] archive) throws IOException {
        return ArchiveHeader.read(new Source(new ByteArrayInputStream(archive))).checksum();
    }

    /// After the highest number there is none, and numbers do not begin anew.
    @Test
    void aBlockAfterTheHighestNumberIsNotTaken() throws IOException {
        byte[] one = {'x'};
        byte[] bytes = make(false, OptionalLong.empty());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, begin(bytes, 0));
        for (int number : new int[] {Integer.MAX_VALUE, 0}) {
            out.write(new BlockHeader(true, number, 1, 1, Checksum.of(one), Checksum.of(one)).write(checksum(bytes)));
            out.write(one);
        }
        assertThat(recover(out.toByteArray()).bytes).isEqualTo(one);
    }
}
