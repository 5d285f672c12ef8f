package ai.epitome.tensor.block;

import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A group of weight rows as [BlockPackingCode] reads them: 16 rows of blocks as in the file, or, taken apart in Java,
/// 16 rows of signed bytes, and a packed group in which scales and least values have their places already. Rows that do
/// not exist are zeros.
final class BlockPanel {
    private BlockRows row = new BlockRows(0);
    private MemorySegment rows = MemorySegment.NULL;
    private MemorySegment packed = MemorySegment.NULL;

    /// Room for a packed group, of undefined content.
    MemorySegment reserve(PackedFormat format, int columns, int groups) {
        packed = reserve(packed, groups * format.groupBytes(columns));
        return packed;
    }

    /// Copies 16 rows of blocks; the bytes from one to the next.
    long copy(BlockMatrix.Group group, int columns) {
        BlockMatrix.Run run = group.run();
        long bytes = run.format().bytesOf(columns);
        rows = reserve(rows, BlockMatrix.GROUP * bytes);
        if (run.stride() == bytes) {
            MemorySegment.copy(run.data(), group.offset(), rows, 0, BlockMatrix.GROUP * bytes);
        } else {
            for (int r = 0; r < BlockMatrix.GROUP; r++) {
                MemorySegment.copy(run.data(), group.offset() + r * run.stride(), rows, r * bytes, bytes);
            }
        }
        return bytes;
    }

    /// Takes apart the rows of a group, which [BlockPackingCode] then brings to its place.
    void read(BlockMatrix.Group group, PackedFormat format, int columns) {
        read(group, format, columns, format);
    }

    /// The same for a compact format: numbers as it is expanded, but its own factors in the place of theirs.
    void readCompact(BlockMatrix.Group group, PackedFormat compact, int columns) {
        read(group, compact.expanded(), columns, compact);
    }

    private void read(BlockMatrix.Group group, PackedFormat format, int columns, PackedFormat factors) {
        if (row.columns() != columns) {
            row = new BlockRows(columns);
        }
        rows = reserve(rows, (long) BlockMatrix.GROUP * columns);
        reserve(format, columns, 1);
        BlockMatrix.Run run = group.run();
        for (int r = 0; r < BlockMatrix.GROUP; r++) {
            if (r < group.rows()) {
                row.read(run.format(), run.data(), group.offset() + r * run.stride());
                MemorySegment.copy(row.numbers, 0, rows, ValueLayout.JAVA_BYTE, (long) r * columns, columns);
            } else {
                rows.asSlice((long) r * columns, columns).fill((byte) 0);
            }
            if (factors.isCompact()) {
                writeCompactFactors(factors, r, columns);
            } else {
                writeFactors(format, r, r < group.rows(), columns);
            }
        }
    }

    private void writeFactors(PackedFormat format, int r, boolean exists, int columns) {
        long to = format.numbersBytes() + 4L * r;
        for (int g = 0; g < columns / format.channels(); g++, to += format.blockBytes()) {
            packed.set(Tensor.FLOAT, to, exists ? row.scales[g] : 0);
            if (format.least()) {
                packed.set(Tensor.FLOAT, to + 64, exists ? row.least[g] : 0);
            }
        }
    }

    private void writeCompactFactors(PackedFormat format, int r, int columns) {
        int ofBlock = 32 / format.expanded().channels();
        long at = BlockCompactCode.expandedFactorsAt(format, 0) - format.numbersBytes();
        for (int b = 0; b < columns / 32; b++, at += BlockCompactCode.expandedBytes(format)) {
            int g = b * ofBlock;
            packed.set(Tensor.SHORT, at + format.unitsAt(0) + 2 * r, row.units[g]);
            if (format.least()) {
                packed.set(Tensor.SHORT, at + format.unitsAt(1) + 2 * r, row.leastUnits[g]);
            }
            if (format.hasCodes()) {
                byte second = format.least() ? row.leastCodes[g] : row.codes[g + 1];
                packed.set(ValueLayout.JAVA_BYTE, at + format.numbersBytes() + r, row.codes[g]);
                packed.set(ValueLayout.JAVA_BYTE, at + format.numbersBytes() + 16 + r, second);
            }
        }
    }

    private static MemorySegment reserve(MemorySegment memory, long bytes) {
        return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, 64);
    }

    /// 16 rows, one after the other.
    MemorySegment rows() {
        return rows;
    }
}
