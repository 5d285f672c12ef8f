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
/// weight rows: `tdpbssd` gives the sums of one block. They go through memory to vector registers, one for
/// each token with 16 rows in its lanes, where scales are applied and the blocks of a row added up. Tiles of
/// fewer tokens take less time.
///
/// Each block passes through stages, and a stage works some blocks ahead of the next one, in a ring of
/// slots, so that no instruction waits for tiles or stores; a shorter distance cost up to a third:
///
/// ```text
/// unpack      Q4_0 only: 4 bits -> signed bytes, times 16     (channels / 4, row, 4)
/// multiply    tiles -> a tile of sums                         (token, row)
/// store       a tile of sums -> memory
/// add up      memory -> registers
/// ```
///
/// A tile is stored when the next product is about to begin. Stored at once, it would wait in the processor's
/// queues for its product, and what comes behind it, too.
///
/// **Pairs.** To store a tile takes 16 cycles, during which nothing else begins, whether it has 16 rows or 4. So
/// where there are 8 tokens or fewer, two blocks share a tile: the first half of its rows is the tokens with the
/// channels of one block, and zeros for the other; the second half is the other way round.
///
/// Q4_0: with the four bits of a value at the top of a byte and the highest flipped, the byte is 16 (q -
/// 8). Scales are divided by 16, which is exact.
final class AmxBlockCode {
    // Memory: a ring of slots for sums, and one for unpacked bytes. Addresses wrap by clearing a bit.
    private static final int SLOTS = 4;
    private static final int SLOT = 1024;
    private static final int UNPACKED = 8192;
    private static final int UNPACKED_BLOCK = 512;

    /// Tiles between the multiplication and the adding up.
    private static final int BEHIND = 3;
    /// Tiles between unpacking and multiplication.
    private static final int BEFORE = 3;
    /// The least number of tiles of a row.
    static final int LEAST_TILES = BEFORE + BEHIND + 1;

    private static final int SCALES = 20;
    private static final int LEAST = 21;
    private static final int UPPER_HALF = 29;
    private static final int HIGHEST_BIT = 28;
    private static final int SIXTEENTH = 27;

    private static final int[] SAVED = {RBX, RBP, R12, R13, R14, R15};

    private final Assembler code;
    private final PackedFormat format;
    private final int most;
    private final DType output;
    /// Blocks of a tile: 1, or 2.
    private final int together;

    /// Routines go to the end of `code`.
    ///
    /// @param most tokens that are added up together
    /// @param together blocks that share a tile: 1, or 2 of up to 8 tokens
    AmxBlockCode(Assembler code, PackedFormat format, int most, DType output, int together) {
        this.code = code;
        this.format = format;
        this.most = most;
        this.output = output;
        this.together = together;
    }

    /// A product of a tile of tokens and several groups of rows which follow each other, where a block is
    /// through before the next begins: for rows of a few blocks, which Q4_0 has not ([PackedFormat#of]). The
    /// entry's offset.
    int product() {
        int entry = begin();
        int rows = code.here();
        start();
        startSums();
        oneByOne();
        storeTokens();
        BlockParameters.advance(code, BlockParameters.A, BlockParameters.A_NEXT);
        nextGroup();
        code.jumpIfNotZero(rows);
        end();
        return entry;
    }

    /// The same of groups of [#LEAST_TILES] tiles at least: while the last blocks of a group are added up, the
    /// first of the next are multiplied. Where a group has 18 blocks, filling and emptying the stages for each
    /// took 8 % of the time.
    int stream() {
        int entry = begin();
        start();
        fill();
        code.load(RAX, at(RDI, BlockParameters.ROW_GROUPS));
        code.addConstant(RAX, 0);
        int last = code.jumpAheadIfZero();
        int rows = code.here();
        nextSums();
        code.addConstant(R10, -BEHIND);
        steps();
        code.load(RDX, at(RDI, BlockParameters.B));
        code.set(R10, BEHIND);
        steps();
        storeTokens();
        nextGroup();
        code.jumpIfNotZero(rows);
        code.land(last);
        nextSums();
        code.addConstant(R10, -BEHIND - before());
        steps();
        drain();
        storeTokens();
        end();
        return entry;
    }

    private void nextGroup() {
        BlockParameters.advance(code, BlockParameters.BIAS, BlockParameters.BIAS_NEXT);
        BlockParameters.advance(code, BlockParameters.Y, BlockParameters.Y_ROWS);
        BlockParameters.countDown(code, BlockParameters.ROW_GROUPS);
    }

    private void nextSums() {
        startSums();
        code.load(RAX, at(RDI, BlockParameters.TABLE));
        code.load(R10, at(RDI, BlockParameters.TILES));
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
    /// rsi weights     rbx those of add up   r14 those fetched ahead
    /// rdx tokens      r12 their stride      r10 tiles left            rbp 64
    /// rcx slot of store    r9 of add up     r11 of unpack             r15 unpacked
    /// rax table       r13 to the next four tokens there               r8 three times as much
    /// ```
    private void start() {
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
        code.load(RDX, at(RDI, BlockParameters.B));
        code.load(RAX, at(RDI, BlockParameters.TABLE));
        code.load(R10, at(RDI, BlockParameters.TILES));
        code.move(R14, RSI);
        code.add(R14, at(RDI, BlockParameters.A_NEXT)); // the group after the next one: nearer, lines come too late
        code.add(R14, at(RDI, BlockParameters.A_NEXT));
    }

    private void startSums() {
        code.load(R8, at(RDI, BlockParameters.BIAS));
        for (int t = 0; t < most; t++) {
            code.loadWords(t, 0, at(R8, 0));
        }
        code.lea(R8, at(R13, R13, 2, 0));
    }

    private void oneByOne() {
        int next = code.here();
        multiply();
        store();
        addUp();
        code.decrement(R10);
        code.jumpIfNotZero(next);
    }

    /// Tiles between unpacking and multiplication.
    private int before() {
        return format == PackedFormat.Q4_0 ? BEFORE : 0;
    }

    private void fill() {
        for (int i = 0; i < before(); i++) {
            unpack();
        }
        for (int i = 0; i < BEHIND; i++) {
            if (i > 0) {
                store();
            }
            multiply();
            unpack();
        }
    }

    /// All stages of as many tiles as `r10` says.
    private void steps() {
        int next = code.here();
        store();
        multiply();
        unpack();
        addUp();
        code.decrement(R10);
        code.jumpIfNotZero(next);
    }

    private void drain() {
        for (int i = 0; i < before(); i++) {
            store();
            multiply();
            addUp();
        }
        store();
        for (int i = 0; i < BEHIND; i++) {
            addUp();
        }
    }

    private void unpack() {
        if (format != PackedFormat.Q4_0) {
            return;
        }
        for (int block = 0; block < together; block++) {
            int from = block * format.blockBytes();
            int to = block * UNPACKED_BLOCK;
            for (int i = 0; i < 4; i++) {
                code.loadWords(22, 0, at(RSI, from + 64 * i));
                code.shiftLeft(23, 22, 4);
                code.andXor(22, UPPER_HALF, HIGHEST_BIT);
                code.andXor(23, UPPER_HALF, HIGHEST_BIT);
                code.storeWords(at(R11, to + 64 * i), 0, 23);
                code.storeWords(at(R11, to + 256 + 64 * i), 0, 22);
            }
        }
        fetchAhead();
        code.addConstant(RSI, together * format.blockBytes());
        nextSlot(R11);
    }

    private void nextSlot(int register) {
        code.addConstant(register, SLOT);
        code.andConstant(register, ~(SLOTS * SLOT));
    }

    private void fetchAhead() {
        for (int line = 0; line < together * format.blockBytes(); line += 64) {
            code.prefetch(at(R14, line));
        }
        code.addConstant(R14, together * format.blockBytes());
    }

    private void multiply() {
        boolean unpacked = format == PackedFormat.Q4_0;
        code.tileLoad(1, at(RDX, R12, 1, 0));
        code.tileLoad(2, at(unpacked ? R15 : RSI, RBP, 1, 0));
        code.tileZero(0);
        code.tileMultiplyBytes(0, 1, 2);
        code.add(RDX, at(RDI, BlockParameters.B_STEP));
        if (unpacked) {
            nextSlot(R15);
        } else {
            fetchAhead();
            code.addConstant(RSI, format.blockBytes());
        }
    }

    private void store() {
        code.tileStore(at(RCX, RBP, 1, 0), 0);
        nextSlot(RCX);
    }

    private void addUp() {
        for (int block = 0; block < together; block++) {
            addUp(block * most);
        }
        nextSlot(R9);
    }

    /// Adds up one block of each token, the first of which is row `first` of the tile.
    private void addUp(int first) {
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
            code.intsToFloats(register, at(R9, 64 * (first + t)));
            code.multiplyByOne(register, register, factor(t, 0));
            code.fusedMultiplyAdd(t, register, SCALES);
            if (format.least()) {
                code.fusedMultiplyAddOne(t, LEAST, factor(t, 16));
            }
        }
        code.add(RAX, at(RDI, BlockParameters.TABLE_STEP));
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

    private void storeTokens() {
        code.load(R8, at(RDI, BlockParameters.Y));
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
