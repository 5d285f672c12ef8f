package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.BlockDecoder.Decoded;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/// An archive in a file: its contents at a glance, and any block without those before it.
public final class ArchiveFile implements AutoCloseable {
    private final FileChannel channel;
    private final ArchiveHeader header;
    private final Footer footer;
    private final Index index;
    private final long[] offsets; // of the blocks' headers

    private ArchiveFile(FileChannel channel, ArchiveHeader header, Footer footer, Index index, long[] offsets) {
        this.channel = channel;
        this.header = header;
        this.footer = footer;
        this.index = index;
        this.offsets = offsets;
    }

    /// Reads header, index and footer, which have to fit together; blocks are not looked at.
    ///
    /// @throws ArchiveException when they do not
    public static ArchiveFile open(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        try {
            return open(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static ArchiveFile open(FileChannel channel) throws IOException {
        Source source = new Source(Channels.newInputStream(channel));
        ArchiveHeader header = ArchiveHeader.read(source);
        byte[] copy = header.write();
        long blocksBegin = copy.length;
        byte[] end = endOf(channel, blocksBegin);
        Footer footer = Footer.parse(end);
        long size = channel.size();
        if (footer.archiveLength() != size) {
            throw new ArchiveException(
                    footer.archiveLength() > size ? Reason.TRUNCATED : Reason.CORRUPT,
                    "the archive has %,d bytes and should have %,d".formatted(size, footer.archiveLength()));
        }
        long indexEnd = size - Footer.SIZE - copy.length;
        if (footer.headerLength() != copy.length
                || indexEnd < blocksBegin + Integer.BYTES
                || !Arrays.equals(copy, read(channel, indexEnd, copy.length))) {
            throw new ArchiveException(Reason.CORRUPT, "the header and its copy at the end differ");
        }
        long most = (indexEnd - Integer.BYTES - blocksBegin) / (Integer.BYTES + BlockHeader.SIZE);
        if (footer.blocks() < 0 || footer.blocks() > Math.min(most, Index.MAX_BLOCKS)) {
            throw new ArchiveException(
                    Reason.CORRUPT, "the footer says %,d blocks in %,d bytes".formatted(footer.blocks(), size));
        }
        int indexLength = Integer.BYTES * ((int) footer.blocks() + 1);
        long blocksEnd = indexEnd - indexLength;
        byte[] lengths = read(channel, blocksEnd, indexLength);
        Footer.requireSound(end, header.checksum(), lengths);
        Index index = Index.parse(lengths);
        return new ArchiveFile(channel, header, footer, index, offsets(index, blocksBegin, blocksEnd, header, footer));
    }

    private static byte[] endOf(FileChannel channel, long blocksBegin) throws IOException {
        long begin = channel.size() - Footer.SIZE;
        byte[] end = begin < blocksBegin + Integer.BYTES ? new byte[0] : read(channel, begin, Footer.SIZE);
        if (!Footer.isEnd(end)) {
            throw new ArchiveException(
                    Reason.TRUNCATED,
                    "after %,d bytes the archive does not end as archives do: it is cut short, or something follows it"
                            .formatted(channel.size()));
        }
        return end;
    }

    private static long[] offsets(Index index, long begin, long end, ArchiveHeader header, Footer footer)
            throws ArchiveException {
        long[] offsets = new long[index.size() + 1];
        offsets[0] = begin;
        for (int i = 0; i < index.size(); i++) {
            offsets[i + 1] = offsets[i] + BlockHeader.SIZE + index.codedLength(i);
        }
        long length = footer.plainLength();
        boolean sameLength = length >= 0 && length == header.originalLength().orElse(length);
        long blocks = Math.ceilDiv(length, (long) header.blockSize());
        if (offsets[index.size()] != end || blocks != index.size() || !sameLength) {
            throw new ArchiveException(Reason.CORRUPT, "index, footer and header do not fit together");
        }
        return offsets;
    }

    private static byte[] read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return buffer.array();
    }

    public ArchiveHeader header() {
        return header;
    }

    public Summary summary() {
        return new Summary(footer.plainLength(), footer.archiveLength(), index.size());
    }

    /// SHA-256 of what was compressed, in hexadecimal.
    public String sha256() {
        return HexFormat.of().formatHex(footer.sha256());
    }

    /// How many blocks are stored as they were.
    public long storedBlocks() {
        long stored = 0;
        for (int i = 0; i < index.size(); i++) {
            stored += index.isStored(i) ? 1 : 0;
        }
        return stored;
    }

    /// The plain bytes of one block: those from `number * blockSize` on.
    ///
    /// @param coding what the header asks for
    /// @throws IllegalStateException where the archive is solid: its blocks need all those before them
    /// @throws ArchiveException when the block is damaged
    public byte[] block(int number, Coding coding) throws IOException {
        if (header.solid()) {
            throw new IllegalStateException("the archive is solid: its blocks are read one after another");
        }
        header.requireSame(coding);
        int length = Math.toIntExact(offsets[number + 1] - offsets[number] - BlockHeader.SIZE);
        byte[] begin = read(channel, offsets[number], BlockHeader.SIZE);
        BlockHeader block = BlockHeader.parse(begin, header.checksum(), header.blockSize());
        if (block == null || block.number() != number || block.codedLength() != length) {
            throw new ArchiveException(Reason.CORRUPT, "block %d has a damaged header".formatted(number));
        }
        Block whole = new Block(block, read(channel, offsets[number] + BlockHeader.SIZE, length));
        if (!whole.isIntact()) {
            throw new ArchiveException(Reason.CORRUPT, "block %d does not have its checksum".formatted(number));
        }
        Decoded decoded = new BlockDecoder(coding, false)
                .decode(List.of(whole), Progress.NONE)
                .getFirst();
        if (decoded.damage().isPresent()) {
            throw new ArchiveException(
                    Reason.CORRUPT,
                    "block %d: %s".formatted(number, decoded.damage().get()));
        }
        return decoded.plain();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
