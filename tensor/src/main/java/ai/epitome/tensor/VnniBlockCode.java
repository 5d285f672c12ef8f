package ai.epitome.tensor;

import static ai.epitome.tensor.Assembler.R10;
import static ai.epitome.tensor.Assembler.R11;
import static ai.epitome.tensor.Assembler.R12;
import static ai.epitome.tensor.Assembler.R13;
import static ai.epitome.tensor.Assembler.R14;
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

/// Machine code for a single token times quantised weights, 16 rows at a time: routines `void f(long*)` with the
/// parameters of [BlockParameters].
///
/// `vpdpbusd` multiplies four unsigned bytes by four signed ones and adds them up. A register has 16 bytes of each of
/// four rows, which 16 channels multiply; four such registers make 16 rows. Their 4 x 16 partial sums are then added
/// crosswise, so that one register holds the sum of a block for each row, and scales are applied to 16 rows at once:
///
/// ```text
/// register i       row i      row 4 + i    row 8 + i    row 12 + i      (four quarters)
/// sums of i       a b c d     a b c d      a b c d      a b c d
/// added up       rows 0..3   rows 4..7    rows 8..11   rows 12..15      in this order
/// ```
///
/// Weights are unsigned: q for Q4_0, which stands for q - 8, and for signed bytes the byte with its highest bit
/// flipped, which stands for 128 less. What that is too much, times the sum of activations, is subtracted; all of it
/// is exact. So a block takes some 27 cycles, and memory is what limits.
final class VnniBlockCode {
    private static final int Y = 0;
    private static final int LOW = 20;
    private static final int HIGH = 21;
    private static final int SCALES = 22;
    private static final int SCRATCH = 23;
    private static final int DISTANCE = 31;
    private static final int MASK = 30;

    /// A line two pages ahead is fetched as well, so that the page's address is known when its turn comes: it was worth
    /// a fifth where weights come from memory.
    private static final int PAGES_AHEAD = 8192;

    private static final int[] BASES = {RSI, R8, R9, R11};

    private final Assembler code;

    /// Routines go to the end of `code`.
    VnniBlockCode(Assembler code) {
        this.code = code;
    }

    /// A product with weights from `source`.
    ///
    /// @param group channels with a scale: 16, of panels only, or 32
    int product(Source source, int group, DType output) {
        code.align();
        int entry = code.here();
        int[] saved = {RBX, RBP, R12, R13, R14};
        for (int register : saved) {
            code.push(register);
        }
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        for (int quarter = 1; quarter < 4; quarter++) {
            code.mask16(2 + quarter, at(RCX, BlockParameters.QUARTERS + 4 * (quarter - 1)));
        }
        code.mask16(2, at(RDI, BlockParameters.MASK));
        code.loadWords(
                MASK, 0, at(RCX, source == Source.Q4_0 ? BlockParameters.LOWER_HALF : BlockParameters.HIGHEST_BIT));
        if (source.inPlace()) {
            code.loadWords(DISTANCE, 0, at(RDI, BlockParameters.DISTANCES));
        }
        code.load(R12, at(RDI, BlockParameters.A_STRIDE));
        code.lea(R13, at(R12, R12, 1, 0));
        code.add(R13, R13);
        code.lea(R14, at(R13, R13, 2, 0));
        int rows = code.here();
        startRows();
        int blocks = code.here();
        block(source, group);
        code.decrement(R10);
        code.jumpIfNotZero(blocks);
        store(output);
        BlockParameters.advance(code, BlockParameters.A, BlockParameters.A_NEXT);
        BlockParameters.advance(code, BlockParameters.BIAS, BlockParameters.BIAS_NEXT);
        BlockParameters.advance(code, BlockParameters.Y, BlockParameters.Y_ROWS);
        BlockParameters.countDown(code, BlockParameters.ROW_GROUPS);
        code.jumpIfNotZero(rows);
        code.zeroUpper();
        for (int i = saved.length - 1; i >= 0; i--) {
            code.pop(saved[i]);
        }
        code.ret();
        return entry;
    }

    /// ```
    /// rsi r8 r9 r11   weights of rows 0 to 3    rdx activations           r10 blocks left
    /// r12 r13 r14     1, 4 and 12 strides       rbx scales of a panel
    /// rax             table                     rbp fetched ahead
    /// ```
    private void startRows() {
        code.load(RSI, at(RDI, BlockParameters.A));
        code.lea(R8, at(RSI, R12, 1, 0));
        code.lea(R9, at(RSI, R12, 2, 0));
        code.lea(R11, at(R8, R12, 2, 0));
        code.load(RDX, at(RDI, BlockParameters.B));
        code.load(RAX, at(RDI, BlockParameters.TABLE));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
        code.load(RBX, at(RDI, BlockParameters.SCALES));
        code.move(RBP, RSI);
        code.add(RBP, at(RDI, BlockParameters.AHEAD));
        code.load(RCX, at(RDI, BlockParameters.BIAS));
        code.loadWords(Y, 0, at(RCX, 0));
    }

    private void block(Source source, int group) {
        code.broadcastQuarter(LOW, 0, at(RDX, 0));
        if (group == 32) {
            code.broadcastQuarter(HIGH, 0, at(RDX, 16));
        }
        if (source.inPlace()) {
            code.fillMask1();
            code.gatherInts(SCALES, RSI, DISTANCE);
        }
        for (int i = 0; i < 4; i++) {
            code.xor(1 + i, 1 + i, 1 + i);
            rows(5, BASES[i], source.numbersAt());
            if (source == Source.Q4_0) {
                code.shiftRight(6, 5, 4);
                code.and(5, 5, MASK);
                code.and(6, 6, MASK);
            } else {
                code.xor(5, 5, MASK);
            }
            code.dotBytes(1 + i, 5, LOW);
            if (group == 32) {
                if (source != Source.Q4_0) {
                    rows(6, BASES[i], source.numbersAt() + 16);
                    code.xor(6, 6, MASK);
                }
                code.dotBytes(1 + i, 6, HIGH);
            }
        }
        addCrosswise();
        code.broadcastInt(SCRATCH, at(RAX, group == 32 ? BlockParameters.SUM_OF_32 : BlockParameters.SUM_OF_16));
        code.shiftLeft(SCRATCH, SCRATCH, source == Source.Q4_0 ? 3 : 7);
        code.subtractInts(1, 1, SCRATCH);
        code.intsToFloats(1, 1);
        code.multiplyByOne(1, 1, at(RAX, 0));
        scale(source);
        advance(source, group);
    }

    /// 16 bytes of four rows, the first at `base`.
    private void rows(int to, int base, int displacement) {
        code.broadcastQuarter(to, 0, at(base, displacement));
        code.broadcastQuarter(to, 3, at(base, R13, 1, displacement));
        code.broadcastQuarter(to, 4, at(base, R13, 2, displacement));
        code.broadcastQuarter(to, 5, at(base, R14, 1, displacement));
    }

    private void addCrosswise() {
        code.unpackLowInts(5, 1, 2);
        code.unpackHighInts(6, 1, 2);
        code.addInts(1, 5, 6);
        code.unpackLowInts(7, 3, 4);
        code.unpackHighInts(8, 3, 4);
        code.addInts(3, 7, 8);
        code.unpackLowLongs(5, 1, 3);
        code.unpackHighLongs(6, 1, 3);
        code.addInts(1, 5, 6);
    }

    private void scale(Source source) {
        if (source.inPlace()) {
            code.intsToWords(SCALES, SCALES);
            code.halvesToFloats(SCALES, SCALES);
            code.fusedMultiplyAdd(Y, 1, SCALES);
            return;
        }
        code.fusedMultiplyAdd(Y, 1, at(RBX, 0));
        if (source.least()) {
            code.loadWords(SCRATCH, 0, at(RBX, 64));
            code.fusedMultiplyAddOne(Y, SCRATCH, at(RAX, 4));
        }
    }

    private void advance(Source source, int group) {
        if (source.inPlace()) {
            for (int line = 0; line < 16 * source.blockBytes(); line += 64) {
                code.prefetch(at(RBP, line));
            }
            code.prefetch(at(RBP, PAGES_AHEAD));
            code.addConstant(RBP, 16 * source.blockBytes());
        } else {
            code.addConstant(RBX, source.least() ? 128 : 64);
        }
        for (int base : BASES) {
            code.addConstant(base, source.inPlace() ? source.blockBytes() : group);
        }
        code.addConstant(RDX, group);
        code.add(RAX, at(RDI, BlockParameters.TABLE_STEP));
    }

    private void store(DType output) {
        code.load(RCX, at(RDI, BlockParameters.Y));
        if (output == DType.BF16) {
            code.roundToBf16(Y, Y);
            code.storeWords(at(RCX, 0), 2, Y);
        } else {
            code.storeInts(at(RCX, 0), 2, Y);
        }
    }
}
