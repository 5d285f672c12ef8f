package ai.epitome.compress.archive;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// Writes an archive in one pass: header, blocks, index, a copy of the header, footer.
///
/// ```java
/// try (Coding coding = ...) {
///     new ArchiveWriter(coding, Layout.inOnePiece(), threads).write(in, OptionalLong.empty(), out, Progress.NONE);
/// }
/// ```
public final class ArchiveWriter {
    /// How an archive is cut into blocks.
    ///
    /// @param solid whether each block goes on from the one before, which compresses better; otherwise each is
    ///     coded on its own: several at a time, read in any order, and a damaged one loses nothing else
    /// @param blockSize bytes
    public record Layout(boolean solid, int blockSize) {
        /// Small, since a block is what is released, and told of, at a time; its header is 0.01 % of it.
        private static final int SOLID_SIZE = 1 << 18;

        public static Layout inOnePiece() {
            return new Layout(true, SOLID_SIZE);
        }

        public static Layout independent(int blockSize) {
            return new Layout(false, blockSize);
        }
    }

    private final Coding coding;
    private final Layout layout;
    private final int threads;

    private final MessageDigest sha256 = ModelHashes.sha256();
    private final Index index = new Index();
    private long plainLength;
    private long archiveLength;

    /// For one archive.
    ///
    /// @param threads for independent blocks, where the coding leaves threads to the archive
    public ArchiveWriter(Coding coding, Layout layout, int threads) {
        this.coding = coding;
        this.layout = layout;
        this.threads = InOrder.threads(coding, layout.solid(), layout.blockSize(), threads);
    }

    /// Compresses all of `in`.
    ///
    /// @param length of it, where it is known
    /// @throws IOException also when `in` has another length than was said
    public Summary write(InputStream in, OptionalLong length, OutputStream out, Progress progress) throws IOException {
        ArchiveHeader header = ArchiveHeader.of(coding, layout.solid(), layout.blockSize(), length);
        int checksum = header.checksum();
        put(out, header.write());
        BlockCodec chain = layout.solid() ? coding.newCodec() : null;
        try (InOrder<List<Block>> blocks = new InOrder<>(threads, coded -> put(out, coded, checksum, progress))) {
            int number = 0;
            for (List<byte[]> group = nextGroup(in); !group.isEmpty(); group = nextGroup(in)) {
                List<byte[]> plain = group;
                int first = number;
                Progress within = blocks.isDirect() ? within(progress) : Progress.NONE;
                blocks.submit(() -> encode(plain, first, chain, within));
                number = Math.addExact(number, group.size());
            }
            blocks.drain();
        }
        if (length.isPresent() && length.getAsLong() != plainLength) {
            throw new IOException("it changed while it was read: %,d bytes, and %,d when it was opened"
                    .formatted(plainLength, length.getAsLong()));
        }
        end(out, header);
        return new Summary(plainLength, archiveLength, index.size());
    }

    private Progress within(Progress progress) {
        return (plain, coded) -> progress.at(plainLength + plain, archiveLength + coded);
    }

    private List<byte[]> nextGroup(InputStream in) throws IOException {
        List<byte[]> group = new ArrayList<>();
        int most = InOrder.group(coding, layout.solid(), layout.blockSize());
        while (group.size() < most) {
            byte[] block = in.readNBytes(layout.blockSize());
            if (block.length == 0) {
                break;
            }
            sha256.update(block);
            group.add(block);
        }
        return group;
    }

    private List<Block> encode(List<byte[]> plain, int first, BlockCodec chain, Progress within) {
        byte[][] blocks = plain.toArray(byte[][]::new);
        byte[][] coded = chain == null ? coding.encode(blocks, within) : new byte[][] {chain.encode(blocks[0])};
        List<Block> result = new ArrayList<>();
        for (int i = 0; i < blocks.length; i++) {
            result.add(Block.of(first + i, blocks[i], coded[i]));
        }
        return result;
    }

    private void put(OutputStream out, List<Block> blocks, int checksum, Progress progress) throws IOException {
        for (Block block : blocks) {
            put(out, block.header().write(checksum));
            put(out, block.coded());
            index.add(block.header());
            plainLength += block.header().plainLength();
        }
        progress.at(plainLength, archiveLength);
    }

    private void end(OutputStream out, ArchiveHeader header) throws IOException {
        byte[] lengths = index.write();
        byte[] copy = header.write();
        put(out, lengths);
        put(out, copy);
        long whole = archiveLength + Footer.SIZE;
        Footer footer = new Footer(index.size(), plainLength, whole, copy.length, sha256.digest());
        put(out, footer.write(header.checksum(), lengths));
    }

    private void put(OutputStream out, byte[] bytes) throws IOException {
        out.write(bytes);
        archiveLength += bytes.length;
    }
}
