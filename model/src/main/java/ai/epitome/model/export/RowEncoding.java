package ai.epitome.model.export;

import ai.epitome.tensor.format.BlockEncoder;
import ai.epitome.tensor.format.BlockFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/// Writes weights row by row in some format, encoded on all processors: a few pieces of some megabytes are in memory
/// at a time, whatever the size of a tensor.
final class RowEncoding {
    /// Values that one processor encodes at a time.
    private static final int PIECE = 1 << 18;

    private final DoubleConsumer progress;
    private final double total;
    private final int processors = Runtime.getRuntime().availableProcessors();
    private long done;

    /// @param values that will be written, of all weights
    /// @param progress hears which part of them has been
    RowEncoding(long values, DoubleConsumer progress) {
        this.total = values;
        this.progress = progress;
    }

    /// Appends a weight to the file.
    ///
    /// @param format whose blocks fill its rows
    void write(FileChannel channel, StoredWeight weight, BlockFormat format) throws IOException {
        int columns = weight.shape().columns();
        int rows = Math.min(weight.shape().rows(), Math.max(1, PIECE / columns));
        int pieces = (weight.shape().rows() + rows - 1) / rows;
        long bytes = format.bytesOf((long) rows * columns);
        try (Arena arena = Arena.ofShared()) {
            int atOnce = Math.min(pieces, 2 * processors);
            MemorySegment memory = arena.allocate(atOnce * bytes, 64);
            for (int first = 0; first < pieces; first += atOnce) {
                int from = first * rows;
                int to = (int) Math.min(weight.shape().rows(), (long) from + (long) atOnce * rows);
                AtomicReference<RuntimeException> failure = new AtomicReference<>();
                IntStream.range(0, atOnce).parallel().forEach(piece -> {
                    int begin = from + piece * rows;
                    try {
                        encode(weight, format, begin, Math.min(begin + rows, to), memory, piece * bytes);
                    } catch (RuntimeException e) {
                        failure.set(e); // which a stream would wrap
                    }
                });
                if (failure.get() != null) {
                    throw failure.get();
                }
                long values = (long) (to - from) * columns;
                write(channel, memory.asSlice(0, format.bytesOf(values)).asByteBuffer());
                done += values;
                progress.accept(done / total);
            }
        }
    }

    private static void read(StoredWeight weight, int row, float[] values) {
        try {
            weight.source().read(row, values);
        } catch (InternalError e) { // what reading a page of a mapping gives when it is gone
            throw new UncheckedIOException(new IOException(
                    "tensor `%s`, row %d, can no longer be read: was its file cut meanwhile?"
                            .formatted(weight.name(), row),
                    e));
        }
    }

    private static void encode(
            StoredWeight weight, BlockFormat format, int from, int to, MemorySegment target, long offset) {
        int columns = weight.shape().columns();
        float[] values = new float[columns];
        for (int row = from; row < to; row++) {
            read(weight, row, values);
            try {
                BlockEncoder.encode(
                        format, values, columns, target, offset + format.bytesOf((long) (row - from) * columns));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "tensor `%s`, row %d, cannot be written as %s: %s"
                                .formatted(weight.name(), row, format, e.getMessage()),
                        e);
            }
        }
    }

    static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
