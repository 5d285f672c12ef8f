package ai.epitome.tensor.block;

import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.tensor.machine.MachineCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Memory in which products keep quantised weights in the order in which they read them, on huge pages: a model's, in
/// place of the pages of its file. It is taken when a product first wants it, and not at all where the system has too
/// little: then products pack what they read as they go.
///
/// Weights that are read in order from huge pages come at the speed of the memory; from a mapped file, every page's
/// address is looked up first, and rows lie apart.
public final class PackedMemory implements AutoCloseable {
    private static final Path SYSTEM = Path.of("/proc/meminfo");
    private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s*(\\d{1,12}) kB$");
    /// What may not be used up: this and a quarter of what is available.
    private static final long SPARE = 256L << 20;
    private static final long HUGE = 2L << 20;
    private static final long LINE = 64;

    private final long size;
    private long address;
    private long used;
    private boolean closed;

    /// @param bytes as many as will be wanted; none are taken yet
    /// @param matrices of how many matrices
    public PackedMemory(long bytes, int matrices) {
        size = (bytes + matrices * LINE + HUGE - 1) / HUGE * HUGE;
    }

    /// Bytes that so many weights of a file take in the order of products: as many as in the file, or up to a
    /// quarter more.
    public static long bytes(BlockFormat format, long weights) {
        PackedFormat packed = PackedFormat.of(format, Integer.MAX_VALUE, BlockMatrix.GROUP);
        return weights / (BlockMatrix.GROUP * packed.channels()) * packed.blockBytes();
    }

    /// The address of `bytes` bytes of their own, or 0 where there is no room.
    synchronized long take(long bytes) {
        if (used == 0 && address == 0 && !closed) {
            open();
        }
        if (address == 0 || bytes > size - used) {
            return 0;
        }
        long from = used;
        used = (used + bytes + LINE - 1) / LINE * LINE;
        return address + from;
    }

    private void open() {
        try {
            Matcher matcher = AVAILABLE.matcher(Files.readString(SYSTEM));
            if (matcher.find() && size <= Long.parseLong(matcher.group(1)) * 1024 / 4 * 3 - SPARE) {
                address = MachineCode.mapHuge(size);
            }
        } catch (IOException e) {
            address = 0; // products do without
        }
        used = address == 0 ? size : 0;
    }

    /// Gives the memory back. Matrices that use it must no longer be multiplied.
    @Override
    public synchronized void close() {
        closed = true;
        if (address != 0) {
            MachineCode.unmap(address, size);
            address = 0;
        }
    }
}
