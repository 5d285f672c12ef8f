package ai.epitome.tensor.attention;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.machine.Assembler;
import ai.epitome.tensor.machine.MachineCode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The routines of [CachedAttentionCode] and what a thread calls them with. They compute the same bits as Java does.
final class CachedAttentionRoutines {
    private static final List<String> FEATURES = List.of("avx512f", "avx512bw");
    private static final int BLOCK = KeyValueMemory.BLOCK;
    private static final Map<KeyValueFormat, Optional<CachedAttentionRoutines>> BY_FORMAT = new ConcurrentHashMap<>();
    private static final int LENGTH =
            (CachedAttentionCode.ENTRIES + CachedAttentionCode.ENTRY * (CachedAttention.SPLIT / BLOCK + 1))
                    / Long.BYTES;

    /// By queries less one, and parts or whole results.
    private final MemorySegment[][] attend = new MemorySegment[CachedAttentionCode.QUERIES][2];
    private final MemorySegment keep;
    private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);

    private CachedAttentionRoutines(KeyValueFormat format) throws IOException {
        MachineCode.requireFeatures(FEATURES);
        if (VectorMath.LANES != BLOCK) {
            throw new IOException("Java adds up %d numbers at a time, not %d".formatted(VectorMath.LANES, BLOCK));
        }
        Assembler code = new Assembler();
        int[] entries = new int[2 * attend.length];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = new CachedAttentionCode(code, format, i / 2 + 1).attend(i % 2 == 1);
        }
        int keepEntry = CachedAttentionCode.keep(code);
        MemorySegment placed = MachineCode.place(code.bytes());
        for (int i = 0; i < entries.length; i++) {
            attend[i / 2][i % 2] = placed.asSlice(entries[i]);
        }
        keep = placed.asSlice(keepEntry);
    }

    /// The routines, where they can run and are for tensors and memory like these; or null.
    static CachedAttentionRoutines find(Tensor fused, KeyValueMemory memory) {
        boolean fits = fused.dtype() == DType.BF16 && memory.dimension() % CachedAttentionCode.CHANNELS == 0;
        return fits
                ? BY_FORMAT
                        .computeIfAbsent(memory.format(), CachedAttentionRoutines::open)
                        .orElse(null)
                : null;
    }

    private static Optional<CachedAttentionRoutines> open(KeyValueFormat format) {
        try {
            return Optional.of(new CachedAttentionRoutines(format));
        } catch (IOException | RuntimeException | LinkageError e) {
            return Optional.empty(); // Java computes the same
        }
    }

    /// Those of the calling thread.
    Caller caller() {
        return callers.get();
    }

    /// What one thread needs.
    final class Caller {
        private final long[] parameters = new long[LENGTH];
        private final MemorySegment block = MemorySegment.ofArray(parameters);
        private MemorySegment memory = MemorySegment.NULL;
        private int dimension;

        /// What all calls for heads of so many channels have in common.
        private void prepare(int channels) {
            if (dimension != channels) {
                dimension = channels;
                memory = CachedAttentionCode.memory(channels);
                put(CachedAttentionCode.MEMORY, memory.address());
                put(CachedAttentionCode.DIMENSION, channels);
                put(CachedAttentionCode.SCALE, Float.floatToRawIntBits((float) (1 / Math.sqrt(channels))));
            }
        }

        /// Keeps a key and a value of bf16 as token `slot` of a block's head.
        void keep(KeyValueMemory cache, long head, int slot, long key, long value) {
            prepare(cache.dimension());
            put(CachedAttentionCode.KEY, key);
            put(CachedAttentionCode.VALUE, value);
            put(CachedAttentionCode.KEY_TARGET, head + 2L * slot);
            put(CachedAttentionCode.VALUE_TARGET, head + cache.values() + 2L * slot * dimension);
            call(keep);
        }

        /// Tokens `low` to `high - 1` of a sequence, which one split has, of one head.
        void see(KeyValueMemory cache, int layer, int[] blocks, int head, int low, int high) {
            prepare(cache.dimension());
            int first = low / BLOCK;
            int last = (high - 1) / BLOCK;
            put(CachedAttentionCode.BLOCKS, last - first + 1);
            int entry = CachedAttentionCode.ENTRIES;
            for (int b = first; b <= last; b++, entry += CachedAttentionCode.ENTRY) {
                int from = Math.max(low - b * BLOCK, 0);
                int to = Math.min(high - b * BLOCK, BLOCK);
                long keys = cache.address(layer, blocks[b], head);
                put(entry, keys);
                long value = keys
                        + cache.values()
                        + (long) from * dimension * cache.format().bytes();
                put(entry + CachedAttentionCode.ENTRY_VALUE, value);
                put(entry + CachedAttentionCode.ENTRY_COUNT, to - from);
                put(entry + CachedAttentionCode.ENTRY_MASK, (1L << to) - (1L << from));
                put(entry + CachedAttentionCode.ENTRY_SCORE, 4L * ((b - first) * BLOCK + from));
                long factors = keys + 2 * cache.values(); // of Q8
                put(entry + CachedAttentionCode.ENTRY_KEY_FACTORS, factors);
                put(entry + CachedAttentionCode.ENTRY_VALUE_FACTOR, factors + 4L * (BLOCK + from));
            }
            put(entry, parameters[(entry - CachedAttentionCode.ENTRY) / Long.BYTES]); // fetched in vain
        }

        /// Attention of `count` queries that follow each other, over what was said to be seen.
        ///
        /// @param result of the first query: bf16, or f32 parts
        /// @param step bytes to the result of the next one
        /// @param whole whether results are complete
        void attend(long queries, int count, long result, long step, boolean whole) {
            for (int done = 0; done < count; done += CachedAttentionCode.QUERIES) {
                int now = Math.min(CachedAttentionCode.QUERIES, count - done);
                put(CachedAttentionCode.QUERY, queries + 2L * done * dimension);
                put(CachedAttentionCode.RESULT, result + done * step);
                put(CachedAttentionCode.RESULT_STEP, step);
                call(attend[now - 1][whole ? 1 : 0]);
            }
        }

        private void call(MemorySegment routine) {
            MachineCode.call(routine, block);
        }

        private void put(int at, long value) {
            parameters[at / Long.BYTES] = value;
        }
    }
}
