package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// 16 weight rows taken apart, for tiles: rows of bytes, and for each group of channels 16 scales and, where the format
/// has them, 16 least values, f32. Rows that do not exist are zeros.
final class BlockPanel {
    /// Between rows, so that rows of a power of two do not lie in the same sets of the first-level cache.
    private static final int APART = 64;

    private BlockRows row = new BlockRows(0);
    private MemorySegment numbers = MemorySegment.NULL;
    private MemorySegment scales = MemorySegment.NULL;
    private long stride;

    /// Takes apart the rows of a group.
    void read(BlockMatrix.Group group, int columns) {
        if (row.columns() != columns) {
            row = new BlockRows(columns);
        }
        BlockFormat format = group.run().format();
        int groups = columns / format.group();
        stride = columns + APART;
        numbers = reserve(numbers, BlockMatrix.GROUP * stride);
        scales = reserve(scales, 128L * groups);
        int parts = format.hasLeast() ? 2 : 1;
        for (int r = 0; r < BlockMatrix.GROUP; r++) {
            if (r >= group.rows()) {
                numbers.asSlice(r * stride, columns).fill((byte) 0);
                for (int g = 0; g < groups * parts; g++) {
                    scales.set(Tensor.FLOAT, 64L * g + 4 * r, 0);
                }
                continue;
            }
            row.read(
                    format, group.run().data(), group.offset() + r * group.run().stride());
            MemorySegment.copy(row.numbers, 0, numbers, ValueLayout.JAVA_BYTE, r * stride, columns);
            for (int g = 0; g < groups; g++) {
                scales.set(Tensor.FLOAT, 64L * parts * g + 4 * r, row.scales[g]);
            }
            for (int g = 0; g < groups && parts == 2; g++) {
                scales.set(Tensor.FLOAT, 128L * g + 64 + 4 * r, row.least[g]);
            }
        }
    }

    private static MemorySegment reserve(MemorySegment memory, long bytes) {
        return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, 64);
    }

    MemorySegment numbers() {
        return numbers;
    }

    long stride() {
        return stride;
    }

    MemorySegment scales() {
        return scales;
    }
}
