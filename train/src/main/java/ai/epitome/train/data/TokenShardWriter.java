package ai.epitome.train.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// Writes one [TokenShard]. The header goes in last, so a file that was not finished has no magic number.
final class TokenShardWriter implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final TokenTable table;
    private final String corpus;
    private final int width;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    private long tokens;
    private long bytes;
    private long[] documentStarts = new long[64];
    private int documents;

    TokenShardWriter(Path path, TokenTable table, String corpus) throws IOException {
        this.path = path;
        this.table = table;
        this.corpus = corpus;
        this.width = table.vocabularySize() <= 1 << 16 ? 2 : 4;
        this.channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        channel.position(TokenShard.HEADER);
    }

    long tokens() {
        return tokens;
    }

    /// Marks the beginning of a document at the next token.
    void beginDocument() {
        if (documents == documentStarts.length) {
            documentStarts = Arrays.copyOf(documentStarts, 2 * documents);
        }
        documentStarts[documents++] = tokens;
    }

    /// Appends tokens.
    void write(int... ids) throws IOException {
        for (int id : ids) {
            if (buffer.remaining() < 8) {
                drain();
            }
            if (width == 2) {
                buffer.putShort((short) id);
            } else {
                buffer.putInt(id);
            }
            bytes += table.byteLengths()[id];
        }
        tokens += ids.length;
    }

    /// Writes the document table and the header, and forces all of it to the disk.
    void finish() throws IOException {
        int padding = (int) (-tokens * width & 7);
        if (buffer.remaining() < padding) {
            drain();
        }
        buffer.put(new byte[padding]);
        for (int i = 0; i < documents; i++) {
            if (buffer.remaining() < 8) {
                drain();
            }
            buffer.putLong(documentStarts[i]);
        }
        drain();
        ByteBuffer header = header();
        crc.update(header.slice(0, 40));
        crc.update(header.slice(44, TokenShard.HEADER - 44));
        header.putInt(40, (int) crc.getValue());
        channel.position(0);
        writeAll(header);
        channel.force(true);
    }

    private ByteBuffer header() {
        return ByteBuffer.allocate(TokenShard.HEADER)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(TokenShard.MAGIC.getBytes(StandardCharsets.ISO_8859_1))
                .putInt(TokenShard.VERSION)
                .putInt(width)
                .putLong(tokens)
                .putLong(documents)
                .putLong(bytes)
                .putInt(0)
                .putInt(table.endOfText().orElse(-1))
                .put(HexFormat.of().parseHex(table.sha256()))
                .put(HexFormat.of().parseHex(corpus))
                .flip();
    }

    private void drain() throws IOException {
        buffer.flip();
        crc.update(buffer.duplicate());
        writeAll(buffer);
        buffer.clear();
    }

    private void writeAll(ByteBuffer source) throws IOException {
        try {
            while (source.hasRemaining()) {
                channel.write(source);
            }
        } catch (IOException e) {
            throw new CorpusException(
                    "cannot write the token shard %s after %,d tokens: %s; free some disk space (%d bytes a token), or choose another cache folder"
                            .formatted(path, tokens, e.getMessage(), width),
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
