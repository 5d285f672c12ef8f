package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.BlockDecoder.Decoded;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads an archive in one pass.
///
/// ```java
/// ArchiveReader reader = new ArchiveReader(in);
/// try (Coding coding = codings.of(reader.header())) {
///     reader.decode(coding, threads, out, Progress.NONE);
/// }
/// ```
///
/// Nothing is released before its block's checksum holds, and everything before the first damage is released. The
/// archive may come from anywhere: memory is bounded by some blocks and by the bytes that are really there.
public final class ArchiveReader {
    private final Source source;
    private final ArchiveHeader header;
    private final int checksum;

    private final Index index = new Index();
    private final MessageDigest sha256 = ModelHashes.sha256();
    private boolean sawShortBlock;
    private boolean sawIndex;
    private long plainLength;

    /// Reads the header.
    public ArchiveReader(InputStream in) throws IOException {
        source = new Source(in);
        header = ArchiveHeader.read(source);
        checksum = header.checksum();
    }

    public ArchiveHeader header() {
        return header;
    }

    /// Decodes all blocks, and checks what follows them. Call it once.
    ///
    /// @param coding what the header asks for
    /// @param out gets whole, checked blocks, in order
    /// @throws ArchiveException when the archive is damaged, not to the end, or longer than it should be
    public Summary decode(Coding coding, int threads, OutputStream out, Progress progress) throws IOException {
        header.requireSame(coding);
        BlockDecoder decoder = new BlockDecoder(coding, header.solid());
        ArchiveException failure = null;
        int used = InOrder.threads(coding, header.solid(), header.blockSize(), threads);
        int most = InOrder.group(coding, header.solid(), header.blockSize());
        try (InOrder<List<Decoded>> blocks = new InOrder<>(used, decoded -> release(decoded, out, progress))) {
            while (failure == null && !sawIndex) {
                List<Block> group = new ArrayList<>();
                try {
                    readGroup(group, most);
                } catch (ArchiveException e) {
                    failure = e; // blocks before it are sound
                }
                if (!group.isEmpty()) {
                    Progress within = blocks.isDirect() ? within(progress, group) : Progress.NONE;
                    blocks.submit(() -> decoder.decode(group, within));
                }
            }
            blocks.drain();
        }
        if (failure != null) {
            throw failure;
        }
        checkEnd();
        return new Summary(plainLength, source.position(), index.size());
    }

    private Progress within(Progress progress, List<Block> group) {
        long before = source.position();
        for (Block block : group) {
            before -= block.coded().length;
        }
        long begin = before;
        return (plain, coded) -> progress.at(plainLength + plain, begin + coded);
    }

    private void readGroup(List<Block> group, int most) throws IOException {
        while (group.size() < most && !sawIndex) {
            byte[] marker = source.exactly(Integer.BYTES, "what follows block " + (index.size() - 1));
            int found = ByteBuffer.wrap(marker).order(ByteOrder.LITTLE_ENDIAN).getInt();
            switch (found) {
                case BlockHeader.MARKER -> group.add(readBlock(marker));
                case Index.MARKER -> sawIndex = true;
                default ->
                    throw new ArchiveException(
                            Reason.CORRUPT,
                            "at byte %,d there is %08x, neither block %d nor the index begins like that"
                                    .formatted(source.position() - Integer.BYTES, found, index.size()));
            }
        }
    }

    private Block readBlock(byte[] marker) throws IOException {
        int number = index.size();
        String name = "block " + number;
        byte[] bytes = Arrays.copyOf(marker, BlockHeader.SIZE);
        byte[] rest = source.exactly(BlockHeader.SIZE - marker.length, name);
        System.arraycopy(rest, 0, bytes, marker.length, rest.length);
        BlockHeader block = BlockHeader.parse(bytes, checksum, header.blockSize());
        if (block == null) {
            throw new ArchiveException(Reason.CORRUPT, name + " has a damaged header");
        }
        if (block.number() != number || sawShortBlock) {
            throw new ArchiveException(
                    Reason.CORRUPT,
                    "block %d stands where %s belongs"
                            .formatted(block.number(), sawShortBlock ? "the index" : "block " + number));
        }
        Block whole = new Block(block, source.exactly(block.codedLength(), name));
        if (!whole.isIntact()) {
            throw new ArchiveException(
                    Reason.CORRUPT,
                    "%s (from byte %,d of the archive) does not have the checksum that it should have"
                            .formatted(name, source.position() - block.codedLength() - BlockHeader.SIZE));
        }
        sawShortBlock = block.plainLength() < header.blockSize();
        index.add(block);
        return whole;
    }

    private void release(List<Decoded> blocks, OutputStream out, Progress progress) throws IOException {
        for (Decoded block : blocks) {
            if (block.damage().isPresent()) {
                throw new ArchiveException(
                        Reason.CORRUPT,
                        "block %d: %s"
                                .formatted(
                                        block.header().number(), block.damage().get()));
            }
            sha256.update(block.plain());
            out.write(block.plain());
            plainLength += block.plain().length;
        }
        progress.at(plainLength, source.position());
    }

    private void checkEnd() throws IOException {
        byte[] expected = index.write();
        byte[] lengths = Arrays.copyOf(expected, expected.length);
        byte[] read = source.exactly(expected.length - Integer.BYTES, "the index");
        System.arraycopy(read, 0, lengths, Integer.BYTES, read.length);
        if (!Arrays.equals(expected, lengths)) {
            throw new ArchiveException(Reason.CORRUPT, "the index does not fit the blocks");
        }
        byte[] copy = header.write();
        if (!Arrays.equals(copy, source.exactly(copy.length, "the copy of the header"))) {
            throw new ArchiveException(Reason.CORRUPT, "the copy of the header at the end is another one");
        }
        byte[] end = source.exactly(Footer.SIZE, "the footer");
        Footer.requireSound(end, checksum, lengths);
        requireSame(Footer.parse(end));
        if (source.atMost(1).length > 0) {
            throw new ArchiveException(
                    Reason.CORRUPT,
                    "bytes follow the end of the archive, at byte %,d".formatted(source.position() - 1));
        }
    }

    private void requireSame(Footer footer) throws ArchiveException {
        requireSame("blocks", index.size(), footer.blocks());
        requireSame("bytes of content", plainLength, footer.plainLength());
        requireSame("bytes of content", plainLength, header.originalLength().orElse(plainLength));
        requireSame("bytes", source.position(), footer.archiveLength());
        requireSame("bytes of header", header.write().length, footer.headerLength());
        if (!Arrays.equals(sha256.digest(), footer.sha256())) {
            throw new ArchiveException(Reason.CORRUPT, "the content does not have the SHA-256 that it should have");
        }
    }

    private static void requireSame(String what, long found, long expected) throws ArchiveException {
        if (found != expected) {
            throw new ArchiveException(
                    Reason.CORRUPT, "the archive has %,d %s and should have %,d".formatted(found, what, expected));
        }
    }
}
