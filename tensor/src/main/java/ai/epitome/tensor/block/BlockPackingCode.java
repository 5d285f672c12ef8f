package ai.epitome.tensor.block;

import static ai.epitome.tensor.machine.Assembler.R10;
import static ai.epitome.tensor.machine.Assembler.R11;
import static ai.epitome.tensor.machine.Assembler.R12;
import static ai.epitome.tensor.machine.Assembler.R13;
import static ai.epitome.tensor.machine.Assembler.R14;
import static ai.epitome.tensor.machine.Assembler.R8;
import static ai.epitome.tensor.machine.Assembler.R9;
import static ai.epitome.tensor.machine.Assembler.RCX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.RDX;
import static ai.epitome.tensor.machine.Assembler.RSI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.machine.Assembler;

/// Machine code that brings 16 rows of numbers into a [PackedFormat]: routines `void f(long*)` with the parameters of
/// [BlockParameters].
///
/// A register takes 16 bytes of each of four rows. Four such registers, transposed within their quarters, hold four
/// bytes of each of 16 rows:
///
/// ```text
/// register i   row i: 0 1 2 3   row 4 + i: 0 1 2 3   row 8 + i: 0 1 2 3   row 12 + i: 0 1 2 3
/// becomes      rows 0..3: i     rows 4..7: i         rows 8..11: i        rows 12..15: i
/// ```
/// Scales of a file's blocks are gathered; those of rows of bytes are not this code's business.
final class BlockPackingCode {
    private static final int SCALES = 20;
    private static final int DISTANCE = 31;
    /// Mask of eight lanes.
    private static final int EIGHT = 6;

    private static final int[] BASES = {RSI, R8, R9, R11};

    private final Assembler code;

    /// Routines go to the end of `code`.
    BlockPackingCode(Assembler code) {
        this.code = code;
    }

    /// Packs a row group of [BlockParameters#BLOCKS] blocks.
    int pack(PackedFormat format) {
        code.align();
        int entry = code.here();
        int[] saved = {R12, R13, R14};
        for (int register : saved) {
            code.push(register);
        }
        start();
        int numbersAt = format.halves() ? 2 : 0;
        int fileBytes = numbersAt + (format == PackedFormat.Q4_0 ? 16 : format.channels());
        int next = code.here();
        for (int part = 0; part < format.numbersBytes() / 256; part++) {
            for (int i = 0; i < 4; i++) {
                rows(1 + i, BASES[i], numbersAt + 16 * part);
            }
            transpose(256 * part);
        }
        if (format.halves()) {
            code.fillMask1();
            code.gatherInts(SCALES, RSI, DISTANCE);
            code.intsToWords(SCALES, SCALES);
            code.storeInts(at(RDX, format.numbersBytes()), EIGHT, SCALES);
        }
        for (int base : BASES) {
            code.addConstant(base, fileBytes);
        }
        code.addConstant(RDX, format.blockBytes());
        code.decrement(R10);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.ret();
        return entry;
    }

    /// ```
    /// rsi r8 r9 r11   rows 0 to 3         rdx packed     r10 blocks left
    /// r12 r13 r14     1, 4 and 12 strides
    /// ```
    private void start() {
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        for (int quarter = 1; quarter < 4; quarter++) {
            code.mask16(2 + quarter, at(RCX, BlockParameters.QUARTERS + 4 * (quarter - 1)));
        }
        code.mask16(EIGHT, at(RCX, BlockParameters.EIGHT_LANES));
        code.loadWords(DISTANCE, 0, at(RDI, BlockParameters.DISTANCES));
        code.load(R12, at(RDI, BlockParameters.ROW_STRIDE));
        code.lea(R13, at(R12, R12, 1, 0));
        code.add(R13, R13);
        code.lea(R14, at(R13, R13, 2, 0));
        code.load(RSI, at(RDI, BlockParameters.ROWS));
        code.lea(R8, at(RSI, R12, 1, 0));
        code.lea(R9, at(RSI, R12, 2, 0));
        code.lea(R11, at(R8, R12, 2, 0));
        code.load(RDX, at(RDI, BlockParameters.A));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
    }

    /// 16 bytes of four rows, the first at `base`.
    private void rows(int to, int base, int displacement) {
        code.broadcastQuarter(to, 0, at(base, displacement));
        code.broadcastQuarter(to, 3, at(base, R13, 1, displacement));
        code.broadcastQuarter(to, 4, at(base, R13, 2, displacement));
        code.broadcastQuarter(to, 5, at(base, R14, 1, displacement));
    }

    private void transpose(int displacement) {
        code.unpackLowInts(7, 1, 2);
        code.unpackHighInts(8, 1, 2);
        code.unpackLowInts(9, 3, 4);
        code.unpackHighInts(10, 3, 4);
        code.unpackLowLongs(1, 7, 9);
        code.unpackHighLongs(2, 7, 9);
        code.unpackLowLongs(3, 8, 10);
        code.unpackHighLongs(4, 8, 10);
        for (int i = 0; i < 4; i++) {
            code.storeWords(at(RDX, displacement + 64 * i), 0, 1 + i);
        }
    }
}
