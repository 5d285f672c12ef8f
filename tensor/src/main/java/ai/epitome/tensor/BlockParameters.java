package ai.epitome.tensor;

import static ai.epitome.tensor.Assembler.RAX;
import static ai.epitome.tensor.Assembler.RDI;
import static ai.epitome.tensor.Assembler.at;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What routines of [AmxBlockCode] and [VnniBlockCode] are called with: byte offsets into their array of longs.
/// Distances are in bytes.
final class BlockParameters {
    /// How weights lie in memory.
    enum Source {
        /// Rows of signed bytes; scales, 16 f32 a group, apart.
        PANEL(0, 0, false),
        /// The same, with 16 f32 of least values after the scales.
        PANEL_WITH_LEAST(0, 0, true),
        Q8_0(34, 2, false),
        Q4_0(18, 2, false);

        private final int blockBytes;
        private final int numbersAt;
        private final boolean least;

        Source(int blockBytes, int numbersAt, boolean least) {
            this.blockBytes = blockBytes;
            this.numbersAt = numbersAt;
            this.least = least;
        }

        boolean inPlace() {
            return blockBytes > 0;
        }

        int blockBytes() {
            return blockBytes;
        }

        int numbersAt() {
            return numbersAt;
        }

        boolean least() {
            return least;
        }
    }

    static final int A = 0;
    static final int A_STRIDE = 8;
    /// To the next 16 rows.
    static final int A_NEXT = 16;
    /// To the next group of channels; of panels only.
    static final int A_STEP = 24;
    static final int B = 32;
    static final int B_STEP = 40;
    /// To the next 16 tokens.
    static final int B_NEXT = 48;
    /// Scales of activations and what belongs to them, see [BlockTokens].
    static final int TABLE = 56;
    static final int TABLE_STEP = 64;
    static final int TABLE_NEXT = 72;
    static final int BIAS = 80;
    static final int BIAS_NEXT = 88;
    static final int Y = 96;
    static final int Y_STRIDE = 104;
    static final int Y_ROWS = 112;
    static final int Y_TOKENS = 120;
    static final int BLOCKS = 128;
    /// Counted down by the routine.
    static final int ROW_GROUPS = 136;
    static final int TOKEN_GROUPS = 144;
    /// Tokens of a group.
    static final int TOKENS = 152;
    /// Rows that are stored, as a mask.
    static final int MASK = 160;
    /// Memory of [#MEMORY] bytes, of that alignment.
    static final int SLOTS = 168;
    /// Scales of a panel.
    static final int SCALES = 176;
    /// From a row to what is fetched ahead.
    static final int AHEAD = 184;
    /// The operand of `ldtilecfg`, 64 bytes.
    static final int CONFIGURATION = 192;
    /// Distances of 16 rows, as ints.
    static final int DISTANCES = 256;

    /// Places of the routines' own.
    static final int OWN = 320;

    /// Longs of the array.
    static final int LENGTH = 44;

    // Memory: slots of AmxBlockCode, then constants of 64 bytes each.
    static final int MEMORY = 32_768;
    private static final int CONSTANTS = 16_384;
    static final int SHIFTS = CONSTANTS;
    static final int UPPER_HALF = CONSTANTS + 64;
    static final int LOWER_HALF = CONSTANTS + 128;
    static final int HIGHEST_BIT = CONSTANTS + 192;
    static final int SIXTEENTH = CONSTANTS + 256;
    /// Masks of lanes: of the second, third and fourth quarter.
    static final int QUARTERS = CONSTANTS + 320;
    /// And of the upper half.
    static final int UPPER_LANES = QUARTERS + 12;

    // An entry of the table for a single token: scale, sum times scale, and two sums of numbers.
    static final int SUM_OF_16 = 8;
    static final int SUM_OF_32 = 12;

    private BlockParameters() {}

    /// Memory for a thread's calls, with constants.
    static MemorySegment memory() {
        MemorySegment memory = Arena.ofAuto().allocate(MEMORY, MEMORY);
        for (int i = 0; i < 16; i++) {
            memory.set(Tensor.INT, SHIFTS + 4 * i, i % 8 < 4 ? 4 : 0);
            memory.set(Tensor.INT, UPPER_HALF + 4 * i, 0xF0F0F0F0);
            memory.set(Tensor.INT, LOWER_HALF + 4 * i, 0x0F0F0F0F);
            memory.set(Tensor.INT, HIGHEST_BIT + 4 * i, 0x80808080);
            memory.set(Tensor.FLOAT, SIXTEENTH + 4 * i, 1 / 16f);
        }
        for (int quarter = 1; quarter < 4; quarter++) {
            memory.set(Tensor.INT, QUARTERS + 4 * (quarter - 1), 0xF << 4 * quarter);
        }
        memory.set(Tensor.INT, UPPER_LANES, 0xFF00);
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
