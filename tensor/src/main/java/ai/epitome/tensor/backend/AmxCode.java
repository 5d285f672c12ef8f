package ai.epitome.tensor.backend;

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

/// The machine code of [AmxProduct]: routines `void f(long* block)` in the System V calling convention, `block`
/// being an array of parameters. They touch only registers that a call may change, or put them back.
///
/// **Multiplication.** AMX has eight tile registers of 16 rows of 64 bytes. `tdpbf16ps` adds to a tile of 16 x 16 f32
/// sums the product of 16 x 32 bf16 of A and 32 x 16 of B, the latter with rows 2p and 2p + 1 side by side in pairs
/// (Intel's manual calls it VNNI). It starts every 16 cycles and its sum is ready after 52, so four sums keep it
/// busy; and with sums in a square each tile that is loaded (8 cycles from the first-level cache) is used twice:
///
/// ```
///                 tmm6 tmm7   B, 32 columns    rdi parameters      r8  A of the rows       r12 64
///   A, 32 tmm4    tmm0 tmm1   C, 32 x 32       rsi B of the block  rax, rbx tiles of A     r13 A stride
///   rows  tmm5    tmm2 tmm3                    rdx C of the block  rcx, rbp tiles of B     r14 A ahead
///                                              r9  C of the rows   r10 blocks, r11 steps   r15 C stride
/// ```
/// Steps of 32 along the depth are the innermost loop, then blocks of columns, then blocks of rows: the strip of A
/// stays in the first-level cache while B comes from the second. Block of columns j also fetches rows j and 16 + j of
/// the next strip, since rows are too far apart for the hardware to see them coming. At the edges the same code runs
/// with tiles configured to fewer rows or columns, which also bounds what it reads and writes; a block that needs only
/// one tile in a direction has a variant of its own, since a tile of no rows does not exist.
///
/// **Packing** brings operands into tiles. A tile has 16 registers; memory rows become registers as they are, or two
/// rows become pairs, and the registers are then transposed or not:
///
/// ```
///   A as it stands     rows              B given as its transpose   rows, transposed
///   A transposed       pairs, transposed B as it stands             pairs
/// ```
final class AmxCode {
    /// Bytes of a tile: 16 rows of 64.
    static final int TILE = 1024;

    // Parameters of a multiplication: byte offsets into its array. Strides and distances are in bytes.
    static final int A = 0;
    static final int A_STRIDE = 8;
    /// To the tile of the next 32 of the depth.
    static final int A_STEP = 16;
    /// To the next block of rows.
    static final int A_BLOCK = 24;
    /// To the second tile of a block.
    static final int A_SECOND = 32;
    static final int B = 40;
    static final int B_SECOND = 48;
    static final int B_BLOCK = 56;
    static final int C = 64;
    static final int C_STRIDE = 72;
    /// To the next block of columns, and of rows.
    static final int C_COLUMNS = 80;
    static final int C_ROWS = 88;
    static final int STEPS = 96;
    /// Counted down to zero by the routine.
    static final int ROW_BLOCKS = 104;
    static final int COLUMN_BLOCKS = 112;
    /// Rows of a block, and its columns as a mask: for bf16 results.
    static final int ROWS = 120;
    /// The operand of `ldtilecfg`, 64 bytes.
    static final int CONFIGURATION = 128;
    static final int MASK = 192;
    /// Address of a block of sums, 32 x 32 f32, on their way to bf16.
    static final int SUMS = 200;
    /// From a row of A to the one to fetch ahead: the next block's, or the same where A is packed.
    static final int A_AHEAD = 208;

    // Parameters of a packing: an inner and an outer loop over tiles, which go along memory rows and across them.
    static final int SOURCE = 0;
    static final int SOURCE_STRIDE = 8;
    static final int SOURCE_INNER = 16;
    static final int SOURCE_OUTER = 24;
    static final int TARGET = 32;
    /// To the next target within the inner loop, and from the last of it to the first of the next.
    static final int TARGET_INNER = 40;
    static final int TARGET_OUTER = 48;
    static final int INNER = 56;
    static final int OUTER = 64;
    /// At edges: where each of 32 memory rows lies, and which of its elements exist.
    static final int OFFSETS = 72;
    static final int MASKS = OFFSETS + 8 * 32;

    /// Longs of either array.
    static final int BLOCK = 9 + 2 * 32;

    private final Assembler code = new Assembler();

    byte[] bytes() {
        return code.bytes();
    }

    /// A multiplication of blocks of `rowTiles` by `columnTiles` tiles (1 or 2) of C; the entry's offset.
    int multiply(int rowTiles, int columnTiles, DType output, boolean accumulate) {
        code.align();
        int entry = code.here();
        int[] saved = {RBX, RBP, R12, R13, R14, R15};
        for (int register : saved) {
            code.push(register);
        }
        code.tileConfigure(at(RDI, CONFIGURATION));
        if (output == DType.BF16) {
            code.mask(1, at(RDI, MASK));
            code.mask16(2, at(RDI, MASK + 2));
        }
        code.load(R8, at(RDI, A));
        code.load(R9, at(RDI, C));
        code.load(R13, at(RDI, A_STRIDE));
        code.set(R12, 64);
        int row = code.here();
        code.load(RSI, at(RDI, B));
        code.move(RDX, R9);
        code.load(R10, at(RDI, COLUMN_BLOCKS));
        code.load(R14, at(RDI, A_AHEAD));
        int column = code.here();
        boolean preload = accumulate && output == DType.F32;
        code.load(R15, at(RDI, C_STRIDE));
        startSums(rowTiles, columnTiles, preload);
        steps(rowTiles, columnTiles);
        if (output == DType.F32) {
            tilesAtC(rowTiles, columnTiles, false);
        } else {
            storeRounded(rowTiles, columnTiles, accumulate);
        }
        code.add(RSI, at(RDI, B_BLOCK));
        code.add(RDX, at(RDI, C_COLUMNS));
        code.add(R14, R13);
        code.decrement(R10);
        code.jumpIfNotZero(column);
        code.add(R8, at(RDI, A_BLOCK));
        code.add(R9, at(RDI, C_ROWS));
        // The count of rows lives in memory: there is no register left.
        code.load(RAX, at(RDI, ROW_BLOCKS));
        code.decrement(RAX);
        code.store(at(RDI, ROW_BLOCKS), RAX);
        code.jumpIfNotZero(row);
        code.tileRelease();
        code.zeroUpper();
        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.ret();
        return entry;
    }

    private void startSums(int rowTiles, int columnTiles, boolean preload) {
        if (preload) {
            tilesAtC(rowTiles, columnTiles, true);
            return;
        }
        for (int i = 0; i < rowTiles; i++) {
            for (int j = 0; j < columnTiles; j++) {
                code.tileZero(2 * i + j);
            }
        }
    }

    /// Loads or stores the tiles of sums from or to C.
    private void tilesAtC(int rowTiles, int columnTiles, boolean load) {
        code.move(RAX, RDX);
        for (int i = 0; i < rowTiles; i++) {
            for (int j = 0; j < columnTiles; j++) {
                Memory place = at(RAX, R15, 1, 64 * j);
                if (load) {
                    code.tileLoad(2 * i + j, place);
                } else {
                    code.tileStore(place, 2 * i + j);
                }
            }
            if (i + 1 < rowTiles) {
                code.lea(RAX, at(RAX, R15, 8, 0));
                code.lea(RAX, at(RAX, R15, 8, 0));
            }
        }
    }

    private void steps(int rowTiles, int columnTiles) {
        code.move(RAX, R8);
        code.move(RCX, RSI);
        code.move(RBX, R8);
        code.add(RBX, at(RDI, A_SECOND));
        code.move(RBP, RSI);
        code.add(RBP, at(RDI, B_SECOND));
        code.load(R11, at(RDI, STEPS));
        int step = code.here();
        code.tileLoadOnce(6, at(RCX, R12, 1, 0));
        code.tileLoad(4, at(RAX, R13, 1, 0));
        code.tileMultiply(0, 4, 6);
        if (columnTiles == 2) {
            code.tileLoadOnce(7, at(RBP, R12, 1, 0));
            code.tileMultiply(1, 4, 7);
        }
        if (rowTiles == 2) {
            code.tileLoad(5, at(RBX, R13, 1, 0));
            code.tileMultiply(2, 5, 6);
            if (columnTiles == 2) {
                code.tileMultiply(3, 5, 7);
            }
        }
        code.prefetch(at(RAX, R14, 1, 0));
        code.prefetch(at(RBX, R14, 1, 0));
        code.add(RAX, at(RDI, A_STEP));
        code.add(RBX, at(RDI, A_STEP));
        code.addConstant(RCX, TILE);
        code.addConstant(RBP, TILE);
        code.decrement(R11);
        code.jumpIfNotZero(step);
    }

    /// Stores the sums to memory of the block and from there, rounded, to C.
    private void storeRounded(int rowTiles, int columnTiles, boolean accumulate) {
        code.load(RAX, at(RDI, SUMS));
        code.set(RCX, 128);
        for (int i = 0; i < rowTiles; i++) {
            for (int j = 0; j < columnTiles; j++) {
                code.tileStore(at(RAX, RCX, 1, i * 2048 + 64 * j), 2 * i + j);
            }
        }
        code.move(RCX, RDX);
        code.load(R11, at(RDI, ROWS));
        int row = code.here();
        code.loadWords(0, 0, at(RAX, 0));
        code.loadWords(1, 0, at(RAX, 64));
        if (accumulate) {
            code.loadWordsAsInts(2, 1, at(RCX, 0));
            code.loadWordsAsInts(3, 2, at(RCX, 32));
            code.shiftLeft(2, 2, 16);
            code.shiftLeft(3, 3, 16);
            code.addFloats(0, 0, 2);
            code.addFloats(1, 1, 3);
        }
        code.roundToBf16(0, 1, 0);
        code.storeWords(at(RCX, 0), 1, 0);
        code.addConstant(RAX, 128);
        code.add(RCX, R15);
        code.decrement(R11);
        code.jumpIfNotZero(row);
    }

    /// A packing of tiles; the entry's offset.
    ///
    /// @param pairs whether 32 memory rows of 16 elements become 16 registers of pairs, or 16 memory rows of 32
    /// elements one register each
    /// @param transpose whether the registers, seen as 16 rows of 16 ints, are transposed
    /// @param masked whether rows have an offset and a mask each, for edges
    int pack(boolean pairs, boolean transpose, boolean masked) {
        code.align();
        int entry = code.here();
        code.load(RSI, at(RDI, SOURCE));
        code.load(RDX, at(RDI, SOURCE_STRIDE));
        code.lea(R9, at(RDX, RDX, 2, 0));
        code.load(RCX, at(RDI, TARGET));
        code.load(R8, at(RDI, OUTER));
        int outer = code.here();
        code.move(R11, RSI);
        code.load(R10, at(RDI, INNER));
        int inner = code.here();
        code.move(RAX, R11);
        for (int i = 0; i < 16; i++) {
            if (pairs) {
                loadRow(2 * i, i, true, masked);
                loadRow(2 * i + 1, 16 + i, true, masked);
                code.shiftLeft(16 + i, 16 + i, 16);
                code.or(i, i, 16 + i);
            } else {
                loadRow(i, i, false, masked);
            }
        }
        if (transpose) {
            transpose(code);
        }
        for (int i = 0; i < 16; i++) {
            code.storeWords(at(RCX, 64 * i), 0, i);
        }
        code.add(RCX, at(RDI, TARGET_INNER));
        code.add(R11, at(RDI, SOURCE_INNER));
        code.decrement(R10);
        code.jumpIfNotZero(inner);
        code.add(RSI, at(RDI, SOURCE_OUTER));
        code.add(RCX, at(RDI, TARGET_OUTER));
        code.decrement(R8);
        code.jumpIfNotZero(outer);
        code.zeroUpper();
        code.ret();
        return entry;
    }

    private void loadRow(int row, int register, boolean words, boolean masked) {
        Memory place;
        if (masked) {
            code.load(RAX, at(RDI, OFFSETS + 8 * row));
            code.mask(1, at(RDI, MASKS + 8 * row));
            place = at(R11, RAX, 1, 0);
        } else {
            if (row > 0 && row % 4 == 0) {
                code.lea(RAX, at(RAX, RDX, 4, 0));
            }
            place = switch (row % 4) {
                case 0 -> at(RAX, 0);
                case 1 -> at(RAX, RDX, 1, 0);
                case 2 -> at(RAX, RDX, 2, 0);
                default -> at(RAX, R9, 1, 0);
            };
        }
        if (words) {
            code.loadWordsAsInts(register, masked ? 1 : 0, place);
        } else {
            code.loadWords(register, masked ? 1 : 0, place);
        }
    }

    /// Registers 0 to 15 as rows of 16 ints, transposed in four rounds that double the size of what is in place.
    static void transpose(Assembler code) {
        for (int i = 0; i < 16; i += 2) {
            code.unpackLowInts(16 + i, i, i + 1);
            code.unpackHighInts(17 + i, i, i + 1);
        }
        for (int i = 0; i < 16; i += 4) {
            code.unpackLowLongs(i, 16 + i, 18 + i);
            code.unpackHighLongs(i + 1, 16 + i, 18 + i);
            code.unpackLowLongs(i + 2, 17 + i, 19 + i);
            code.unpackHighLongs(i + 3, 17 + i, 19 + i);
        }
        // Quarter q of register 4g + j now holds rows 4g to 4g + 3 of column 4q + j.
        for (int j = 0; j < 4; j++) {
            code.shuffleQuarters(16 + j, j, 4 + j, 0x88);
            code.shuffleQuarters(20 + j, j, 4 + j, 0xDD);
            code.shuffleQuarters(24 + j, 8 + j, 12 + j, 0x88);
            code.shuffleQuarters(28 + j, 8 + j, 12 + j, 0xDD);
        }
        for (int j = 0; j < 4; j++) {
            code.shuffleQuarters(j, 16 + j, 24 + j, 0x88);
            code.shuffleQuarters(8 + j, 16 + j, 24 + j, 0xDD);
            code.shuffleQuarters(4 + j, 20 + j, 28 + j, 0x88);
            code.shuffleQuarters(12 + j, 20 + j, 28 + j, 0xDD);
        }
    }
}
