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

import ai.epitome.tensor.BlockParameters.Source;

/// Machine code for several tokens times quantised weights on the tile registers of AMX: routines `void f(long*)`, see
/// [AmxCode], with the parameters of [BlockParameters].
///
/// A tile of 16 weight rows times a group of channels, one byte each, is multiplied by a tile of that many channels of
/// up to 16 tokens: `tdpbssd` gives the 16 x 16 sums of one block. They go through memory to vector registers, where
/// scales are applied and the blocks of a row added up, in 16 registers of 16 tokens. Weights are read once whatever
/// the number of tokens.
///
/// Each block passes through stages, and a stage works some blocks ahead of the next one, in a ring of slots, so that
/// no instruction waits for tiles or stores; a shorter distance cost up to a third:
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
    // Places of the parameters: where the next 16 tokens are, and how many are left.
    private static final int NEXT_B = BlockParameters.OWN;
    private static final int NEXT_TABLE = NEXT_B + 8;
    private static final int NEXT_Y = NEXT_B + 16;
    private static final int LEFT = NEXT_B + 24;

    // Memory: a ring of four slots for sums and scales, and one for unpacked bytes. Addresses wrap by clearing a bit.
    private static final int SLOT = 2048;
    private static final int SLOT_SCALES = 1024;
    private static final int UNPACKED = 4 * SLOT;
    private static final int UNPACKED_SLOT = 512;

    /// Blocks between the multiplication and the adding up.
    private static final int BEHIND = 3;
    /// Blocks between unpacking and multiplication.
    private static final int BEFORE = 2;
    /// The least number of blocks of a row of Q4_0.
    static final int LEAST_BLOCKS = BEFORE + BEHIND + 1;

    private static final int DISTANCE = 31;
    private static final int SHIFTS = 30;
    private static final int UPPER_HALF = 29;
    private static final int HIGHEST_BIT = 28;
    private static final int SIXTEENTH = 27;

    private final Assembler code;

    /// Routines go to the end of `code`.
    AmxBlockCode(Assembler code) {
        this.code = code;
    }

    /// A product with weights from `source`; the entry's offset.
    int product(Source source, DType output) {
        code.align();
        int entry = code.here();
        int[] saved = {RBX, RBP, R12, R13, R14, R15};
        for (int register : saved) {
            code.push(register);
        }
        code.tileConfigure(at(RDI, BlockParameters.CONFIGURATION));
        code.mask16(2, at(RDI, BlockParameters.MASK));
        code.load(R12, at(RDI, BlockParameters.A_STRIDE));
        code.set(RBP, 64);
        int rows = code.here();
        BlockParameters.copy(code, NEXT_B, BlockParameters.B);
        BlockParameters.copy(code, NEXT_TABLE, BlockParameters.TABLE);
        BlockParameters.copy(code, NEXT_Y, BlockParameters.Y);
        BlockParameters.copy(code, LEFT, BlockParameters.TOKEN_GROUPS);
        int tokens = code.here();
        start(source);
        if (source == Source.Q4_0) {
            unpackedBlocks();
        } else {
            blocks(source);
        }
        storeTokens(output);
        BlockParameters.advance(code, NEXT_B, BlockParameters.B_NEXT);
        BlockParameters.advance(code, NEXT_TABLE, BlockParameters.TABLE_NEXT);
        BlockParameters.advance(code, NEXT_Y, BlockParameters.Y_TOKENS);
        BlockParameters.countDown(code, LEFT);
        code.jumpIfNotZero(tokens);
        BlockParameters.advance(code, BlockParameters.A, BlockParameters.A_NEXT);
        BlockParameters.advance(code, BlockParameters.BIAS, BlockParameters.BIAS_NEXT);
        BlockParameters.advance(code, BlockParameters.Y, BlockParameters.Y_ROWS);
        BlockParameters.countDown(code, BlockParameters.ROW_GROUPS);
        code.jumpIfNotZero(rows);
        code.tileRelease();
        code.zeroUpper();
        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.ret();
        return entry;
    }

    /// ```
    /// rsi weights       rdx tile of B     rcx slot of multiply    r11 slot of unpack     r10 blocks left
    /// r12 their stride  rax table         r9  slot of add up      r15 unpacked           r14 fetched ahead
    /// rbp stride of B and of sums         rbx scales, Q4_0's blocks of multiply          r13 32
    /// ```
    private void start(Source source) {
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        if (source.inPlace()) {
            code.loadWords(DISTANCE, 0, at(RDI, BlockParameters.DISTANCES));
        }
        code.load(RSI, at(RDI, BlockParameters.A));
        if (source == Source.Q4_0) {
            code.loadWords(SHIFTS, 0, at(RCX, BlockParameters.SHIFTS));
            code.loadWords(UPPER_HALF, 0, at(RCX, BlockParameters.UPPER_HALF));
            code.loadWords(HIGHEST_BIT, 0, at(RCX, BlockParameters.HIGHEST_BIT));
            code.loadWords(SIXTEENTH, 0, at(RCX, BlockParameters.SIXTEENTH));
            code.mask16(3, at(RCX, BlockParameters.UPPER_LANES));
            code.move(R11, RCX);
            code.addConstant(R11, UNPACKED);
            code.move(R15, R11);
            code.set(R13, 32);
            code.move(RBX, RSI);
        } else {
            code.load(RBX, at(RDI, BlockParameters.SCALES));
        }
        code.move(R9, RCX);
        code.load(RDX, at(RDI, NEXT_B));
        code.load(RAX, at(RDI, NEXT_TABLE));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
        code.move(R14, RSI);
        code.add(R14, at(RDI, BlockParameters.AHEAD));
        code.load(R8, at(RDI, BlockParameters.BIAS));
        for (int r = 0; r < 16; r++) {
            code.broadcastFloat(r, at(R8, 4 * r));
        }
    }

    private void blocks(Source source) {
        int[] ends = new int[BEHIND];
        for (int i = 0; i < BEHIND; i++) {
            multiply(source);
            code.decrement(R10);
            ends[i] = code.jumpAheadIfZero();
        }
        int next = code.here();
        multiply(source);
        addUp(source);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        for (int i = BEHIND - 1; i >= 0; i--) {
            code.land(ends[i]);
            addUp(source);
        }
    }

    private void unpackedBlocks() {
        code.addConstant(R10, -BEFORE - BEHIND);
        for (int i = 0; i < BEFORE; i++) {
            unpack();
        }
        for (int i = 0; i < BEHIND; i++) {
            unpack();
            multiply(Source.Q4_0);
        }
        int next = code.here();
        unpack();
        multiply(Source.Q4_0);
        addUp(Source.Q4_0);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        for (int i = 0; i < BEFORE; i++) {
            multiply(Source.Q4_0);
            addUp(Source.Q4_0);
        }
        for (int i = 0; i < BEHIND; i++) {
            addUp(Source.Q4_0);
        }
    }

    private void unpack() {
        code.move(R8, RSI);
        for (int i = 0; i < 8; i++) {
            int register = 16 + i % 4;
            code.broadcastQuarter(register, 0, at(R8, Source.Q4_0.numbersAt()));
            code.broadcastQuarter(register, 3, at(R8, R12, 1, Source.Q4_0.numbersAt()));
            code.shiftLeftEach(register, register, SHIFTS);
            code.andXor(register, UPPER_HALF, HIGHEST_BIT);
            code.storeWords(at(R11, 64 * i), 0, register);
            code.lea(R8, at(R8, R12, 2, 0));
        }
        fetchAhead(Source.Q4_0);
        code.addConstant(RSI, Source.Q4_0.blockBytes());
        nextSlot(R11, UNPACKED_SLOT);
    }

    private void nextSlot(int register, int bytes) {
        code.addConstant(register, bytes);
        code.andConstant(register, ~(4 * bytes));
    }

    private void fetchAhead(Source source) {
        for (int line = 0; line < 16 * source.blockBytes(); line += 64) {
            code.prefetch(at(R14, line));
        }
        code.addConstant(R14, 16 * source.blockBytes());
    }

    private void multiply(Source source) {
        if (source == Source.Q4_0) {
            code.tileLoad(1, at(R15, R13, 1, 0));
        } else {
            code.tileLoad(1, at(RSI, R12, 1, source.numbersAt()));
        }
        code.tileLoad(2, at(RDX, RBP, 1, 0));
        code.tileZero(0);
        code.tileMultiplyBytes(0, 1, 2);
        if (source.inPlace()) {
            gatherScales(source == Source.Q4_0 ? RBX : RSI, source == Source.Q4_0);
        }
        code.tileStore(at(RCX, RBP, 1, 0), 0);
        code.add(RDX, at(RDI, BlockParameters.B_STEP));
        nextSlot(RCX, SLOT);
        switch (source) {
            case Q4_0 -> {
                code.addConstant(RBX, source.blockBytes());
                nextSlot(R15, UNPACKED_SLOT);
            }
            case Q8_0 -> {
                fetchAhead(source);
                code.addConstant(RSI, source.blockBytes());
            }
            case PANEL, PANEL_WITH_LEAST -> code.add(RSI, at(RDI, BlockParameters.A_STEP));
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

    private void addUp(Source source) {
        int scales = source.inPlace() ? R9 : RBX;
        int first = source.inPlace() ? SLOT_SCALES : 0;
        code.loadWords(24, 0, at(RAX, 0));
        if (source.least()) {
            code.loadWords(25, 0, at(RAX, 64));
        }
        for (int r = 0; r < 16; r++) {
            int register = 16 + r % 4;
            code.intsToFloats(register, at(R9, 64 * r));
            code.multiplyFloats(register, register, 24);
            code.fusedMultiplyAddOne(r, register, at(scales, first + 4 * r));
            if (source.least()) {
                code.fusedMultiplyAddOne(r, 25, at(RBX, 64 + 4 * r));
            }
        }
        code.add(RAX, at(RDI, BlockParameters.TABLE_STEP));
        nextSlot(R9, SLOT);
        if (!source.inPlace()) {
            code.addConstant(RBX, source.least() ? 128 : 64);
        }
    }

    private void storeTokens(DType output) {
        AmxCode.transpose(code);
        code.load(R8, at(RDI, NEXT_Y));
        code.load(R9, at(RDI, BlockParameters.Y_STRIDE));
        code.load(R10, at(RDI, BlockParameters.TOKENS));
        int[] ends = new int[16];
        for (int t = 0; t < 16; t++) {
            if (output == DType.BF16) {
                code.roundToBf16(t, t);
                code.storeWords(at(R8, 0), 2, t);
            } else {
                code.storeInts(at(R8, 0), 2, t);
            }
            code.add(R8, R9);
            code.decrement(R10);
            ends[t] = code.jumpAheadIfZero();
        }
        for (int end : ends) {
            code.land(end);
        }
    }
}
