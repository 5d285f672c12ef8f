package ai.epitome.model.export;

import ai.epitome.model.file.AtomicFile;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.file.GgufMetadataWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoubleConsumer;

/// Writes a GGUF file, drawn at [ai.epitome.model.gguf.Gguf], whole or not at all: version 3, the tensors' data in
/// the order of the table and each at a multiple of 32 bytes.
final class GgufWriter {
    private static final int ALIGNMENT = 32;

    /// A tensor of a file.
    ///
    /// @param name in the file
    /// @param format how its numbers are held there
    /// @param weight where they come from
    record Item(String name, BlockFormat format, StoredWeight weight) {
        private long bytes() {
            return format.bytesOf(weight.shape().values());
        }
    }

    private GgufWriter() {}

    /// Replaces `file`.
    ///
    /// @param progress hears which part of all values has been written
    static void write(Path file, GgufMetadataWriter metadata, List<Item> items, DoubleConsumer progress)
            throws IOException {
        ByteBuffer table = table(items);
        byte[] header = metadata.header(items.size());
        long values =
                items.stream().mapToLong(item -> item.weight().shape().values()).sum();
        AtomicFile.write(file, channel -> {
            RowEncoding.write(channel, ByteBuffer.wrap(header));
            RowEncoding.write(channel, table);
            align(channel);
            RowEncoding rows = new RowEncoding(values, progress);
            for (Item item : items) {
                rows.write(channel, item.weight(), item.format());
                align(channel);
            }
        });
    }

    private static ByteBuffer table(List<Item> items) {
        int size = 0;
        for (Item item : items) {
            size += 48 + item.name().getBytes(StandardCharsets.UTF_8).length;
        }
        ByteBuffer table = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        long offset = 0;
        for (Item item : items) {
            byte[] name = item.name().getBytes(StandardCharsets.UTF_8);
            table.putLong(name.length).put(name);
            WeightShapes.Shape shape = item.weight().shape();
            if (shape.vector()) {
                table.putInt(1).putLong(shape.rows());
            } else {
                table.putInt(2).putLong(shape.columns()).putLong(shape.rows());
            }
            table.putInt(item.format().number()).putLong(offset);
            offset += padded(item.bytes());
        }
        return table.flip();
    }

    private static void align(FileChannel channel) throws IOException {
        long at = channel.position();
        RowEncoding.write(channel, ByteBuffer.allocate((int) (padded(at) - at)));
    }

    private static long padded(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
