package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import ai.epitome.compress.Progress;
import ai.epitome.compress.archive.BlockDecoder.Decoded;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// Saves what is left of a damaged archive: independent blocks wherever they lie; of a solid archive those before the
/// first damage, and stored ones. The header, or its copy at the end, has to be whole.
///
/// Blocks are found by their marker and their header's checksum, at any byte, so that bytes that are missing or that
/// were put in between do no harm either.
public final class Recovery implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Blocks that are lost.
    ///
    /// @param last the last of them, where it is known how many there were
    public record Loss(long first, OptionalLong last) {}

    /// What was saved and what was not.
    ///
    /// @param bytes written
    public record Result(long blocks, long bytes, List<Loss> losses) {}

    /// Coded bytes that may fail their checksum, for each byte of the file. Blocks that lie one in another, as no
    /// damage makes them, would otherwise take a time that grows with the square of the file.
    private static final int IN_VAIN = 4;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment file;
    private final ArchiveHeader header;
    private final int checksum;
    private final OptionalLong total; // of blocks

    private long position;
    private long expected; // number of the next block
    private long inVain; // coded bytes whose checksum did not hold
    private boolean chainBroken;

    private long saved;
    private long bytes;
    private long unsaved; // number of the first block that is neither saved nor counted as lost
    private final List<Loss> losses = new ArrayList<>();

    /// @throws ArchiveException when neither the header nor its copy can be read
    public Recovery(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            header = readHeader(channel);
            checksum = header.checksum();
            total = total(path);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private ArchiveHeader readHeader(FileChannel channel) throws IOException {
        try {
            return ArchiveHeader.read(new Source(Channels.newInputStream(channel)));
        } catch (ArchiveException e) {
            long end = file.byteSize() - Footer.SIZE;
            if (end < 0 || !Footer.isEnd(bytes(end, Footer.SIZE))) {
                throw e;
            }
            long begin = end - Footer.parse(bytes(end, Footer.SIZE)).headerLength();
            if (begin < 0) {
                throw e;
            }
            return ArchiveHeader.read(new Source(Channels.newInputStream(channel.position(begin))));
        }
    }

    private OptionalLong total(Path path) throws IOException {
        if (header.originalLength().isPresent()) {
            long length = header.originalLength().getAsLong();
            return OptionalLong.of(Math.ceilDiv(length, (long) header.blockSize()));
        }
        try (ArchiveFile whole = ArchiveFile.open(path)) {
            return OptionalLong.of(whole.summary().blocks());
        } catch (ArchiveException e) {
            return OptionalLong.empty();
        }
    }

    public ArchiveHeader header() {
        return header;
    }

    /// Writes all blocks that can be saved, in order, without what lies between them. Call it once.
    public Result recover(Coding coding, int threads, OutputStream out) throws IOException {
        header.requireSame(coding);
        BlockDecoder decoder = new BlockDecoder(coding, header.solid());
        BlockDecoder single = new BlockDecoder(coding, false);
        int used = InOrder.threads(coding, header.solid(), header.blockSize(), threads);
        int most = InOrder.group(coding, header.solid(), header.blockSize());
        try (InOrder<List<Decoded>> blocks = new InOrder<>(used, decoded -> release(decoded, out))) {
            for (List<Block> group = nextGroup(most); !group.isEmpty(); group = nextGroup(most)) {
                List<Block> found = group;
                blocks.submit(() -> (chainBroken ? single : decoder).decode(found, Progress.NONE));
            }
            blocks.drain();
        }
        if (total.isEmpty() || total.getAsLong() > unsaved) {
            losses.add(new Loss(unsaved, total.isEmpty() ? total : OptionalLong.of(total.getAsLong() - 1)));
        }
        return new Result(saved, bytes, List.copyOf(losses));
    }

    private List<Block> nextGroup(int most) {
        List<Block> group = new ArrayList<>();
        while (group.size() < most) {
            Block block = nextIntact();
            if (block == null) {
                break;
            }
            chainBroken |= header.solid() && block.header().number() != expected;
            expected = block.header().number() + 1L;
            if (!chainBroken || block.header().stored()) {
                group.add(block);
            }
        }
        return group;
    }

    private Block nextIntact() {
        for (; position <= file.byteSize() - BlockHeader.SIZE; position++) {
            if (file.get(INT, position) == BlockHeader.MARKER) {
                BlockHeader found = BlockHeader.parse(bytes(position, BlockHeader.SIZE), checksum, header.blockSize());
                long begin = position + BlockHeader.SIZE;
                if (found != null && found.number() >= expected && found.codedLength() <= file.byteSize() - begin) {
                    Block block = new Block(found, bytes(begin, found.codedLength()));
                    if (block.isIntact()) {
                        position = begin + found.codedLength();
                        return block;
                    }
                    inVain += found.codedLength();
                    if (inVain > IN_VAIN * file.byteSize()) {
                        return null;
                    }
                }
            }
        }
        return null;
    }

    private byte[] bytes(long from, int length) {
        return file.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private void release(List<Decoded> blocks, OutputStream out) throws IOException {
        for (Decoded block : blocks) {
            long number = block.header().number();
            if (block.damage().isPresent()) {
                chainBroken = header.solid();
                continue;
            }
            if (number > unsaved) {
                losses.add(new Loss(unsaved, OptionalLong.of(number - 1)));
            }
            unsaved = number + 1;
            out.write(block.plain());
            saved++;
            bytes += block.plain().length;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
