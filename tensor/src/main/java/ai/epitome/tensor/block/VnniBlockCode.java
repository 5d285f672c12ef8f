package ai.epitome.tensor.block;

import static ai.epitome.tensor.machine.Assembler.R10;
import static ai.epitome.tensor.machine.Assembler.RAX;
import static ai.epitome.tensor.machine.Assembler.RBP;
import static ai.epitome.tensor.machine.Assembler.RCX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.RDX;
import static ai.epitome.tensor.machine.Assembler.RSI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.machine.Assembler;

/// Machine code for a single token times packed weights, 16 rows at a time, one in each lane: routines `void f(long*)`
/// with the parameters of [BlockParameters].
///
/// `vpdpbusd` multiplies four unsigned bytes by four signed ones and adds them up. Weights are unsigned: q for Q4_0,
/// which stands for q - 8, and for signed bytes the byte with its highest bit flipped, which stands for 128 less. What
/// that is too much, times the sum of activations, is where sums begin; all of it is exact. A block of Q4_0 takes some
/// 10 cycles, and memory is what limits: it is read in order, some lines ahead.
final class VnniBlockCode {
    private static final int Y = 0;
    private static final int SCALES = 6;
    private static final int MASK = 30;

    /// Bytes from what is multiplied to what is fetched.
    private static final int AHEAD = 4096;

    private final Assembler code;
    private final BlockCompactCode compact;

    /// Routines go to the end of `code`.
    VnniBlockCode(Assembler code) {
        this.code = code;
        this.compact = new BlockCompactCode(code);
    }

    /// A product with weights in `format`; the entry's offset.
    int product(PackedFormat format, DType output) {
        code.align();
        int entry = code.here();
        code.push(RBP);
        code.mask16(2, at(RDI, BlockParameters.MASK));
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        if (format.isCompact()) {
            compact.loadMasks(format);
        } else {
            int mask = format == PackedFormat.Q4_0 ? BlockParameters.LOWER_HALF : BlockParameters.HIGHEST_BIT;
            code.loadWords(MASK, 0, at(RCX, mask));
        }
        code.load(RSI, at(RDI, BlockParameters.A));
        code.load(RBP, at(RDI, BlockParameters.TABLE_STEP));
        int rows = code.here();
        code.load(RDX, at(RDI, BlockParameters.B));
        code.load(RAX, at(RDI, BlockParameters.TABLE));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
        code.load(RCX, at(RDI, BlockParameters.BIAS));
        code.loadWords(Y, 0, at(RCX, 0));
        int blocks = code.here();
        if (format.isCompact()) {
            compactBlock(format);
        } else {
            block(format);
        }
        step(format);
        code.decrement(R10);
        code.jumpIfNotZero(blocks);
        store(output);
        BlockParameters.advance(code, BlockParameters.BIAS, BlockParameters.BIAS_NEXT);
        BlockParameters.advance(code, BlockParameters.Y, BlockParameters.Y_ROWS);
        BlockParameters.countDown(code, BlockParameters.ROW_GROUPS);
        code.jumpIfNotZero(rows);
        code.zeroUpper();
        code.pop(RBP);
        code.ret();
        return entry;
    }

    /// ```
    /// rsi weights   rdx activations   rax table, rbp its step   r10 blocks left
    /// ```
    private void block(PackedFormat format) {
        code.broadcastInt(1, at(RAX, start(format)));
        code.xor(2, 2, 2);
        if (format == PackedFormat.Q4_0) {
            fourBits();
        } else {
            bytes(format.channels());
        }
        code.addInts(1, 1, 2);
        code.intsToFloats(1, 1);
        code.multiplyByOne(1, 1, at(RAX, 0));
        if (format.halves()) {
            code.halvesToFloats(SCALES, at(RSI, format.numbersBytes()));
            code.fusedMultiplyAdd(Y, 1, SCALES);
        } else {
            code.fusedMultiplyAdd(Y, 1, at(RSI, format.numbersBytes()));
        }
        if (format.least()) {
            code.loadWords(SCALES, 0, at(RSI, format.numbersBytes() + 64));
            code.fusedMultiplyAddOne(Y, SCALES, at(RAX, 4));
        }
    }

    private void step(PackedFormat format) {
        for (int line = 0; line < format.blockBytes(); line += 64) {
            code.prefetch(at(RSI, AHEAD + line));
        }
        code.addConstant(RSI, format.blockBytes());
        code.addConstant(RDX, format.channels());
        code.add(RAX, RBP);
    }

    private static int start(PackedFormat format) {
        return switch (format) {
            case Q4_0 -> BlockParameters.EIGHT_OF_32;
            case Q8_0, BYTES, BYTES_WITH_LEAST -> BlockParameters.HALF_OF_32;
            case BYTES_OF_16 -> BlockParameters.HALF_OF_16;
            case FIVE_BITS -> BlockParameters.SIXTEEN_OF_32;
            case SIX_BITS_OF_16 -> BlockParameters.THIRTY_TWO_OF_16;
            case FOUR_BITS_WITH_LEAST, FIVE_BITS_WITH_LEAST -> throw new IllegalArgumentException(format.name());
        };
    }

    /// Sums of the first 16 channels are in one register, those of the others in another one.
    private void compactBlock(PackedFormat format) {
        code.xor(1, 1, 1);
        code.xor(2, 2, 2);
        if (format.excess() > 0) {
            code.broadcastInt(1, at(RAX, start(format)));
        }
        if (format == PackedFormat.SIX_BITS_OF_16) {
            code.broadcastInt(2, at(RAX, BlockParameters.SINGLE + start(format)));
        }
        compact.loadLines(format);
        for (int i = 0; i < 4; i++) {
            compact.loadNumbers(format, i);
            code.dotBytes(1, BlockCompactCode.LOWER, at(RDX, 4 * i));
            code.dotBytes(2, BlockCompactCode.UPPER, at(RDX, 16 + 4 * i));
        }
        if (format == PackedFormat.SIX_BITS_OF_16) {
            addScaled(format, 1, 0);
            addScaled(format, 2, 1);
            return;
        }
        code.addInts(1, 1, 2);
        addScaled(format, 1, 0);
        if (format.least()) {
            compact.loadFactor(format, 1, SCALES);
            code.fusedMultiplyAddOne(Y, SCALES, at(RAX, 4));
        }
    }

    private void addScaled(PackedFormat format, int sums, int factor) {
        code.intsToFloats(sums, sums);
        code.multiplyByOne(sums, sums, at(RAX, 0));
        compact.loadFactor(format, factor, SCALES);
        code.fusedMultiplyAdd(Y, sums, SCALES);
    }

    private void fourBits() {
        for (int i = 0; i < 4; i++) {
            code.loadWords(3, 0, at(RSI, 64 * i));
            code.shiftRight(4, 3, 4);
            code.and(3, 3, MASK);
            code.and(4, 4, MASK);
            code.dotBytes(1, 3, at(RDX, 4 * i));
            code.dotBytes(2, 4, at(RDX, 16 + 4 * i));
        }
    }

    private void bytes(int channels) {
        for (int i = 0; i < channels / 4; i++) {
            code.loadWords(3, 0, at(RSI, 64 * i));
            code.xor(3, 3, MASK);
            code.dotBytes(1 + i % 2, 3, at(RDX, 4 * i));
        }
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
