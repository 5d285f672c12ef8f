package ai.epitome.compress.archive;

import static ai.epitome.compress.archive.Archives.MIXED;

import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.ArchiveWriter.Layout;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// Whatever the bytes are: content, or the format's own exception.
class ArchiveFuzzTest {
    private static final int CHECKED = 37; // header without its checksum

    @FuzzTest
    void anyBytes(byte[] bytes) throws IOException {
        read(bytes);
        listAndRecover(bytes);
    }

    /// Behind a header that is right, where most of the code is.
    @FuzzTest
    void anyBlocks(byte[] bytes) throws IOException {
        byte[] header = ArchiveHeader.of(MIXED, bytes.length % 2 == 0, 1 << 12, OptionalLong.empty())
                .write();
        byte[] archive = ByteBuffer.allocate(header.length + bytes.length)
                .put(header)
                .put(bytes)
                .array();
        read(archive);
        listAndRecover(archive);
    }

    /// Checksums are made to hold, so that what lies behind them is reached.
    @Property(tries = 2000)
    void aValidArchiveWithSomeBytesChanged(
            @ForAll boolean solid,
            @ForAll @Size(min = 1, max = 6) int @IntRange(max = 2000) [] places,
            @ForAll @Size(6) byte @ByteRange(min = 0) [] values)
            throws IOException {
        byte[] bytes = Archives.archive(Archives.textWithNoise(), MIXED, new Layout(solid, 90), 1);
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], bytes.length)] = values[i];
        }
        repair(bytes);
        read(bytes);
        listAndRecover(bytes);
    }

    private static void repair(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int archive = Checksum.of(bytes, CHECKED);
        buffer.putInt(CHECKED, archive);
        for (int at = CHECKED + 4; at <= bytes.length - BlockHeader.SIZE; at++) {
            if (buffer.getInt(at) == BlockHeader.MARKER) {
                int length = buffer.getInt(at + 13);
                int begin = at + BlockHeader.SIZE;
                if (length >= 0 && length <= bytes.length - begin) {
                    buffer.putInt(at + 21, Checksum.of(java.util.Arrays.copyOfRange(bytes, begin, begin + length)));
                }
                byte[] header = java.util.Arrays.copyOfRange(bytes, at, at + 25);
                buffer.putInt(at + 25, Checksum.of(archive, header));
            }
        }
    }

    private static void read(byte[] bytes) throws IOException {
        try {
            new ArchiveReader(new ByteArrayInputStream(bytes))
                    .decode(MIXED, 1, OutputStream.nullOutputStream(), Progress.NONE);
        } catch (ArchiveException expected) {
            if (!expected.getMessage().startsWith(expected.reason() + ": ")) {
                throw new AssertionError("the message does not name the reason", expected);
            }
        }
    }

    private static void listAndRecover(byte[] bytes) throws IOException {
        Path file = Files.createTempFile("fuzzed", ".epi");
        try {
            Files.write(file, bytes);
            try (ArchiveFile archive = ArchiveFile.open(file)) {
                if (archive.summary().archive() != bytes.length) {
                    throw new AssertionError("another length");
                }
            } catch (ArchiveException expected) {
                // one of the two ends
            }
            try (Recovery recovery = new Recovery(file)) {
                long saved = recovery.recover(MIXED, 1, OutputStream.nullOutputStream())
                        .bytes();
                if (saved > 8192L * bytes.length) {
                    throw new AssertionError("%,d bytes of %,d".formatted(saved, bytes.length));
                }
            } catch (ArchiveException expected) {
                // no header, or another probe hash
            }
        } finally {
            Files.delete(file);
        }
    }
}
