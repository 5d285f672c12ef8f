package ai.epitome.tensor;

import ai.epitome.tensor.machine.MachineCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory on huge pages, where the system has them.
///
/// Products go through matrices tile by tile, and each row of a tile lies on another page: with pages of 4 KB, most
/// of them have to be looked up again.
final class HugePages {
    private static final long SIZE = 2L << 20;

    private HugePages() {}

    /// Zeros that live as long as `arena`: `bytes`, rounded up to whole huge pages, or just those where there are none.
    static MemorySegment allocate(Arena arena, long bytes) {
        long size = (bytes + SIZE - 1) / SIZE * SIZE;
        try {
            return MemorySegment.ofAddress(MachineCode.mapHuge(size))
                    .reinterpret(size, arena, memory -> MachineCode.unmap(memory.address(), size));
        } catch (IOException e) { // other memory does as well
            return arena.allocate(bytes, Tensor.ALIGNMENT);
        }
    }
}
