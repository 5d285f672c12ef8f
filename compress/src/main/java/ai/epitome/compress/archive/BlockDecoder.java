package ai.epitome.compress.archive;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Turns intact blocks of one archive into plain bytes, and checks those.
final class BlockDecoder {
    /// A block whose plain bytes are right, or what is wrong with it.
    ///
    /// @param plain only where there is no damage
    record Decoded(BlockHeader header, byte[] plain, Optional<String> damage) {}

    private final Coding coding;
    private final BlockCodec chain; // null where blocks are independent

    BlockDecoder(Coding coding, boolean solid) {
        this.coding = coding;
        chain = solid ? coding.newCodec() : null;
    }

    /// Decodes blocks: the next ones of the archive where it is solid.
    ///
    /// @param progress hears of independent blocks while they are decoded
    List<Decoded> decode(List<Block> blocks, Progress progress) {
        if (chain != null) {
            return blocks.stream().map(this::next).toList();
        }
        List<Block> coded =
                blocks.stream().filter(block -> !block.header().stored()).toList();
        byte[][] plain = coded.isEmpty() ? new byte[0][] : decodeGroup(coded, progress);
        List<Decoded> result = new ArrayList<>();
        int taken = 0;
        for (Block block : blocks) {
            result.add(check(block, block.header().stored() ? block.coded() : plain[taken++]));
        }
        return result;
    }

    private byte[][] decodeGroup(List<Block> blocks, Progress progress) {
        try {
            return coding.decode(
                    blocks.stream().map(Block::coded).toArray(byte[][]::new),
                    blocks.stream()
                            .mapToInt(block -> block.header().plainLength())
                            .toArray(),
                    progress);
        } catch (MalformedCodeException e) {
            if (blocks.size() == 1) {
                return new byte[1][];
            }
            byte[][] plain = new byte[blocks.size()][]; // one of them is bad: the others are not lost with it
            Arrays.setAll(plain, i -> decodeGroup(List.of(blocks.get(i)), Progress.NONE)[0]);
            return plain;
        }
    }

    private Decoded next(Block block) {
        if (block.header().stored()) {
            chain.learn(block.coded());
            return check(block, block.coded());
        }
        try {
            return check(block, chain.decode(block.coded(), block.header().plainLength()));
        } catch (MalformedCodeException e) {
            return check(block, null);
        }
    }

    private static Decoded check(Block block, byte[] plain) {
        BlockHeader header = block.header();
        if (plain == null) {
            return new Decoded(header, plain, Optional.of("its code makes no sense"));
        }
        int found = Checksum.of(plain);
        return found == header.plainChecksum() && plain.length == header.plainLength()
                ? new Decoded(header, plain, Optional.empty())
                : new Decoded(
                        header,
                        plain,
                        Optional.of("its bytes have checksum %08x, the archive says %08x"
                                .formatted(found, header.plainChecksum())));
    }
}
