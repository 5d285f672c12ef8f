package ai.epitome.tensor;

import static ai.epitome.tensor.Assembler.R10;
import static ai.epitome.tensor.Assembler.R11;
import static ai.epitome.tensor.Assembler.R12;
import static ai.epitome.tensor.Assembler.R13;
import static ai.epitome.tensor.Assembler.R14;
import static ai.epitome.tensor.Assembler.R15;
import static ai.epitome.tensor.Assembler.R8;
import static ai.epitome.tensor.Assembler.R9;
import static ai.epitome.tensor.Assembler.RAX;
import static ai.epitome.tensor.Assembler.RBP;
import static ai.epitome.tensor.Assembler.RBX;
import static ai.epitome.tensor.Assembler.RCX;
import static ai.epitome.tensor.Assembler.RDI;
import static ai.epitome.tensor.Assembler.RDX;
import static ai.epitome.tensor.Assembler.RSI;
import static ai.epitome.tensor.Assembler.at;

/// The machine code of [AmxBlockProduct]: routines `void f(long*)`, see [AmxCode], each for one way in which weights
/// lie in memory.
///
/// A tile of 16 weight rows times a group of channels, one byte each, is multiplied by a tile of that many channels of
/// up to 16 tokens: `tdpbssd` gives the 16 x 16 sums of one block. They go through memory to vector registers, where
/// scales are applied and the blocks of a row added up, in 16 registers of 16 tokens, or, for a single token, in one
/// register of 16 rows. Weights are read once whatever the number of tokens, and one token costs what the tiles cost:
/// some 20 to 30 cycles for 512 weights.
///
/// Each block passes through stages, and a stage works on the block after the one of the next stage, in one of two
/// slots of memory, so that waiting for tiles and for stores is hidden:
///
/// ```text
/// unpack      Q4_0 only: 16 bytes of each row -> 32 signed bytes, times 16      (row, 32)
/// multiply    tiles -> sums; f16 scales of 16 rows, gathered -> f32             (row, token), (row)
/// add up      sums -> registers
/// ```
///
/// Q4_0: with the four bits of a value at the top of a byte and the highest flipped, the byte is 16 (q - 8). Scales are
/// divided by 16, which is exact.
final class AmxBlockCode {
    /// How weights lie in memory.
    enum Source {
        /// Rows of signed bytes; scales, 16 f32 a group, apart.
        PANEL(0, 0, false),
        /// The same, with 16 f32 of least values after the scales.
        PANEL_WITH_LEAST(0, 0, true),
        Q8_0(34, 2, false),
        Q4_0(18, 2, false);

        private final int blockBytes;
        private final int numbersAt;
        private final boolean least;

        Source(int blockBytes, int numbersAt, boolean least) {
            this.blockBytes = blockBytes;
            this.numbersAt = numbersAt;
            this.least = least;
        }

        boolean inPlace() {
            return blockBytes > 0;
        }
    }

    // Parameters: byte offsets into the array. Distances are in bytes.
    static final int A = 0;
    static final int A_STRIDE = 8;
    /// To the next 16 rows.
    static final int A_NEXT = 16;
    /// To the next group of channels; of panels only.
    static final int A_STEP = 24;
    static final int B = 32;
    static final int B_STEP = 40;
    /// To the next 16 tokens.
    static final int B_NEXT = 48;
    /// Scales of activations, and their sums behind them: one float each, or 16.
    static final int TABLE = 56;
    static final int TABLE_STEP = 64;
    static final int TABLE_NEXT = 72;
    static final int BIAS = 80;
    static final int BIAS_NEXT = 88;
    static final int Y = 96;
    static final int Y_STRIDE = 104;
    static final int Y_ROWS = 112;
    static final int Y_TOKENS = 120;
    static final int BLOCKS = 128;
    /// Counted down by the routine.
    static final int ROW_GROUPS = 136;
    static final int TOKEN_GROUPS = 144;
    /// Tokens of a group.
    static final int TOKENS = 152;
    /// Rows that are stored, as a mask.
    static final int MASK = 160;
    /// Memory of [#MEMORY] bytes, of that alignment.
    static final int SLOTS = 168;
    /// Scales of a panel.
    static final int SCALES = 176;
    /// From a row to what is fetched ahead.
    static final int AHEAD = 184;
    /// The operand of `ldtilecfg`, 64 bytes.
    static final int CONFIGURATION = 192;
    /// Distances of 16 rows, as ints.
    static final int DISTANCES = 256;

    private static final int NEXT_B = 320;
    private static final int NEXT_TABLE = 328;
    private static final int NEXT_Y = 336;
    private static final int LEFT = 344;

    /// Longs of the array.
    static final int LENGTH = 44;

    // Memory: two slots of sums and scales, two of unpacked bytes, and constants.
    static final int MEMORY = 8192;
    private static final int SLOT = 2048;
    private static final int SLOT_SCALES = 1024;
    private static final int UNPACKED = 2 * SLOT;
    private static final int UNPACKED_SLOT = 512;
    /// 64 bytes each: shifts, the upper halves of bytes, their highest bits, 16 floats of 1/16; and the mask of the
    /// upper eight lanes.
    static final int CONSTANTS = UNPACKED + 2 * UNPACKED_SLOT;

    static final int UPPER_LANES = CONSTANTS + 256;

    private static final int DISTANCE = 31;
    private static final int SHIFTS = 30;
    private static final int UPPER_HALF = 29;
    private static final int HIGHEST_BIT = 28;
    private static final int SIXTEENTH = 27;

    private final Assembler code = new Assembler();

    byte[] bytes() {
        return code.bytes();
    }

    /// A product with weights from `source`, of one token or of up to 16; the entry's offset.
    int product(Source source, boolean single, DType output) {
        code.align();
        int entry = code.here();
        int[] saved = {RBX, RBP, R12, R13, R14, R15};
        for (int register : saved) {
            code.push(register);
        }
        code.tileConfigure(at(RDI, CONFIGURATION));
        code.mask16(2, at(RDI, MASK));
        code.load(R12, at(RDI, A_STRIDE));
        code.set(RBP, single ? 4 : 64);
        int rows = code.here();
        copy(NEXT_B, B);
        copy(NEXT_TABLE, TABLE);
        copy(NEXT_Y, Y);
        copy(LEFT, TOKEN_GROUPS);
        int tokens = code.here();
        start(source, single);
        if (source == Source.Q4_0) {
            unpackedBlocks(source, single);
        } else {
            blocks(source, single);
        }
        if (single) {
            code.load(R8, at(RDI, NEXT_Y));
            store(0, at(R8, 0), output);
        } else {
            storeTokens(output);
        }
        advance(NEXT_B, B_NEXT);
        advance(NEXT_TABLE, TABLE_NEXT);
        advance(NEXT_Y, Y_TOKENS);
        countDown(LEFT);
        code.jumpIfNotZero(tokens);
        advance(A, A_NEXT);
        advance(BIAS, BIAS_NEXT);
        advance(Y, Y_ROWS);
        countDown(ROW_GROUPS);
        code.jumpIfNotZero(rows);
        code.tileRelease();
        code.zeroUpper();
        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.ret();
        return entry;
    }

    private void copy(int to, int from) {
        code.load(RAX, at(RDI, from));
        code.store(at(RDI, to), RAX);
    }

    private void advance(int place, int distance) {
        code.load(RAX, at(RDI, place));
        code.add(RAX, at(RDI, distance));
        code.store(at(RDI, place), RAX);
    }

    private void countDown(int place) {
        code.load(RAX, at(RDI, place));
        code.decrement(RAX);
        code.store(at(RDI, place), RAX);
    }

    /// ```
    /// rsi weights       rdx tile of B     rcx slot of multiply    r11 slot of unpack     r10 blocks left
    /// r12 their stride  rax table         r9  slot of add up      r15 unpacked           r14 fetched ahead
    /// rbp stride of B and of sums         rbx scales, Q4_0's blocks of multiply          r13 32
    /// ```
    private void start(Source source, boolean single) {
        code.load(RCX, at(RDI, SLOTS));
        if (source.inPlace()) {
            code.loadWords(DISTANCE, 0, at(RDI, DISTANCES));
        }
        if (source == Source.Q4_0) {
            code.loadWords(SHIFTS, 0, at(RCX, CONSTANTS));
            code.loadWords(UPPER_HALF, 0, at(RCX, CONSTANTS + 64));
            code.loadWords(HIGHEST_BIT, 0, at(RCX, CONSTANTS + 128));
            code.loadWords(SIXTEENTH, 0, at(RCX, CONSTANTS + 192));
            code.mask16(3, at(RCX, UPPER_LANES));
            code.move(R11, RCX);
            code.addConstant(R11, UNPACKED);
            code.move(R15, R11);
            code.set(R13, 32);
        }
        code.move(R9, RCX);
        code.load(RSI, at(RDI, A));
        code.load(RDX, at(RDI, NEXT_B));
        code.load(RAX, at(RDI, NEXT_TABLE));
        code.load(R10, at(RDI, BLOCKS));
        code.move(R14, RSI);
        code.add(R14, at(RDI, AHEAD));
        if (source == Source.Q4_0) {
            code.move(RBX, RSI);
        } else {
            code.load(RBX, at(RDI, SCALES));
        }
        code.load(R8, at(RDI, BIAS));
        if (single) {
            code.loadWords(0, 0, at(R8, 0));
        } else {
            for (int r = 0; r < 16; r++) {
                code.broadcastFloat(r, at(R8, 4 * r));
            }
        }
    }

    private void blocks(Source source, boolean single) {
        multiply(source);
        code.decrement(R10);
        int last = code.jumpAheadIfZero();
        int next = code.here();
        multiply(source);
        addUp(source, single);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        code.land(last);
        addUp(source, single);
    }

    private void unpackedBlocks(Source source, boolean single) {
        unpack();
        code.decrement(R10);
        int one = code.jumpAheadIfZero();
        unpack();
        multiply(source);
        code.decrement(R10);
        int two = code.jumpAheadIfZero();
        int next = code.here();
        unpack();
        multiply(source);
        addUp(source, single);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        code.land(two);
        addUp(source, single);
        code.land(one);
        multiply(source);
        addUp(source, single);
    }

    private void unpack() {
        code.move(R8, RSI);
        for (int i = 0; i < 8; i++) {
            int register = 16 + i % 4;
            code.broadcastQuarter(register, 0, at(R8, Source.Q4_0.numbersAt));
            code.broadcastQuarter(register, 3, at(R8, R12, 1, Source.Q4_0.numbersAt));
            code.shiftLeftEach(register, register, SHIFTS);
            code.andXor(register, UPPER_HALF, HIGHEST_BIT);
            code.storeWords(at(R11, 64 * i), 0, register);
            code.lea(R8, at(R8, R12, 2, 0));
        }
        fetchAhead(Source.Q4_0);
        code.addConstant(RSI, Source.Q4_0.blockBytes);
        code.xorConstant(R11, UNPACKED_SLOT);
    }

    private void fetchAhead(Source source) {
        for (int line = 0; line < 16 * source.blockBytes; line += 64) {
            code.prefetch(at(R14, line));
        }
        code.addConstant(R14, 16 * source.blockBytes);
    }

    private void multiply(Source source) {
        if (source == Source.Q4_0) {
            code.tileLoad(1, at(R15, R13, 1, 0));
        } else {
            code.tileLoad(1, at(RSI, R12, 1, source.numbersAt));
        }
        code.tileLoad(2, at(RDX, RBP, 1, 0));
        code.tileZero(0);
        code.tileMultiplyBytes(0, 1, 2);
        if (source.inPlace()) {
            gatherScales(source == Source.Q4_0 ? RBX : RSI, source == Source.Q4_0);
        }
        code.tileStore(at(RCX, RBP, 1, 0), 0);
        code.add(RDX, at(RDI, B_STEP));
        code.xorConstant(RCX, SLOT);
        switch (source) {
            case Q4_0 -> {
                code.addConstant(RBX, source.blockBytes);
                code.xorConstant(R15, UNPACKED_SLOT);
            }
            case Q8_0 -> {
                fetchAhead(source);
                code.addConstant(RSI, source.blockBytes);
            }
            case PANEL, PANEL_WITH_LEAST -> code.add(RSI, at(RDI, A_STEP));
        }
    }

    private void gatherScales(int blocks, boolean sixteenth) {
        code.fillMask1();
        code.gatherInts(20, blocks, DISTANCE);
        code.intsToWords(20, 20);
        code.halvesToFloats(20, 20);
        if (sixteenth) {
            code.multiplyFloats(20, 20, SIXTEENTH);
        }
        code.storeWords(at(RCX, SLOT_SCALES), 0, 20);
    }

    private void addUp(Source source, boolean single) {
        int scales = source.inPlace() ? R9 : RBX;
        int first = source.inPlace() ? SLOT_SCALES : 0;
        if (single) {
            code.intsToFloats(21, at(R9, 0));
            code.multiplyByOne(21, 21, at(RAX, 0));
            code.fusedMultiplyAdd(0, 21, at(scales, first));
            if (source.least) {
                code.loadWords(22, 0, at(RBX, 64));
                code.fusedMultiplyAddOne(0, 22, at(RAX, 4));
            }
        } else {
            addUpTokens(scales, first, source.least);
        }
        code.add(RAX, at(RDI, TABLE_STEP));
        code.xorConstant(R9, SLOT);
        if (!source.inPlace()) {
            code.addConstant(RBX, source.least ? 128 : 64);
        }
    }

    private void addUpTokens(int scales, int first, boolean least) {
        code.loadWords(24, 0, at(RAX, 0));
        if (least) {
            code.loadWords(25, 0, at(RAX, 64));
        }
        for (int r = 0; r < 16; r++) {
            int register = 16 + r % 4;
            code.intsToFloats(register, at(R9, 64 * r));
            code.multiplyFloats(register, register, 24);
            code.fusedMultiplyAddOne(r, register, at(scales, first + 4 * r));
            if (least) {
                code.fusedMultiplyAddOne(r, 25, at(RBX, 64 + 4 * r));
            }
        }
    }

    private void storeTokens(DType output) {
        AmxCode.transpose(code);
        code.load(R8, at(RDI, NEXT_Y));
        code.load(R9, at(RDI, Y_STRIDE));
        code.load(R10, at(RDI, TOKENS));
        int[] ends = new int[16];
        for (int t = 0; t < 16; t++) {
            store(t, at(R8, 0), output);
            code.add(R8, R9);
            code.decrement(R10);
            ends[t] = code.jumpAheadIfZero();
        }
        for (int end : ends) {
            code.land(end);
        }
    }

    private void store(int register, Assembler.Memory place, DType output) {
        if (output == DType.BF16) {
            code.roundToBf16(register, register);
            code.storeWords(place, 2, register);
        } else {
            code.storeInts(place, 2, register);
        }
    }
}
