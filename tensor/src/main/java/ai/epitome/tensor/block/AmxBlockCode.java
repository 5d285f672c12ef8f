package ai.epitome.tensor.block;

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

import ai.epitome.tensor.DType;
import ai.epitome.tensor.machine.Assembler;
import ai.epitome.tensor.machine.Assembler.Memory;

/// Machine code for several tokens times packed weights on the tile registers of AMX: routines `void
/// f(long*)`, see `AmxCode`, with the parameters of [BlockParameters].
///
/// A tile of up to 16 tokens, a group of channels of each, is multiplied by a tile of those channels of 16
/// weight rows:
/// `tdpbssd` gives the sums of one block. They go through memory to vector registers, one for each token with 16 rows
/// in its lanes, where scales are applied and the blocks of a row added up. Weights are read once whatever
/// the number of tokens; tiles of fewer tokens take less time.
///
/// Each block passes through stages, and a stage works some blocks ahead of the next one, in a ring of
/// slots, so that no instruction waits for tiles or stores; a shorter distance cost up to a third:
///
/// ```text
/// unpack      Q4_0 only: 4 bits -> signed bytes, times 16     (channels / 4, row, 4)
/// multiply    tiles -> sums                                   (token, row)
/// add up      sums -> registers
/// ```
///
/// Q4_0: with the four bits of a value at the top of a byte and the highest flipped, the byte is 16 (q -
/// 8). Scales are divided by 16, which is exact.
final class AmxBlockCode {
    // Places of the parameters: where the next 16 tokens are, and how many are left.
    private static final int NEXT_B = BlockParameters.OWN;
    private static final int NEXT_TABLE = NEXT_B + 8;
    private static final int NEXT_Y = NEXT_B + 16;
    private static final int LEFT = NEXT_B + 24;

    // Memory: a ring of four slots for sums, and one for unpacked bytes. Addresses wrap by clearing a bit.
    private static final int SLOT = 1024;
    private static final int UNPACKED = 8192;
    private static final int UNPACKED_SLOT = 512;

    /// Blocks between the multiplication and the adding up.
    private static final int BEHIND = 3;
    /// Blocks between unpacking and multiplication.
    private static final int BEFORE = 2;
    /// The least number of blocks of a row of Q4_0.
    static final int LEAST_BLOCKS = BEFORE + BEHIND + 1;

    private static final int SCALES = 20;
    private static final int LEAST = 21;
    private static final int UPPER_HALF = 29;
    private static final int HIGHEST_BIT = 28;
    private static final int SIXTEENTH = 27;

    private static final int[] SAVED = {RBX, RBP, R12, R13, R14, R15};

    private final Assembler code;

    /// Routines go to the end of `code`.
    AmxBlockCode(Assembler code) {
        this.code = code;
    }

    /// A product with weights in `format`; the entry's offset.
    ///
    /// @param most tokens that a tile can have
    int product(PackedFormat format, int most, DType output) {
        int entry = begin();
        int rows = code.here();
        BlockParameters.copy(code, NEXT_B, BlockParameters.B);
        BlockParameters.copy(code, NEXT_TABLE, BlockParameters.TABLE);
        BlockParameters.copy(code, NEXT_Y, BlockParameters.Y);
        BlockParameters.copy(code, LEFT, BlockParameters.TOKEN_GROUPS);
        int tokens = code.here();
        start(format);
        startSums(most);
        if (format == PackedFormat.Q4_0) {
            unpackedBlocks(most);
        } else {
            blocks(format, most);
        }
        storeTokens(most, output);
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
        end();
        return entry;
    }

    /// The same for a single tile of tokens and several groups of rows, of [#LEAST_BLOCKS] blocks at least,
    /// which follow each other: while the last blocks of a group are added up, the first of the next are
    /// multiplied. Where a group has 18 blocks, filling and emptying the stages for each took 8 % of the time.
    int stream(PackedFormat format, int most, DType output) {
        int entry = begin();
        BlockParameters.copy(code, NEXT_B, BlockParameters.B);
        BlockParameters.copy(code, NEXT_TABLE, BlockParameters.TABLE);
        BlockParameters.copy(code, NEXT_Y, BlockParameters.Y);
        start(format);
        fill(format);
        int rows = code.here();
        nextRows(most);
        code.addConstant(R10, -BEHIND);
        steps(format, most);
        code.load(RDX, at(RDI, NEXT_B));
        code.set(R10, BEHIND);
        steps(format, most);
        storeTokens(most, output);
        BlockParameters.advance(code, BlockParameters.BIAS, BlockParameters.BIAS_NEXT);
        BlockParameters.advance(code, NEXT_Y, BlockParameters.Y_ROWS);
        BlockParameters.countDown(code, BlockParameters.ROW_GROUPS);
        code.jumpIfNotZero(rows);
        nextRows(most);
        code.addConstant(R10, -BEHIND - before(format));
        steps(format, most);
        drain(format, most);
        storeTokens(most, output);
        end();
        return entry;
    }

    private void nextRows(int most) {
        startSums(most);
        code.load(RAX, at(RDI, NEXT_TABLE));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
    }

    private int begin() {
        code.align();
        int entry = code.here();
        for (int register : SAVED) {
            code.push(register);
        }
        code.tileConfigure(at(RDI, BlockParameters.CONFIGURATION));
        code.mask16(2, at(RDI, BlockParameters.MASK));
        code.load(R12, at(RDI, BlockParameters.B_STRIDE));
        code.load(R13, at(RDI, BlockParameters.TABLE_PART));
        code.set(RBP, 64);
        return entry;
    }

    private void end() {
        code.tileRelease();
        code.zeroUpper();
        for (int i = SAVED.length - 1; i >= 0; i--) {
            code.pop(SAVED[i]);
        }
        code.ret();
    }

    /// ```
    /// rsi weights           rdx tokens         rcx slot of multiply    r11 slot of unpack     r10 blocks
    /// left rbx those of add up   r12 their stride   r9  slot of add up      r15 unpacked           r14
    /// fetched ahead rax table             r13 to the next four tokens there, r8 three times as much
    /// rbp 64
    /// ```
    private void start(PackedFormat format) {
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        code.load(RSI, at(RDI, BlockParameters.A));
        code.move(RBX, RSI);
        if (format == PackedFormat.Q4_0) {
            code.loadWords(UPPER_HALF, 0, at(RCX, BlockParameters.UPPER_HALF));
            code.loadWords(HIGHEST_BIT, 0, at(RCX, BlockParameters.HIGHEST_BIT));
            code.loadWords(SIXTEENTH, 0, at(RCX, BlockParameters.SIXTEENTH));
            code.move(R11, RCX);
            code.addConstant(R11, UNPACKED);
            code.move(R15, R11);
        }
        code.move(R9, RCX);
        code.load(RDX, at(RDI, NEXT_B));
        code.load(RAX, at(RDI, NEXT_TABLE));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
        code.move(R14, RSI);
        code.add(R14, at(RDI, BlockParameters.A_NEXT));
    }

    private void startSums(int most) {
        code.load(R8, at(RDI, BlockParameters.BIAS));
        for (int t = 0; t < most; t++) {
            code.loadWords(t, 0, at(R8, 0));
        }
        code.lea(R8, at(R13, R13, 2, 0));
    }

    private void blocks(PackedFormat format, int most) {
        int[] ends = new int[BEHIND];
        for (int i = 0; i < BEHIND; i++) {
            multiply(format);
            code.decrement(R10);
            ends[i] = code.jumpAheadIfZero();
        }
        int next = code.here();
        multiply(format);
        addUp(format, most);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        for (int i = BEHIND - 1; i >= 0; i--) {
            code.land(ends[i]);
            addUp(format, most);
        }
    }

    private void unpackedBlocks(int most) {
        code.addConstant(R10, -BEFORE - BEHIND);
        fill(PackedFormat.Q4_0);
        steps(PackedFormat.Q4_0, most);
        drain(PackedFormat.Q4_0, most);
    }

    /// Blocks between unpacking and multiplication.
    private static int before(PackedFormat format) {
        return format == PackedFormat.Q4_0 ? BEFORE : 0;
    }

    private void fill(PackedFormat format) {
        for (int i = 0; i < before(format); i++) {
            unpack();
        }
        for (int i = 0; i < BEHIND; i++) {
            if (before(format) > 0) {
                unpack();
            }
            multiply(format);
        }
    }

    /// All stages of as many blocks as `r10` says.
    private void steps(PackedFormat format, int most) {
        int next = code.here();
        if (before(format) > 0) {
            unpack();
        }
        multiply(format);
        addUp(format, most);
        code.decrement(R10);
        code.jumpIfNotZero(next);
    }

    private void drain(PackedFormat format, int most) {
        for (int i = 0; i < before(format); i++) {
            multiply(format);
            addUp(format, most);
        }
        for (int i = 0; i < BEHIND; i++) {
            addUp(format, most);
        }
    }

    private void unpack() {
        for (int i = 0; i < 4; i++) {
            code.loadWords(22, 0, at(RSI, 64 * i));
            code.shiftLeft(23, 22, 4);
            code.andXor(22, UPPER_HALF, HIGHEST_BIT);
            code.andXor(23, UPPER_HALF, HIGHEST_BIT);
            code.storeWords(at(R11, 64 * i), 0, 23);
            code.storeWords(at(R11, 256 + 64 * i), 0, 22);
        }
        fetchAhead(PackedFormat.Q4_0);
        code.addConstant(RSI, PackedFormat.Q4_0.blockBytes());
        nextSlot(R11, UNPACKED_SLOT);
    }

    private void nextSlot(int register, int bytes) {
        code.addConstant(register, bytes);
        code.andConstant(register, ~(4 * bytes));
    }

    private void fetchAhead(PackedFormat format) {
        for (int line = 0; line < format.blockBytes(); line += 64) {
            code.prefetch(at(R14, line));
        }
        code.addConstant(R14, format.blockBytes());
    }

    private void multiply(PackedFormat format) {
        boolean unpacked = format == PackedFormat.Q4_0;
        code.tileLoad(1, at(RDX, R12, 1, 0));
        code.tileLoad(2, at(unpacked ? R15 : RSI, RBP, 1, 0));
        code.tileZero(0);
        code.tileMultiplyBytes(0, 1, 2);
        code.tileStore(at(RCX, RBP, 1, 0), 0);
        code.addConstant(RDX, format.channels());
        nextSlot(RCX, SLOT);
        if (unpacked) {
            nextSlot(R15, UNPACKED_SLOT);
        } else {
            fetchAhead(format);
            code.addConstant(RSI, format.blockBytes());
        }
    }

    private void addUp(PackedFormat format, int most) {
        int factors = format.numbersBytes();
        if (format.halves()) {
            code.halvesToFloats(SCALES, at(RBX, factors));
        } else {
            code.loadWords(SCALES, 0, at(RBX, factors));
        }
        if (format == PackedFormat.Q4_0) {
            code.multiplyFloats(SCALES, SCALES, SIXTEENTH);
        }
        if (format.least()) {
            code.loadWords(LEAST, 0, at(RBX, factors + 64));
        }
        for (int t = 0; t < most; t++) {
            int register = 16 + t % 4;
            code.intsToFloats(register, at(R9, 64 * t));
            code.multiplyByOne(register, register, factor(t, 0));
            code.fusedMultiplyAdd(t, register, SCALES);
            if (format.least()) {
                code.fusedMultiplyAddOne(t, LEAST, factor(t, 16));
            }
        }
        code.add(RAX, at(RDI, BlockParameters.TABLE_STEP));
        nextSlot(R9, SLOT);
        code.addConstant(RBX, format.blockBytes());
    }

    /// Where the table has a token's scale, or, 16 bytes behind, its sum.
    private static Memory factor(int token, int displacement) {
        int to = displacement + token % 4 * 4;
        return switch (token / 4) {
            case 0 -> at(RAX, to);
            case 3 -> at(RAX, R8, 1, to);
            default -> at(RAX, R13, token / 4, to);
        };
    }

    private void storeTokens(int most, DType output) {
        code.load(R8, at(RDI, NEXT_Y));
        code.load(R10, at(RDI, BlockParameters.TOKENS));
        int[] ends = new int[most];
        for (int t = 0; t < most; t++) {
            if (output == DType.BF16) {
                code.roundToBf16(t, t);
                code.storeWords(at(R8, 0), 2, t);
            } else {
                code.storeInts(at(R8, 0), 2, t);
            }
            code.add(R8, at(RDI, BlockParameters.Y_STRIDE));
            code.decrement(R10);
            ends[t] = code.jumpAheadIfZero();
        }
        for (int end : ends) {
            code.land(end);
        }
    }
}
