package ai.epitome.compress.archive;

import static ai.epitome.compress.archive.Archives.MIXED;
import static ai.epitome.compress.archive.Archives.TEXT;
import static ai.epitome.compress.archive.Archives.archive;
import static ai.epitome.compress.archive.Archives.noise;
import static ai.epitome.compress.archive.Archives.plain;
import static ai.epitome.compress.archive.Archives.textWithNoise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What goes in comes out, whatever it is and however it is cut into blocks.
class ArchiveTest {
    @TempDir
    Path folder;

    static Stream<byte[]> contents() throws IOException {
        return Stream.of(
                new byte[0], new byte[] {'x'}, TEXT, textWithNoise(), noise(1 << 20), new byte[100_000], png(), wav());
    }

    private static byte[] png() throws IOException {
        BufferedImage image = new BufferedImage(120, 80, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 80; y++) {
            for (int x = 0; x < 120; x++) {
                image.setRGB(x, y, x * y * 37 & 0xff | x << 8);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    /// A chord, as samples of 16 bits.
    private static byte[] wav() {
        int samples = 20_000;
        ByteBuffer buffer = ByteBuffer.allocate(44 + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put("RIFF....WAVEfmt ".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
                .position(44);
        for (int i = 0; i < samples; i++) {
            buffer.putShort((short) (9000 * Math.sin(i * 0.05) + 7000 * Math.sin(i * 0.063)));
        }
        return buffer.array();
    }

    static Stream<Layout> layouts() {
        return Stream.of(
                Layout.inOnePiece(), new Layout(true, 1000), Layout.independent(4096), Layout.independent(1 << 20));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void roundTrip(Layout layout) throws IOException {
        for (byte[] content : contents().toList()) {
            for (Coding coding : List.of(MIXED, new StoredCoding())) {
                byte[] packed = archive(content, coding, layout, 2);
                assertThat(plain(packed, coding, 3)).isEqualTo(content);
                assertThat(archive(content, coding, layout, 1)).isEqualTo(packed);
                assertThat(plain(archive(content, coding, layout, 2, OptionalLong.empty()), coding, 1))
                        .isEqualTo(content);
            }
        }
    }

    @Test
    void filesOfTheSharedFolder() throws IOException {
        Path shared = Path.of(System.getProperty("epitome.shared", "")).resolve("data/compression");
        assumeTrue(Files.isDirectory(shared), "no folder " + shared);
        try (Stream<Path> files = Files.list(shared)) {
            for (Path file : files.toList()) {
                byte[] content = Files.readAllBytes(file);
                byte[] packed = archive(content, MIXED, Layout.independent(1 << 18), 2);
                assertThat(plain(packed, MIXED, 2)).isEqualTo(content);
            }
        }
    }

    /// The same archive, whatever the number of blocks in flight.
    @Test
    void groupsOfAnySizeAreTheSameArchive() throws IOException {
        byte[] content = noise(3000);
        Arrays.fill(content, 500, 2700, (byte) 'a');
        Layout layout = Layout.independent(100);
        byte[] packed = archive(content, new Archives.Grouped(7, true), layout, 4);
        for (int group : List.of(1, 4, 100)) {
            Coding coding = new Archives.Grouped(group, group == 4);
            assertThat(archive(content, coding, layout, 2)).isEqualTo(packed);
            assertThat(plain(packed, coding, 2)).isEqualTo(content);
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void whatCannotBeCompressedGrowsByAThousandthAtMost(Layout layout) throws IOException {
        byte[] content = noise(1 << 20);
        int most = layout.blockSize() < 1 << 16 ? content.length / 20 : content.length / 1000;
        assertThat(archive(content, MIXED, layout, 2).length - content.length).isBetween(1, most);
    }

    @Test
    void solidIsSmaller() throws IOException {
        byte[] solid = archive(TEXT, MIXED, new Layout(true, 50), 1);
        byte[] independent = archive(TEXT, MIXED, Layout.independent(50), 1);
        assertThat(solid.length).isLessThan(independent.length);
    }

    @Test
    void anyBlockCanBeReadAlone() throws IOException {
        byte[] content = textWithNoise();
        Path file = Files.write(folder.resolve("a.epi"), archive(content, MIXED, Layout.independent(50), 2));
        try (ArchiveFile archive = ArchiveFile.open(file)) {
            assertThat(archive.summary()).isEqualTo(new Summary(content.length, Files.size(file), 7));
            assertThat(archive.storedBlocks()).isBetween(1L, 6L);
            assertThat(archive.sha256()).hasSize(64);
            for (int block : List.of(6, 0, 3, 2, 5)) {
                byte[] expected = Arrays.copyOfRange(content, 50 * block, Math.min(50 * block + 50, content.length));
                assertThat(archive.block(block, MIXED)).isEqualTo(expected);
            }
        }
        Path solid = Files.write(folder.resolve("s.epi"), archive(content, MIXED, Layout.inOnePiece(), 2));
        try (ArchiveFile archive = ArchiveFile.open(solid)) {
            assertThatThrownBy(() -> archive.block(0, MIXED)).hasMessageContaining("solid");
        }
    }

    @Test
    void whatTheHeaderSaysComesBack() throws IOException {
        Coding coding = new Archives.Grouped(2, false);
        byte[] packed = archive(TEXT, coding, Layout.independent(77), 1);
        ArchiveHeader header = new ArchiveReader(new ByteArrayInputStream(packed)).header();
        assertThat(header.method().model()).isEqualTo(coding.method().model());
        assertThat(header.method().name()).isEqualTo("pretrained");
        assertThat(header.blockSize()).isEqualTo(77);
        assertThat(header.solid()).isFalse();
        assertThat(header.originalLength()).hasValue(TEXT.length);
        ArchiveHeader mixed = new ArchiveReader(
                        new ByteArrayInputStream(archive(TEXT, MIXED, Layout.inOnePiece(), 1, OptionalLong.empty())))
                .header();
        assertThat(mixed.method().name()).isEqualTo("mixed");
        assertThat(mixed.method().settings()).containsExactly(7);
        assertThat(mixed.originalLength()).isEmpty();
        assertThat(mixed.solid()).isTrue();
    }

    @Test
    void aFileThatGrowsWhileItIsReadIsNoArchive() {
        assertThatThrownBy(() -> archive(TEXT, MIXED, Layout.inOnePiece(), 1, OptionalLong.of(3)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("changed while it was read");
    }

    @Test
    void aFullDiskEndsTheWork() throws IOException {
        OutputStream full = new OutputStream() {
            private int left = 200;

            @Override
            public void write(int value) throws IOException {
                if (left-- <= 0) {
                    throw new IOException("no space left");
                }
            }
        };
        byte[] content = noise(100_000);
        byte[] packed = archive(content, MIXED, Layout.independent(1000), 2);
        assertThatThrownBy(() -> new ArchiveWriter(MIXED, Layout.independent(1000), 2)
                        .write(new ByteArrayInputStream(content), OptionalLong.empty(), full, Progress.NONE))
                .hasMessage("no space left");
        assertThatThrownBy(
                        () -> new ArchiveReader(new ByteArrayInputStream(packed)).decode(MIXED, 2, full, Progress.NONE))
                .isInstanceOf(IOException.class);
    }
}
