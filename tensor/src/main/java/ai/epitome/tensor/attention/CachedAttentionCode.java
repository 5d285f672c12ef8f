package ai.epitome.tensor.attention;

import static ai.epitome.tensor.machine.Assembler.R10;
import static ai.epitome.tensor.machine.Assembler.R11;
import static ai.epitome.tensor.machine.Assembler.R12;
import static ai.epitome.tensor.machine.Assembler.R13;
import static ai.epitome.tensor.machine.Assembler.R14;
import static ai.epitome.tensor.machine.Assembler.R15;
import static ai.epitome.tensor.machine.Assembler.R8;
import static ai.epitome.tensor.machine.Assembler.R9;
import static ai.epitome.tensor.machine.Assembler.RAX;
import static ai.epitome.tensor.machine.Assembler.RBP;
import static ai.epitome.tensor.machine.Assembler.RBX;
import static ai.epitome.tensor.machine.Assembler.RCX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.RDX;
import static ai.epitome.tensor.machine.Assembler.RSI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.machine.Assembler;
import ai.epitome.tensor.machine.Assembler.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Machine code for attention of single queries in bf16 over keys and values of any format: routines
/// `void f(long*)` with the parameters below, in AVX-512. Each computes what [CachedAttention] does in Java,
/// operation by operation: the same bits.
///
/// A routine takes a few queries of one row which share a key-value head, and the blocks of one split:
///
/// ```text
/// queries   bf16 -> f32, scaled                                        (Q, D)
/// scores    of each block: 16 keys in the lanes, a chain for each fourth channel
/// softmax   largest score, powers of e, their sum                      (Q, 256)
/// values    64 channels of all queries in registers, over all tokens   (Q, D)
/// ```
///
/// While the scores of a block are computed, its values and the keys of the next block are fetched.
final class CachedAttentionCode {
    /// Queries of a routine at most.
    static final int QUERIES = 4;
    /// Channels whose sums stay in registers: a head has a multiple of them.
    static final int CHANNELS = 64;

    // Parameters, byte offsets into an array of longs. Distances are in bytes.
    static final int QUERY = 0;
    static final int RESULT = 8;
    /// From one query's result to the next one's.
    static final int RESULT_STEP = 16;
    static final int DIMENSION = 24;
    /// What queries are multiplied by, f32.
    static final int SCALE = 32;
    static final int BLOCKS = 40;
    /// Memory of [#memory].
    static final int MEMORY = 48;
    // To keep a key and a value.
    static final int KEY = 56;
    static final int VALUE = 64;
    static final int KEY_TARGET = 72;
    static final int VALUE_TARGET = 80;
    /// Of each block: where its keys are, the first value that is seen, how many are, those as a mask, and
    /// where the first one's score is in a row of scores; in Q8, the factors of keys and of that value.
    static final int ENTRIES = 128;
    static final int ENTRY = 56;
    static final int ENTRY_VALUE = 8;
    static final int ENTRY_COUNT = 16;
    static final int ENTRY_MASK = 24;
    static final int ENTRY_SCORE = 32;
    static final int ENTRY_KEY_FACTORS = 40;
    static final int ENTRY_VALUE_FACTOR = 48;

    // Memory: constants of 64 bytes, a row of scores for each query, then the queries.
    private static final int CONSTANTS = 0;
    private static final int SCORES = 1024;
    private static final int SCORES_STEP = CachedAttention.SPLIT * Float.BYTES;
    private static final int SCALED = SCORES + QUERIES * SCORES_STEP;

    // Registers that hold constants while powers of e are computed, in the order of
    // VectorMath.exponentialConstants, and while results are rounded.
    private static final int LOG2_E = 12;
    private static final int ROUNDING = 13;
    private static final int UPPER = 14;
    private static final int LOWER = 15;
    private static final int POLYNOMIAL = 16;
    /// From the polynomial's first coefficient to its last two, which are both 1.
    private static final int LEAST_POWER = 5;
    private static final int SMALLEST = 22;
    private static final int ZERO = 23;
    private static final int MAXIMA = 24;
    private static final int TOTALS = 28;
    private static final int LOWEST_BIT = 24;
    private static final int HALF = 25;
    private static final int ONE_FLOAT = 26;
    // And while scores are computed.
    private static final int KEY_FACTORS = 20;
    private static final int INFINITY = 31;

    // What memory holds behind the constants of powers.
    private static final int POWERS = VectorMath.exponentialConstants().length;
    private static final int LOWEST_BIT_AT = CONSTANTS + 64 * 12;
    private static final int HALF_AT = CONSTANTS + 64 * 13;
    private static final int INFINITY_AT = CONSTANTS + 64 * 14;
    private static final int ONE_LANE_AT = CONSTANTS + 64 * 15;

    private static final int[] SAVED = {RBX, RBP, R12, R13, R14, R15};

    private final Assembler code;
    private final KeyValueFormat format;
    private final int queries;

    /// Routines go to the end of `code`.
    ///
    /// @param format of keys and values
    /// @param queries of a row that are computed together, at most [#QUERIES]
    CachedAttentionCode(Assembler code, KeyValueFormat format, int queries) {
        this.code = code;
        this.format = format;
        this.queries = queries;
    }

    /// Memory for a thread's calls, with constants.
    static MemorySegment memory(int dimension) {
        MemorySegment memory = Arena.ofAuto().allocate(SCALED + (long) QUERIES * dimension * Float.BYTES, 64);
        float[] powers = VectorMath.exponentialConstants();
        for (int i = 0; i < 16; i++) {
            for (int power = 0; power < powers.length; power++) {
                memory.set(ValueLayout.JAVA_FLOAT, CONSTANTS + 64 * power + 4 * i, powers[power]);
            }
            memory.set(ValueLayout.JAVA_INT, LOWEST_BIT_AT + 4 * i, 1);
            memory.set(ValueLayout.JAVA_INT, HALF_AT + 4 * i, 0x7FFF);
            memory.set(ValueLayout.JAVA_FLOAT, INFINITY_AT + 4 * i, Float.NEGATIVE_INFINITY);
        }
        memory.set(ValueLayout.JAVA_INT, ONE_LANE_AT, 1);
        return memory;
    }

    /// Attention; the entry's offset.
    ///
    /// @param whole whether the split is all that the row sees: results are then bf16, else a part as
    /// [CachedAttention] puts it together
    int attend(boolean whole) {
        int entry = begin();
        scaleQueries();
        scores();
        for (int query = 0; query < queries; query++) {
            acrossLanes(MAXIMA + query, code::maxFloats);
        }
        if (!whole) {
            storeLane(MAXIMA, 0);
        }
        powers();
        for (int query = 0; query < queries; query++) {
            acrossLanes(TOTALS + query, code::addFloats); // in the order of VectorMath.sum
        }
        if (!whole) {
            storeLane(TOTALS, Float.BYTES);
        }
        values(whole);
        end();
        return entry;
    }

    /// Keeps the key and the value of one token and head, in bf16; the entry's offset.
    static int keep(Assembler code) {
        code.align();
        int entry = code.here();
        code.load(RSI, at(RDI, KEY));
        code.load(RDX, at(RDI, KEY_TARGET));
        code.load(R10, at(RDI, DIMENSION));
        int key = code.here();
        code.loadWord(RAX, at(RSI, 0));
        code.storeWord(at(RDX, 0), RAX);
        code.addConstant(RSI, 2);
        code.addConstant(RDX, 2 * KeyValueMemory.BLOCK);
        code.decrement(R10);
        code.jumpIfNotZero(key);
        code.load(RSI, at(RDI, VALUE));
        code.load(RDX, at(RDI, VALUE_TARGET));
        code.load(R10, at(RDI, DIMENSION));
        int value = code.here();
        code.loadWords(0, 0, at(RSI, 0));
        code.storeWords(at(RDX, 0), 0, 0);
        code.addConstant(RSI, 64);
        code.addConstant(RDX, 64);
        code.addConstant(R10, -32);
        code.jumpIfNotZero(value);
        code.zeroUpper();
        code.ret();
        return entry;
    }

    private int begin() {
        code.align();
        int entry = code.here();
        for (int register : SAVED) {
            code.push(register);
        }
        code.load(RCX, at(RDI, MEMORY));
        return entry;
    }

    private void end() {
        code.zeroUpper();
        for (int i = SAVED.length - 1; i >= 0; i--) {
            code.pop(SAVED[i]);
        }
        code.ret();
    }

    private void scaleQueries() {
        code.load(RSI, at(RDI, QUERY));
        code.lea(RDX, at(RCX, SCALED));
        code.broadcastInt(0, at(RDI, SCALE));
        for (int query = 0; query < queries; query++) {
            code.load(R10, at(RDI, DIMENSION));
            int next = code.here();
            loadBf16(1, at(RSI, 0));
            code.multiplyFloats(1, 1, 0);
            code.storeWords(at(RDX, 0), 0, 1);
            code.addConstant(RSI, 32);
            code.addConstant(RDX, 64);
            code.addConstant(R10, -16);
            code.jumpIfNotZero(next);
        }
    }

    private void loadBf16(int to, Memory from) {
        code.loadWordsAsInts(to, 0, from);
        code.shiftLeft(to, to, 16);
    }

    /// Sixteen numbers of a key or value as floats; of Q8, without their factors.
    private void load(int to, Memory from) {
        switch (format) {
            case F32 -> code.loadWords(to, 0, from);
            case BF16 -> loadBf16(to, from);
            case F16 -> code.halvesToFloats(to, from);
            case Q8 -> {
                code.loadBytesAsInts(to, from);
                code.intsToFloats(to, to);
            }
        }
    }

    /// ```
    /// r8 entry of the block   r9 blocks left   r11 where its scores go   r10 channels left
    /// rsi keys   r12 those of the next block   r13 values
    /// rdx queries   rbx bytes of one   rbp three times that
    /// ```
    private void scores() {
        code.loadWords(INFINITY, 0, at(RCX, INFINITY_AT));
        for (int query = 0; query < queries; query++) {
            code.loadWords(MAXIMA + query, 0, at(RCX, INFINITY_AT));
        }
        code.load(RBX, at(RDI, DIMENSION));
        code.lea(RBX, at(RBX, RBX, 1, 0));
        code.lea(RBX, at(RBX, RBX, 1, 0));
        code.lea(RBP, at(RBX, RBX, 2, 0));
        code.lea(R8, at(RDI, ENTRIES));
        code.lea(R11, at(RCX, SCORES));
        code.load(R9, at(RDI, BLOCKS));
        int block = code.here();
        code.load(RSI, at(R8, 0));
        code.load(R12, at(R8, ENTRY));
        code.load(R13, at(R8, ENTRY_VALUE));
        code.lea(RDX, at(RCX, SCALED));
        code.load(R10, at(RDI, DIMENSION));
        if (format == KeyValueFormat.Q8) {
            code.load(RAX, at(R8, ENTRY_KEY_FACTORS));
            code.loadWords(KEY_FACTORS, 0, at(RAX, 0));
        }
        for (int register = 0; register < 4 * queries; register++) {
            code.xor(register, register, register);
        }
        int bytes = 4 * KeyValueMemory.BLOCK * format.bytes(); // of four channels
        int channels = code.here();
        for (int c = 0; c < 4; c++) {
            load(16 + c, at(RSI, bytes / 4 * c));
            if (format == KeyValueFormat.Q8) {
                code.multiplyFloats(16 + c, 16 + c, KEY_FACTORS);
            }
        }
        for (int line = 0; line < bytes; line += 64) {
            code.prefetch(at(R12, line));
            code.prefetch(at(R13, line));
        }
        for (int query = 0; query < queries; query++) {
            for (int c = 0; c < 4; c++) {
                code.fusedMultiplyAddOne(4 * query + c, 16 + c, row(RDX, query, 4 * c));
            }
        }
        code.addConstant(RSI, bytes);
        code.addConstant(R12, bytes);
        code.addConstant(R13, bytes);
        code.addConstant(RDX, 16);
        code.addConstant(R10, -4);
        code.jumpIfNotZero(channels);
        code.mask16(1, at(R8, ENTRY_MASK));
        for (int query = 0; query < queries; query++) {
            int sum = 4 * query;
            code.addFloats(sum, sum, sum + 1);
            code.addFloats(sum + 2, sum + 2, sum + 3);
            code.addFloats(sum, sum, sum + 2);
            code.blend(sum, 1, INFINITY, sum);
            code.storeWords(at(R11, SCORES_STEP * query), 0, sum);
            code.maxFloats(MAXIMA + query, MAXIMA + query, sum);
        }
        code.addConstant(R11, 64);
        code.addConstant(R8, ENTRY);
        code.decrement(R9);
        code.jumpIfNotZero(block);
    }

    /// What lies `rbx` bytes times `index` behind `base`, with three times that in `rbp`.
    private static Memory row(int base, int index, int displacement) {
        return switch (index) {
            case 0 -> at(base, displacement);
            case 3 -> at(base, RBP, 1, displacement);
            default -> at(base, RBX, index, displacement);
        };
    }

    /// An instruction of two registers, and one for what comes of them.
    @FunctionalInterface
    private interface Combination {
        void write(int to, int a, int b);
    }

    /// What comes of all lanes of a register, halves at a time, in all of them.
    private void acrossLanes(int register, Combination combination) {
        code.shuffleQuarters(0, register, register, 0x4E);
        combination.write(register, register, 0);
        code.shuffleQuarters(0, register, register, 0xB1);
        combination.write(register, register, 0);
        code.shuffleInts(0, register, 0x4E);
        combination.write(register, register, 0);
        code.shuffleInts(0, register, 0xB1);
        combination.write(register, register, 0);
    }

    /// Puts one number of each query behind its values.
    private void storeLane(int register, int displacement) {
        code.mask16(1, at(RCX, ONE_LANE_AT));
        code.load(RDX, at(RDI, RESULT));
        code.load(RAX, at(RDI, DIMENSION));
        code.lea(RDX, at(RDX, RAX, 4, displacement));
        for (int query = 0; query < queries; query++) {
            code.storeInts(at(RDX, 0), 1, register + query);
            code.add(RDX, at(RDI, RESULT_STEP));
        }
    }

    /// Scores become powers of e, see [VectorMath#exp].
    private void powers() {
        for (int i = 0; i < POWERS; i++) {
            code.loadWords(LOG2_E + i, 0, at(RCX, CONSTANTS + 64 * i));
        }
        code.xor(ZERO, ZERO, ZERO);
        for (int query = 0; query < queries; query++) {
            code.xor(TOTALS + query, ZERO, ZERO);
        }
        code.lea(R11, at(RCX, SCORES));
        code.load(R9, at(RDI, BLOCKS));
        int block = code.here();
        for (int query = 0; query < queries; query++) {
            power(3 * query, 3 * query + 1, 3 * query + 2, query);
        }
        code.addConstant(R11, 64);
        code.decrement(R9);
        code.jumpIfNotZero(block);
    }

    private void power(int x, int shifted, int p, int query) {
        Memory score = at(R11, SCORES_STEP * query);
        code.loadWords(x, 0, score);
        code.subtractFloats(x, x, MAXIMA + query);
        code.lessThan(1, x, SMALLEST);
        code.addInts(shifted, x, ZERO);
        code.multiplyAdd(shifted, LOG2_E, ROUNDING);
        code.subtractFloats(p, shifted, ROUNDING);
        code.fusedMultiplyAdd(x, p, UPPER);
        code.fusedMultiplyAdd(x, p, LOWER);
        code.addInts(p, POLYNOMIAL, ZERO);
        for (int coefficient = 1; coefficient <= LEAST_POWER; coefficient++) {
            code.multiplyAdd(p, x, POLYNOMIAL + coefficient);
        }
        code.multiplyAdd(p, x, POLYNOMIAL + LEAST_POWER);
        code.shiftLeft(shifted, shifted, 23);
        code.addInts(p, p, shifted);
        code.blend(p, 1, p, ZERO);
        code.storeWords(score, 0, p);
        code.addFloats(TOTALS + query, TOTALS + query, p);
    }

    /// ```
    /// r8 entry of the block   r9 blocks left   r10 tokens left   r15 channels left
    /// rsi value   rax bytes of its row   r14 bytes into it   rdx its weight
    /// r12 result   rbx to the next query's   rbp three times that   r11 the value's factor
    /// ```
    private void values(boolean whole) {
        for (int query = 0; whole && query < queries; query++) {
            code.loadWords(ONE_FLOAT, 0, at(RCX, CONSTANTS + 64 * (POLYNOMIAL + LEAST_POWER - LOG2_E)));
            code.divideFloats(TOTALS + query, ONE_FLOAT, TOTALS + query);
        }
        code.loadWords(LOWEST_BIT, 0, at(RCX, LOWEST_BIT_AT));
        code.loadWords(HALF, 0, at(RCX, HALF_AT));
        code.load(R15, at(RDI, DIMENSION));
        code.move(RAX, R15);
        for (int bytes = 1; bytes < format.bytes(); bytes *= 2) {
            code.add(RAX, RAX);
        }
        code.load(R12, at(RDI, RESULT));
        code.load(RBX, at(RDI, RESULT_STEP));
        code.lea(RBP, at(RBX, RBX, 2, 0));
        code.set(R14, 0);
        int chunk = code.here();
        for (int register = 0; register < 4 * queries; register++) {
            code.xor(register, register, register);
        }
        code.lea(R8, at(RDI, ENTRIES));
        code.load(R9, at(RDI, BLOCKS));
        int block = code.here();
        code.load(RSI, at(R8, ENTRY_VALUE));
        code.add(RSI, R14);
        code.load(RDX, at(R8, ENTRY_SCORE));
        code.lea(RDX, at(RDX, RCX, 1, SCORES));
        code.load(R10, at(R8, ENTRY_COUNT));
        if (format == KeyValueFormat.Q8) {
            code.load(R11, at(R8, ENTRY_VALUE_FACTOR));
        }
        int token = code.here();
        for (int c = 0; c < 4; c++) {
            load(16 + c, at(RSI, 16 * format.bytes() * c));
            if (format == KeyValueFormat.Q8) {
                code.multiplyByOne(16 + c, 16 + c, at(R11, 0));
            }
        }
        for (int query = 0; query < queries; query++) {
            code.broadcastInt(20 + query, at(RDX, SCORES_STEP * query));
            for (int c = 0; c < 4; c++) {
                code.fusedMultiplyAdd(4 * query + c, 16 + c, 20 + query);
            }
        }
        code.add(RSI, RAX);
        code.addConstant(RDX, Float.BYTES);
        if (format == KeyValueFormat.Q8) {
            code.addConstant(R11, Float.BYTES);
        }
        code.decrement(R10);
        code.jumpIfNotZero(token);
        code.addConstant(R8, ENTRY);
        code.decrement(R9);
        code.jumpIfNotZero(block);
        for (int query = 0; query < queries; query++) {
            for (int c = 0; c < 4; c++) {
                store(whole, 4 * query + c, query, c);
            }
        }
        code.addConstant(R12, whole ? 2 * CHANNELS : 4 * CHANNELS);
        code.addConstant(R14, format.bytes() * CHANNELS);
        code.addConstant(R15, -CHANNELS);
        code.jumpIfNotZero(chunk);
    }

    private void store(boolean whole, int register, int query, int c) {
        if (!whole) {
            code.storeWords(row(R12, query, 64 * c), 0, register);
            return;
        }
        code.multiplyFloats(register, register, TOTALS + query);
        code.shiftRight(16, register, 16); // as Bf16.into rounds
        code.and(16, 16, LOWEST_BIT);
        code.addInts(register, register, 16);
        code.addInts(register, register, HALF);
        code.shiftRight(register, register, 16);
        code.storeIntsAsWords(row(R12, query, 32 * c), register);
    }
}
