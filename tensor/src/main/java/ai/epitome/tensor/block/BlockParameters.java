package ai.epitome.tensor.block;

import static ai.epitome.tensor.machine.Assembler.RAX;
import static ai.epitome.tensor.machine.Assembler.RDI;
import static ai.epitome.tensor.machine.Assembler.at;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.machine.Assembler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What routines of [AmxBlockCode], [VnniBlockCode] and [BlockPackingCode] are called with: byte offsets
/// into their array of longs. Distances are in bytes.
final class BlockParameters {
    /// Packed weights, and the bytes of 16 rows of them.
    static final int A = 0;
    static final int A_NEXT = 8;
    /// Numbers of tokens, from one to the next, and from a block or tile of one to its next.
    static final int B = 16;
    static final int B_STRIDE = 24;
    static final int B_STEP = 32;
    /// Scales of activations and what belongs to them, see [BlockTokens]; to the next block, and to the next four
    /// tokens.
    static final int TABLE = 40;
    static final int TABLE_STEP = 48;
    static final int TABLE_PART = 56;
    static final int BIAS = 64;
    static final int BIAS_NEXT = 72;
    static final int Y = 80;
    static final int Y_STRIDE = 88;
    static final int Y_ROWS = 96;
    static final int BLOCKS = 104;
    /// The same, of several tokens: blocks, or pairs of them.
    static final int TILES = 104;
    /// Counted down by the routine; of a stream, without the last one.
    static final int ROW_GROUPS = 112;
    /// Tokens of a tile.
    static final int TOKENS = 120;
    /// Rows that are stored, as a mask.
    static final int MASK = 128;
    /// Memory of [#MEMORY] bytes, of that alignment.
    static final int SLOTS = 136;
    /// Rows that are packed to A.
    static final int ROWS = 144;
    static final int ROW_STRIDE = 152;
    /// The operand of `ldtilecfg`, 64 bytes.
    static final int CONFIGURATION = 192;
    /// Distances of 16 rows, as ints.
    static final int DISTANCES = 256;

    /// Longs of the array.
    static final int LENGTH = 40;

    // Memory: slots of AmxBlockCode, then constants of 64 bytes each.
    static final int MEMORY = 32_768;
    private static final int CONSTANTS = 16_384;
    static final int UPPER_HALF = CONSTANTS;
    static final int LOWER_HALF = CONSTANTS + 64;
    static final int HIGHEST_BIT = CONSTANTS + 128;
    static final int SIXTEENTH = CONSTANTS + 192;
    /// Masks of lanes: of the second, third and fourth quarter.
    static final int QUARTERS = CONSTANTS + 256;
    /// And of the first eight.
    static final int EIGHT_LANES = QUARTERS + 12;
    /// And of the first.
    static final int ONE_LANE = QUARTERS + 16;
    /// All bits but the sign.
    static final int MAGNITUDE = CONSTANTS + 320;
    /// The fifth bit of each byte, and the fifth and sixth; the sixth; and all up to these.
    static final int FIFTH = CONSTANTS + 384;
    static final int FIFTH_AND_SIXTH = CONSTANTS + 448;
    static final int SIXTH = CONSTANTS + 512;
    static final int FIVE = CONSTANTS + 576;
    static final int SIX = CONSTANTS + 640;
    /// A single float each.
    static final int EIGHTH = CONSTANTS + 704;
    static final int QUARTER = CONSTANTS + 708;

    // An entry of the table for a single token: scale, sum times scale, and where sums of unsigned weights begin.
    /// Minus 8 times the sum of 32 numbers.
    static final int EIGHT_OF_32 = 8;
    /// Minus 128 times the same.
    static final int HALF_OF_32 = 12;
    /// Minus 128 times the sum of 16 numbers.
    static final int HALF_OF_16 = 16;
    /// Minus 16 times the sum of 32 numbers.
    static final int SIXTEEN_OF_32 = 20;
    /// Minus 32 times the sum of 16 numbers.
    static final int THIRTY_TWO_OF_16 = 24;
    /// Bytes of an entry.
    static final int SINGLE = 32;

    private BlockParameters() {}

    /// Memory for a thread's calls, with constants.
    static MemorySegment memory() {
        MemorySegment memory = Arena.ofAuto().allocate(MEMORY, MEMORY);
        for (int i = 0; i < 16; i++) {
            memory.set(Tensor.INT, UPPER_HALF + 4 * i, 0xF0F0F0F0);
            memory.set(Tensor.INT, LOWER_HALF + 4 * i, 0x0F0F0F0F);
            memory.set(Tensor.INT, HIGHEST_BIT + 4 * i, 0x80808080);
            memory.set(Tensor.FLOAT, SIXTEENTH + 4 * i, 1 / 16f);
            memory.set(Tensor.INT, FIFTH + 4 * i, 0x10101010);
            memory.set(Tensor.INT, FIFTH_AND_SIXTH + 4 * i, 0x30303030);
            memory.set(Tensor.INT, SIXTH + 4 * i, 0x20202020);
            memory.set(Tensor.INT, FIVE + 4 * i, 0x1F1F1F1F);
            memory.set(Tensor.INT, SIX + 4 * i, 0x3F3F3F3F);
            memory.set(Tensor.INT, MAGNITUDE + 4 * i, Integer.MAX_VALUE);
        }
        for (int quarter = 1; quarter < 4; quarter++) {
            memory.set(Tensor.INT, QUARTERS + 4 * (quarter - 1), 0xF << 4 * quarter);
        }
        memory.set(Tensor.FLOAT, EIGHTH, 1 / 8f);
        memory.set(Tensor.FLOAT, QUARTER, 1 / 4f);
        memory.set(Tensor.INT, EIGHT_LANES, 0xFF);
        memory.set(Tensor.INT, ONE_LANE, 1);
        return memory;
    }

    static void copy(Assembler code, int to, int from) {
        code.load(RAX, at(RDI, from));
        code.store(at(RDI, to), RAX);
    }

    static void advance(Assembler code, int place, int distance) {
        code.load(RAX, at(RDI, place));
        code.add(RAX, at(RDI, distance));
        code.store(at(RDI, place), RAX);
    }

    static void countDown(Assembler code, int place) {
        code.load(RAX, at(RDI, place));
        code.decrement(RAX);
        code.store(at(RDI, place), RAX);
    }
}
