package ai.epitome.compress.archive;

import static ai.epitome.compress.archive.Archives.MIXED;
import static ai.epitome.compress.archive.Archives.TEXT;
import static ai.epitome.compress.archive.Archives.archive;
import static ai.epitome.compress.archive.Archives.failure;
import static ai.epitome.compress.archive.Archives.textWithNoise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.OrderTwoPredictor;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import ai.epitome.compress.archive.Archives.Failure;
import ai.epitome.compress.gpt.SmallCodings;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever happens to an archive is noticed, and wrong bytes are never released.
class DamagedArchiveTest {
    private static final Coding GROUPED = new Archives.Grouped(3, true);
    private static final int HEADER = 28 + 8 + 1 + 4; // of MIXED

    @TempDir
    Path folder;

    private static Codings codings() throws IOException {
        return new Codings(Optional.empty(), 1);
    }

    /// An archive with what is in it.
    private record Sample(String name, byte[] plain, Coding coding, byte[] bytes) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Sample> samples() throws IOException {
        byte[] plain = textWithNoise();
        return Stream.of(
                new Sample("solid", plain, MIXED, archive(plain, MIXED, new Layout(true, 90), 1)),
                new Sample("independent", plain, MIXED, archive(plain, MIXED, Layout.independent(90), 1)),
                new Sample("grouped", plain, GROUPED, archive(plain, GROUPED, Layout.independent(60), 1)),
                new Sample(
                        "of unknown length",
                        plain,
                        MIXED,
                        archive(plain, MIXED, new Layout(true, 90), 1, OptionalLong.empty())),
                trained("trained, bytes", SmallCodings.BYTES),
                trained("trained, pairs", SmallCodings.PAIRS),
                new Sample("empty", new byte[0], MIXED, archive(new byte[0], MIXED, Layout.inOnePiece(), 1)));
    }

    private static Sample trained(String name, Tokenizer tokenizer) throws IOException {
        Coding coding = SmallCodings.coding(tokenizer);
        byte[] plain = Arrays.copyOf(SmallCodings.TEXT, 130);
        System.arraycopy(textWithNoise(), 100, plain, 100, 30);
        byte[] bytes = archive(plain, coding, Layout.independent(50), 1);
        return new Sample(name, plain, coding, bytes);
    }

    @ParameterizedTest
    @MethodSource("samples")
    void everyBit(Sample sample) throws IOException {
        for (int bit = 0; bit < 8 * sample.bytes.length; bit++) {
            byte[] bytes = sample.bytes.clone();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            Failure failure = failure(bytes, sample.coding, 1);
            assertThat(failure).as("bit %d of byte %d", bit % 8, bit / 8).isNotNull();
            assertThat(failure.releasedOnly(sample.plain)).isTrue();
            Reason reason = failure.exception().reason();
            if (bit / 8 < 8) {
                assertThat(reason).isEqualTo(Reason.NOT_AN_ARCHIVE);
            } else {
                assertThat(reason).isIn(Reason.CORRUPT, Reason.TRUNCATED);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void everyTruncation(Sample sample) throws IOException {
        for (int length = 0; length < sample.bytes.length; length++) {
            Failure failure = failure(Arrays.copyOf(sample.bytes, length), sample.coding, 1);
            assertThat(failure).as("%d bytes", length).isNotNull();
            assertThat(failure.exception().reason()).isEqualTo(Reason.TRUNCATED);
            assertThat(failure.exception()).hasMessageStartingWith("TRUNCATED: the archive ends after " + length);
            assertThat(failure.releasedOnly(sample.plain)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void anythingAfterTheEnd(Sample sample) throws IOException {
        for (byte[] more : List.of(new byte[1], new byte[] {'\n'}, sample.bytes)) {
            byte[] bytes = Arrays.copyOf(sample.bytes, sample.bytes.length + more.length);
            System.arraycopy(more, 0, bytes, sample.bytes.length, more.length);
            Failure failure = failure(bytes, sample.coding, 2);
            assertThat(failure.exception().reason()).isEqualTo(Reason.CORRUPT);
            assertThat(failure.exception()).hasMessageContaining("follow the end of the archive, at byte");
        }
    }

    /// What stands at the end is read first where an archive is listed: every change there is noticed as well.
    @ParameterizedTest
    @MethodSource("samples")
    void headerIndexAndFooterOfAListing(Sample sample) throws IOException {
        Path file = folder.resolve("a.epi");
        Files.write(file, sample.bytes);
        int blocks;
        try (ArchiveFile archive = ArchiveFile.open(file)) {
            blocks = (int) archive.summary().blocks();
        }
        int header = sample.bytes[9] & 0xff;
        int indexBegin = sample.bytes.length - Footer.SIZE - header - 4 * (blocks + 1);
        for (int at = 0; at < sample.bytes.length; at = at == header - 1 ? indexBegin : at + 1) {
            byte[] bytes = sample.bytes.clone();
            bytes[at] ^= 4;
            Files.write(file, bytes);
            assertThatThrownBy(() -> ArchiveFile.open(file)).as("byte %d", at).isInstanceOf(ArchiveException.class);
        }
        for (int length = 0; length < sample.bytes.length; length++) {
            Files.write(file, Arrays.copyOf(sample.bytes, length));
            assertThatThrownBy(() -> ArchiveFile.open(file))
                    .isInstanceOf(ArchiveException.class)
                    .hasMessageStartingWith("TRUNCATED: ");
        }
    }

    /// Checksums hold, and the footer says another length than the header, or one that cannot be.
    @Test
    void lengthsOfAListingThatAreWrongOnPurpose() throws IOException {
        for (long length : List.of(TEXT.length - 1L, TEXT.length + 1L)) {
            requireNoListing(archive(TEXT, MIXED, new Layout(true, 1 << 10), 1), length);
        }
        OptionalLong unknown = OptionalLong.empty();
        requireNoListing(archive(new byte[0], MIXED, Layout.inOnePiece(), 1, unknown), -1);
    }

    private void requireNoListing(byte[] bytes, long length) throws IOException {
        int blocks = length < 0 ? 0 : 1;
        int checksum =
                new ArchiveReader(new ByteArrayInputStream(bytes)).header().checksum();
        int indexBegin = bytes.length - Footer.SIZE - HEADER - 4 * (blocks + 1);
        byte[] index = Arrays.copyOfRange(bytes, indexBegin, indexBegin + 4 * (blocks + 1));
        Footer footer = Footer.parse(Arrays.copyOfRange(bytes, bytes.length - Footer.SIZE, bytes.length));
        Footer other = new Footer(blocks, length, bytes.length, HEADER, footer.sha256());
        System.arraycopy(other.write(checksum, index), 0, bytes, bytes.length - Footer.SIZE, Footer.SIZE);
        Path file = Files.write(folder.resolve("a.epi"), bytes);
        assertThatThrownBy(() -> ArchiveFile.open(file))
                .isInstanceOf(ArchiveException.class)
                .hasMessage("CORRUPT: index, footer and header do not fit together");
    }

    /// All blocks before the damage come out, in order, also when several are in flight.
    @Test
    void whatStandsBeforeTheDamageIsReleased() throws IOException {
        byte[] plain = new byte[100_000];
        byte[] bytes = archive(plain, MIXED, Layout.independent(1000), 2);
        byte[] broken = bytes.clone();
        broken[bytes.length - Footer.SIZE - HEADER - 4 * 101 - 1] ^= 1; // the last byte of block 99
        for (int threads : List.of(1, 2, 5)) {
            Failure failure = failure(broken, MIXED, threads);
            assertThat(failure.exception()).hasMessageStartingWith("CORRUPT: block 99 ");
            assertThat(failure.released()).hasSize(99_000);
        }
    }

    /// Blocks of another archive of the same kind are none of this one, even in its place.
    @Test
    void blocksOfAnotherArchive() throws IOException {
        byte[] bytes = archive(TEXT, MIXED, Layout.independent(100), 1);
        byte[] other = archive(Arrays.copyOf(TEXT, TEXT.length - 1), MIXED, Layout.independent(100), 1);
        System.arraycopy(bytes, 0, other, 0, HEADER);
        assertThat(failure(other, MIXED, 1).exception()).hasMessage("CORRUPT: block 0 has a damaged header");
    }

    @Test
    void aPredictorThatPredictsOtherwise() throws IOException {
        byte[] bytes = archive(TEXT, MIXED, Layout.inOnePiece(), 1);
        Supplier<BitPredictor> predictors = () -> {
            OrderTwoPredictor predictor = new OrderTwoPredictor();
            predictor.update(1);
            return predictor;
        };
        Coding other = new MixedCoding(MIXED.method(), predictors, predictors, 0);
        Failure failure = failure(bytes, other, 1);
        assertThat(failure.exception().reason()).isEqualTo(Reason.NUMERICS_MISMATCH);
        assertThat(failure.released()).isEmpty();
    }

    @Test
    void anotherModelOrNone() throws IOException {
        byte[] bytes = archive(TEXT, GROUPED, Layout.independent(100), 1);
        Coding model = new Archives.Grouped(3, true, new ModelHashes("ef".repeat(32), "cd".repeat(32)));
        Coding tokenizer = new Archives.Grouped(3, true, new ModelHashes("ab".repeat(32), "ef".repeat(32)));
        for (Coding other : List.of(model, tokenizer, MIXED)) {
            Failure failure = failure(bytes, other, 1);
            assertThat(failure.exception().reason()).isEqualTo(Reason.MODEL_MISMATCH);
            assertThat(failure.released()).isEmpty();
        }
        assertThat(failure(bytes, model, 1).exception())
                .hasMessageContaining("ef".repeat(32) + ", the one that compressed had " + "ab".repeat(32));
        assertThat(failure(bytes, tokenizer, 1).exception()).hasMessageContaining("tokenizer");
        ArchiveHeader header = new ArchiveReader(new ByteArrayInputStream(bytes)).header();
        assertThatThrownBy(() -> codings().of(header))
                .hasMessageStartingWith("MODEL_MISMATCH: ")
                .hasMessageContaining("-m");
    }

    /// Settings are read like everything else: they may ask for little memory only.
    @Test
    void mixingThatAsksForTooMuchMemory() {
        for (byte[] settings : new byte[][] {{}, {22}, {22, 22, 22}, {25, 24}, {24, 25}, {-1, 20}, {20, 0}}) {
            Method method = new Method(true, false, Optional.empty(), Method.Numerics.INTEGERS, settings);
            ArchiveHeader header = new ArchiveHeader(method, true, 1, OptionalLong.empty(), new byte[8]);
            assertThatThrownBy(() -> codings().of(header))
                    .isInstanceOf(ArchiveException.class)
                    .hasMessageStartingWith("UNSUPPORTED_VERSION: settings ");
        }
    }

    @Test
    void versionsAndMethodsThatDoNotExistYet() throws IOException {
        byte[] bytes = archive(TEXT, MIXED, Layout.inOnePiece(), 1);
        assertThat(reasonWith(bytes, 8, 2)).isEqualTo(Reason.UNSUPPORTED_VERSION);
        assertThat(reasonWith(bytes, 11, 8)).isEqualTo(Reason.UNSUPPORTED_VERSION);
        assertThat(reasonWith(bytes, 12, 3)).isEqualTo(Reason.UNSUPPORTED_VERSION);
        assertThat(reasonWith(bytes, 13, 2)).isEqualTo(Reason.UNSUPPORTED_VERSION);
        assertThat(reasonWith(bytes, 11, 4)).isEqualTo(Reason.CORRUPT); // hashes that are not there
        assertThat(reasonWith(bytes, 17, 0x7f)).isEqualTo(Reason.CORRUPT); // blocks of 2 GB
        assertThat(reasonWith(bytes, 26, 200)).isEqualTo(Reason.CORRUPT); // a probe hash beyond the header
        assertThat(reasonWith(bytes, 35, 200)).isEqualTo(Reason.CORRUPT); // settings likewise
    }

    /// The header is changed on purpose: its checksum holds.
    private static Reason reasonWith(byte[] archive, int at, int value) throws IOException {
        byte[] bytes = archive.clone();
        bytes[at] = (byte) value;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(HEADER - 4, Checksum.of(bytes, HEADER - 4));
        return failure(bytes, MIXED, 1).exception().reason();
    }

    /// Headers promise 64 MB, and nothing follows.
    @Test
    void promisesTakeNoMemory() throws IOException {
        ArchiveHeader header =
                ArchiveHeader.of(MIXED, false, ArchiveHeader.MAX_BLOCK_SIZE, OptionalLong.of(Long.MAX_VALUE));
        BlockHeader block = new BlockHeader(true, 0, ArchiveHeader.MAX_BLOCK_SIZE, ArchiveHeader.MAX_BLOCK_SIZE, 0, 0);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(header.write());
        bytes.write(block.write(header.checksum()));
        bytes.write(1);
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        Failure failure = failure(bytes.toByteArray(), MIXED, 1);
        assertThat(failure.exception().reason()).isEqualTo(Reason.TRUNCATED);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8 << 20);
    }

    /// Block headers and checksums are right, the code is garbage, or means other bytes.
    @Test
    void aCodeThatIsWrongOnPurpose() throws IOException {
        Random random = new Random(1);
        for (boolean solid : List.of(true, false)) {
            for (int length : List.of(0, 1, 50, 999)) {
                byte[] code = new byte[length];
                random.nextBytes(code);
                ArchiveHeader header = ArchiveHeader.of(MIXED, solid, 1 << 20, OptionalLong.empty());
                BlockHeader block = new BlockHeader(false, 0, 1 << 20, length, 5, Checksum.of(code));
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                bytes.write(header.write());
                bytes.write(block.write(header.checksum()));
                bytes.write(code);
                Failure failure = failure(bytes.toByteArray(), MIXED, 1);
                assertThat(failure.exception()).hasMessageStartingWith("CORRUPT: block 0: its ");
                assertThat(failure.released()).isEmpty();
            }
        }
    }

    @Test
    void whatIsNoArchive() throws IOException {
        assertThat(failure("hello world".getBytes(), MIXED, 1).exception().reason())
                .isEqualTo(Reason.NOT_AN_ARCHIVE);
        assertThat(failure(new byte[0], MIXED, 1).exception().reason()).isEqualTo(Reason.TRUNCATED);
        Method later = new Method(true, true, Optional.empty(), Method.Numerics.EXACT, new byte[0]);
        ArchiveHeader header = new ArchiveHeader(later, true, 1, OptionalLong.empty(), new byte[8]);
        assertThatThrownBy(() -> codings().of(header))
                .isInstanceOf(ArchiveException.class)
                .hasMessageContaining("learning + mixed");
    }
}
