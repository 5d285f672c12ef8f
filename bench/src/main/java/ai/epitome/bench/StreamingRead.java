package ai.epitome.bench;

import ai.epitome.tensor.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// How fast the threads read memory, one after the other, when that is all they do.
final class StreamingRead {
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
    private static final int STEP = 4 * LONGS.vectorByteSize();
    private static final int PART = 1 << 20;
    private static final int ROUNDS = 12;

    private final Workers workers;

    StreamingRead(Workers workers) {
        this.workers = workers;
    }

    /// The fastest of several passes over `bytes` of memory.
    double bytesPerSecond(long bytes) {
        int parts = (int) Math.max(1, bytes / PART);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate((long) parts * PART, 4096).fill((byte) 1);
            long[] sums = new long[parts * 8];
            double fastest = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long began = System.nanoTime();
                workers.run(parts, (part, _) -> sums[8 * part] += sum(memory, (long) part * PART));
                fastest = Math.max(fastest, 1e9 * parts * PART / (System.nanoTime() - began));
            }
            if (sums[0] == 0) {
                throw new IllegalStateException("nothing was read");
            }
            return fastest;
        }
    }

    private static long sum(MemorySegment memory, long from) {
        LongVector a = LongVector.zero(LONGS);
        LongVector b = a;
        LongVector c = a;
        LongVector d = a;
        int width = LONGS.vectorByteSize();
        for (long at = from; at < from + PART; at += STEP) {
            a = a.add(LongVector.fromMemorySegment(LONGS, memory, at, ByteOrder.nativeOrder()));
            b = b.add(LongVector.fromMemorySegment(LONGS, memory, at + width, ByteOrder.nativeOrder()));
            c = c.add(LongVector.fromMemorySegment(LONGS, memory, at + 2L * width, ByteOrder.nativeOrder()));
            d = d.add(LongVector.fromMemorySegment(LONGS, memory, at + 3L * width, ByteOrder.nativeOrder()));
        }
        return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
    }
}
