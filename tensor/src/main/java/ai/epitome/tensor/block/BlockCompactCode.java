package ai.epitome.tensor.block;

import static ai.epitome.tensor.machine.Assembler.R10;
import static ai.epitome.tensor.machine.Assembler.RCX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.RDX;
import static ai.epitome.tensor.machine.Assembler.RSI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.machine.Assembler;

/// Machine code that makes packed rows compact, and expands them again: routines `void f(long*)` with the parameters of
/// [BlockParameters], from [BlockParameters#ROWS] to [BlockParameters#A]. See [PackedFormat].
///
/// ```text
/// numbers i   bits 0..3: channels 4 i..4 i + 3     bits 4..7: channels 16 + 4 i..
/// line        a fifth bit:    bit j of channels 4 j..
///             fifth, sixth:   bits 2 j, 2 j + 1 of channels 4 j.. (second line: 16 + 4 j..)
/// ```
final class BlockCompactCode {
    /// Where numbers come to, 16 rows of four channels each.
    static final int LOWER = 3;

    static final int UPPER = 4;

    private static final int LINE = 24;
    private static final int MASK = 30;
    private static final int ABOVE = 29;
    private static final int HIGHEST_BIT = 28;
    private static final int KEPT = 27;
    private static final int FLIPPED = 26;
    private static final int SHIFTED = 5;
    private static final int FACTOR = 7;
    /// Mask of eight lanes.
    private static final int EIGHT = 6;

    private final Assembler code;

    /// Routines go to the end of `code`.
    BlockCompactCode(Assembler code) {
        this.code = code;
    }

    /// For the instructions below; `rcx` has the slots.
    void loadMasks(PackedFormat format) {
        code.loadWords(MASK, 0, at(RCX, BlockParameters.LOWER_HALF));
        int above = format.lines() == 2 ? BlockParameters.FIFTH_AND_SIXTH : BlockParameters.FIFTH;
        code.loadWords(ABOVE, 0, at(RCX, above));
    }

    /// The lines of the block at `rsi`.
    void loadLines(PackedFormat format) {
        for (int line = 0; line < format.lines(); line++) {
            code.loadWords(LINE + line, 0, at(RSI, 256 + 64 * line));
        }
    }

    /// Numbers `i` of the block at `rsi`, from 0 on: those of channels 4 i and 16 + 4 i.
    void loadNumbers(PackedFormat format, int i) {
        code.loadWords(LOWER, 0, at(RSI, 64 * i));
        code.shiftRight(UPPER, LOWER, 4);
        code.and(LOWER, LOWER, MASK);
        code.and(UPPER, UPPER, MASK);
        if (format.lines() > 0) {
            addLine(format, LOWER, i);
            addLine(format, UPPER, 4 + i);
        }
    }

    private void addLine(PackedFormat format, int numbers, int j) {
        shift(SHIFTED, line(format, j), place(format, j));
        code.and(SHIFTED, SHIFTED, ABOVE);
        code.or(numbers, numbers, SHIFTED);
    }

    private static int line(PackedFormat format, int j) {
        return format.lines() == 2 ? LINE + j / 4 : LINE;
    }

    /// By how much bits of a line are shifted to the left to become the fifth and above.
    private static int place(PackedFormat format, int j) {
        return format.lines() == 2 ? 4 - 2 * (j % 4) : 4 - j;
    }

    private void shift(int to, int from, int left) {
        if (left >= 0) {
            code.shiftLeft(to, from, left);
        } else {
            code.shiftRight(to, from, -left);
        }
    }

    /// A factor of the rows of the block at `rsi`, as floats.
    void loadFactor(PackedFormat format, int factor, int to) {
        code.halvesToFloats(to, at(RSI, format.unitsAt(factor)));
        if (format.hasCodes()) {
            code.bytesToInts(SHIFTED, at(RSI, format.numbersBytes() + 16 * factor));
            code.intsToFloats(SHIFTED, SHIFTED);
            code.multiplyFloats(to, to, SHIFTED);
        }
    }

    /// Expands as many blocks as [BlockParameters#BLOCKS] says. Numbers with an excess become signed bytes
    /// by a shift to the top of the byte, whose highest bit is flipped then; scales are less by as much,
    /// which is exact.
    int expand(PackedFormat format) {
        int entry = begin(format);
        int up = format.excess() == 16 ? 3 : 2;
        int next = code.here();
        loadLines(format);
        for (int i = 0; i < 4; i++) {
            loadNumbers(format, i);
            for (int numbers : new int[] {LOWER, UPPER}) {
                if (format.excess() > 0) {
                    code.shiftLeft(numbers, numbers, up);
                    code.xor(numbers, numbers, HIGHEST_BIT);
                }
                code.storeWords(at(RDX, expandedAt(format, numbers == LOWER ? i : 4 + i)), 0, numbers);
            }
        }
        for (int factor = 0; factor < format.factors(); factor++) {
            loadFactor(format, factor, FACTOR);
            if (format.excess() > 0) {
                int part = up == 3 ? BlockParameters.EIGHTH : BlockParameters.QUARTER;
                code.multiplyByOne(FACTOR, FACTOR, at(RCX, part));
            }
            code.storeWords(at(RDX, expandedFactorsAt(format, factor)), 0, FACTOR);
        }
        end(next, format.blockBytes(), expandedBytes(format));
        return entry;
    }

    /// Makes as many expanded blocks compact, whose numbers are what they stand for, and which have compact factors in
    /// the place of theirs.
    int compress(PackedFormat format) {
        int entry = begin(format);
        int next = code.here();
        for (int line = 0; line < format.lines(); line++) {
            code.xor(LINE + line, LINE + line, LINE + line);
        }
        for (int i = 0; i < 4; i++) {
            take(format, LOWER, i);
            take(format, UPPER, 4 + i);
            code.shiftLeft(UPPER, UPPER, 4);
            code.or(LOWER, LOWER, UPPER);
            code.storeWords(at(RDX, 64 * i), 0, LOWER);
        }
        for (int line = 0; line < format.lines(); line++) {
            code.storeWords(at(RDX, 256 + 64 * line), 0, LINE + line);
        }
        int bytes = format.blockBytes() - format.numbersBytes();
        for (int done = 0; done < bytes; done += 64) {
            code.loadWords(SHIFTED, 0, at(RSI, expandedFactorsAt(format, 0) + done));
            code.storeInts(at(RDX, format.numbersBytes() + done), bytes - done < 64 ? EIGHT : 0, SHIFTED);
        }
        end(next, expandedBytes(format), format.blockBytes());
        return entry;
    }

    /// The lower four bits of numbers; those above go to a line. A signed number becomes one from 0 on as its bits are
    /// cut off and the highest left is flipped.
    private void take(PackedFormat format, int numbers, int j) {
        code.loadWords(numbers, 0, at(RSI, expandedAt(format, j)));
        if (format.excess() > 0) {
            code.andXor(numbers, KEPT, FLIPPED);
        }
        if (format.lines() > 0) {
            code.and(SHIFTED, numbers, ABOVE);
            shift(SHIFTED, SHIFTED, -place(format, j));
            code.or(line(format, j), line(format, j), SHIFTED);
        }
        code.and(numbers, numbers, MASK);
    }

    private int begin(PackedFormat format) {
        code.align();
        int entry = code.here();
        code.load(RCX, at(RDI, BlockParameters.SLOTS));
        loadMasks(format);
        boolean five = format.excess() == 16;
        code.mask16(EIGHT, at(RCX, BlockParameters.EIGHT_LANES));
        code.loadWords(HIGHEST_BIT, 0, at(RCX, BlockParameters.HIGHEST_BIT));
        code.loadWords(KEPT, 0, at(RCX, five ? BlockParameters.FIVE : BlockParameters.SIX));
        code.loadWords(FLIPPED, 0, at(RCX, five ? BlockParameters.FIFTH : BlockParameters.SIXTH));
        code.load(RSI, at(RDI, BlockParameters.ROWS));
        code.load(RDX, at(RDI, BlockParameters.A));
        code.load(R10, at(RDI, BlockParameters.BLOCKS));
        return entry;
    }

    private void end(int next, int read, int written) {
        code.addConstant(RSI, read);
        code.addConstant(RDX, written);
        code.decrement(R10);
        code.jumpIfNotZero(next);
        code.zeroUpper();
        code.ret();
    }

    static int expandedBytes(PackedFormat format) {
        return format.expanded().blockBytes() * (32 / format.expanded().channels());
    }

    /// Where channels 4 j are, of 32 in one block or two.
    private static int expandedAt(PackedFormat format, int j) {
        int ofBlock = format.expanded().channels() / 4;
        return j / ofBlock * format.expanded().blockBytes() + j % ofBlock * 64;
    }

    /// Where a factor is; the first is also where those are that are made compact.
    static int expandedFactorsAt(PackedFormat format, int factor) {
        PackedFormat expanded = format.expanded();
        int distance = expanded.least() ? 64 : expanded.blockBytes();
        return expanded.numbersBytes() + distance * factor;
    }
}
