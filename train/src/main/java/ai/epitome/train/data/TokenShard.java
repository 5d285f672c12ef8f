package ai.epitome.train.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// One memory-mapped file of tokens. All numbers are little-endian.
///
/// ```
/// offset            bytes
///      0                8  magic "EPITOKEN"
///      8                4  version, 1
///     12                4  width of a token: 2 or 4 bytes (2 where the vocabulary has at most 65,536 tokens)
///     16                8  n, number of tokens
///     24                8  d, number of documents that begin in this file
///     32                8  bytes of text that the tokens stand for
///     40                4  CRC-32C of the bytes from 112 on, then of 0 .. 39, then of 44 .. 111
///     44                4  end-of-text token, -1 for none
///     48               32  SHA-256 that identifies the tokenizer
///     80               32  SHA-256 of the corpus and the held-out rule
///    112      n x width, p  tokens; zeros up to a multiple of 8
///  112+p            8 x d  for each document the index (in this file) of its first token, ascending
/// ```
final class TokenShard {
    static final String MAGIC = "EPITOKEN";
    static final int VERSION = 1;
    static final int HEADER = 112;

    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// The fixed part at the beginning of the file.
    record Header(
            int width,
            long tokens,
            long documents,
            long bytes,
            int checksum,
            int endOfText,
            String tokenizer,
            String corpus) {
        long documentTable() {
            return HEADER + (tokens * width + 7) / 8 * 8;
        }

        long fileSize() {
            return documentTable() + 8 * documents;
        }
    }

    private final Header header;
    private final MemorySegment file;

    private TokenShard(Header header, MemorySegment file) {
        this.header = header;
        this.file = file;
    }

    /// Maps a whole, unharmed shard of the given tokenizer and corpus.
    ///
    /// @throws CorpusException if the file is truncated, damaged, or made from something else
    static TokenShard open(Path path, Arena arena, String tokenizer, String corpus) throws IOException {
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        Header header = readHeader(file, path.toString());
        expect(path, 48, "the tokenizer", tokenizer, header.tokenizer);
        expect(path, 80, "the corpus", corpus, header.corpus);
        int checksum = checksum(file);
        expect(path, 40, "the checksum", Integer.toHexString(header.checksum), Integer.toHexString(checksum));
        return new TokenShard(header, file);
    }

    /// Reads and checks the header against the size of the file.
    ///
    /// @throws CorpusException with the offset, what was expected there and what was found
    static Header readHeader(MemorySegment file, String name) throws CorpusException {
        if (file.byteSize() < HEADER) {
            throw damaged(name, file.byteSize(), "the file ends inside its header of " + HEADER + " bytes");
        }
        String magic = new String(file.asSlice(0, 8).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
        if (!magic.equals(MAGIC)) {
            throw damaged(name, 0, "expected \"" + MAGIC + "\", found something else: not a token shard");
        }
        int version = file.get(U32, 8);
        if (version != VERSION) {
            throw damaged(name, 8, "expected version " + VERSION + ", found " + version);
        }
        Header header = new Header(
                file.get(U32, 12),
                file.get(U64, 16),
                file.get(U64, 24),
                file.get(U64, 32),
                file.get(U32, 40),
                file.get(U32, 44),
                HexFormat.of().formatHex(file.asSlice(48, 32).toArray(ValueLayout.JAVA_BYTE)),
                HexFormat.of().formatHex(file.asSlice(80, 32).toArray(ValueLayout.JAVA_BYTE)));
        if (header.width != 2 && header.width != 4) {
            throw damaged(name, 12, "expected a token width of 2 or 4 bytes, found " + header.width);
        }
        requireCount(name, 16, "tokens", header.tokens, file.byteSize() / header.width);
        requireCount(name, 24, "documents", header.documents, Math.min(header.tokens, file.byteSize() / 8));
        requireCount(name, 32, "bytes of text", header.bytes, Long.MAX_VALUE);
        if (header.fileSize() != file.byteSize()) {
            throw damaged(
                    name,
                    file.byteSize(),
                    "%,d tokens and %,d documents take %,d bytes, the file has %,d: truncated, or written over"
                            .formatted(header.tokens, header.documents, header.fileSize(), file.byteSize()));
        }
        return header;
    }

    private static int checksum(MemorySegment file) {
        CRC32C crc = new CRC32C();
        long chunk = 1 << 30;
        for (long at = HEADER; at < file.byteSize(); at += chunk) {
            crc.update(file.asSlice(at, Math.min(chunk, file.byteSize() - at)).asByteBuffer());
        }
        crc.update(file.asSlice(0, 40).asByteBuffer());
        crc.update(file.asSlice(44, HEADER - 44).asByteBuffer());
        return (int) crc.getValue();
    }

    Header header() {
        return header;
    }

    long tokens() {
        return header.tokens;
    }

    /// Copies `count` tokens from index `from` on.
    void read(long from, int count, int[] target, int offset) {
        if (header.width == 4) {
            MemorySegment.copy(file, U32, HEADER + 4 * from, target, offset, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            target[offset + i] = Short.toUnsignedInt(file.get(U16, HEADER + 2 * (from + i)));
        }
    }

    /// The index in this file at which a document begins.
    long documentStart(long document) {
        return file.get(U64, header.documentTable() + 8 * document);
    }

    private static void requireCount(String name, long offset, String what, long count, long most)
            throws CorpusException {
        if (count < 0 || count > most) {
            throw damaged(name, offset, "expected at most %,d %s, found %,d".formatted(most, what, count));
        }
    }

    private static void expect(Path path, long offset, String what, String expected, String found)
            throws CorpusException {
        if (!expected.equals(found)) {
            throw damaged(path.toString(), offset, "%s: expected %s, found %s".formatted(what, expected, found));
        }
    }

    private static CorpusException damaged(String name, long offset, String what) {
        return new CorpusException(
                "token shard " + name + ", byte " + offset + ": " + what + "; delete it to have it made again");
    }
}
