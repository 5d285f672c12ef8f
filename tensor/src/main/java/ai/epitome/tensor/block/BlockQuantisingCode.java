package ai.epitome.tensor.block;

import static ai.epitome.tensor.machine.Assembler.R10;
import static ai.epitome.tensor.machine.Assembler.RCX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.RDX;
import static ai.epitome.tensor.machine.Assembler.RSI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.machine.Assembler;

/// Machine code for the numbers of a row of activations, block by block as [BlockActivations] defines them: routines
/// `void f(long*)` with the parameters of [BlockParameters]. Between the two, Java makes scales and factors of the
/// magnitudes, a few operations a block.
///
/// A virtual machine that has just started interprets loops of its Vector API, slowly. Compiled, they took three
/// times as long for the eight tokens of a step.
final class BlockQuantisingCode {
    private static final int MAGNITUDE = 5;
    private static final int ONE_LANE = 1;

    private final Assembler code;

    /// Routines go to the end of `code`.
    BlockQuantisingCode(Assembler code) {
        this.code = code;
    }

    /// Writes the largest magnitude of each of [BlockParameters#BLOCKS] blocks at [BlockParameters#ROWS] to
    /// [BlockParameters#A]. Magnitudes are in the order of their bits, and what is not a number is behind all.
    int largest(DType input) {
        code.align();
        int entry = code.here();
        start();
        code.load(RDX, at(RDI, BlockParameters.A));
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        code.loadWords(MAGNITUDE, 0, at(RCX, BlockParameters.MAGNITUDE));
        code.mask16(ONE_LANE, at(RCX, BlockParameters.ONE_LANE));
        int blocks = code.here();
        load(input);
        code.and(1, 1, MAGNITUDE);
        code.and(2, 2, MAGNITUDE);
        code.maxInts(1, 1, 2);
        code.shuffleQuarters(2, 1, 1, 0x4E);
        code.maxInts(1, 1, 2);
        code.shuffleQuarters(2, 1, 1, 0xB1);
        code.maxInts(1, 1, 2);
        code.unpackHighLongs(2, 1, 1);
        code.maxInts(1, 1, 2);
        code.unpackLowInts(1, 1, 1);
        code.unpackHighLongs(2, 1, 1);
        code.maxInts(1, 1, 2);
        code.storeInts(at(RDX, 0), ONE_LANE, 1);
        code.addConstant(RDX, Float.BYTES);
        next(input, blocks);
        return entry;
    }

    /// Writes the numbers of the same blocks, each times its factor at [BlockParameters#A], to
    /// [BlockParameters#B], [BlockParameters#B_STEP] bytes apart.
    int round(DType input) {
        code.align();
        int entry = code.here();
        start();
        code.load(RCX, at(RDI, BlockParameters.A));
        code.load(RDX, at(RDI, BlockParameters.B));
        int blocks = code.here();
        load(input);
        for (int half = 0; half < 2; half++) {
            code.multiplyByOne(1 + half, 1 + half, at(RCX, 0));
            code.floatsToInts(1 + half, 1 + half);
            code.storeBytes(at(RDX, 16 * half), 1 + half);
        }
        code.addConstant(RCX, Float.BYTES);
        code.add(RDX, at(RDI, BlockParameters.B_STEP));
        next(input, blocks);
        return entry;
    }

    private void start() {
        code.load(RSI, at(RDI, BlockParameters.ROWS));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
    }

    /// The block at `rsi` as floats.
    private void load(DType input) {
        for (int half = 0; half < 2; half++) {
            if (input == DType.BF16) {
                code.loadWordsAsInts(1 + half, 0, at(RSI, 32 * half));
                code.shiftLeft(1 + half, 1 + half, 16);
            } else {
                code.loadWords(1 + half, 0, at(RSI, 64 * half));
            }
        }
    }

    private void next(DType input, int blocks) {
        code.addConstant(RSI, BlockActivations.BLOCK * input.bytes());
        code.decrement(R10);
        code.jumpIfNotZero(blocks);
        code.zeroUpper();
        code.ret();
    }
}
