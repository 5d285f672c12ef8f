package ai.epitome.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Writes Q4_K, Q5_K and Q6_K, which [BlockFormat] draws: blocks of 256 values whose groups have scales of their own,
/// which are whole multiples of the block's.
///
/// Groups are fitted alone ([ScaleSearch]); their scales and least values become multiples, of which the neighbours are
/// tried too, since another may do better once values are rounded anew.
final class SuperBlockEncoder {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final int LANES = ScaleSearch.LANES;
    private static final int BLOCK = 256;

    private final BlockFormat format;
    private final boolean symmetric;
    /// Values of a group, groups of a block, and blocks that are encoded side by side.
    private final int size;

    private final int groups;
    private final int atOnce;
    /// The largest multiple of a block's scale, and the lowest.
    private final int highest;

    private final int lowest;
    /// One for each `LANES` groups.
    private final ScaleSearch[] searches;

    /// By group: multiples, and what they are multiples of.
    private final int[] scaleCodes;

    private final int[] leastCodes;
    private final float[] scaleUnits;
    private final float[] leastUnits;
    /// Of the groups of one search.
    private final float[] scales = new float[LANES];

    private final float[] leasts = new float[LANES];
    private final float[] errors = new float[LANES];
    private final float[] bestErrors = new float[LANES];
    private final int[] bestScales = new int[LANES];
    private final int[] bestLeasts = new int[LANES];
    /// Values of the blocks as levels, in their order.
    private final int[] levels;

    SuperBlockEncoder(BlockFormat format) {
        this.format = format;
        symmetric = format == BlockFormat.Q6_K;
        size = symmetric ? 16 : 32;
        groups = BLOCK / size;
        highest = symmetric ? 127 : 63;
        lowest = symmetric ? -128 : 0;
        atOnce = Math.max(1, LANES / groups);
        int total = atOnce * groups;
        searches = new ScaleSearch[total / LANES];
        for (int i = 0; i < searches.length; i++) {
            searches[i] = symmetric
                    ? new ScaleSearch(size, -32, 31)
                    : new ScaleSearch(size, 0, format == BlockFormat.Q4_K ? 15 : 31);
        }
        scaleCodes = new int[total];
        leastCodes = new int[total];
        scaleUnits = new float[total];
        leastUnits = new float[total];
        levels = new int[atOnce * BLOCK];
    }

    /// Writes `source[0, count)`, whole blocks of finite values.
    void encode(float[] source, int count, MemorySegment target, long offset) {
        for (int from = 0; from < count; from += atOnce * BLOCK) {
            int blocks = Math.min(atOnce, (count - from) / BLOCK);
            load(source, from, blocks * BLOCK);
            for (ScaleSearch search : searches) {
                if (symmetric) {
                    search.fitSymmetric();
                } else {
                    search.fitWithLeast();
                }
            }
            for (int block = 0; block < blocks; block++) {
                chooseUnits(block);
            }
            for (int i = 0; i < searches.length; i++) {
                tryNeighbours(i);
                round(i);
            }
            for (int block = 0; block < blocks; block++) {
                write(block, target, offset + format.bytesOf(from + (long) block * BLOCK));
            }
        }
    }

    /// Values by group into lanes; what is left over is zeros.
    private void load(float[] source, int from, int count) {
        for (int i = 0; i < searches.length * LANES * size; i++) {
            int group = i / size;
            float value = i < count ? source[from + i] : 0;
            searches[group / LANES].values[i % size * LANES + group % LANES] = value;
        }
    }

    /// The block's scale, of which its groups' are multiples, as the largest of them asks; likewise the least values.
    private void chooseUnits(int block) {
        float furthest = 0;
        float least = 0;
        for (int group = block * groups; group < (block + 1) * groups; group++) {
            float scale = searches[group / LANES].scales[group % LANES];
            furthest = Math.abs(scale) > Math.abs(furthest) ? scale : furthest;
            least = Math.min(least, searches[group / LANES].leasts[group % LANES]);
        }
        float unit = rounded(furthest / (symmetric ? lowest : highest));
        float leastUnit = rounded(-least / highest);
        for (int group = block * groups; group < (block + 1) * groups; group++) {
            scaleUnits[group] = unit;
            leastUnits[group] = leastUnit;
            scaleCodes[group] = multiple(searches[group / LANES].scales[group % LANES], unit);
            leastCodes[group] = multiple(-searches[group / LANES].leasts[group % LANES], leastUnit);
        }
    }

    private static float rounded(float unit) {
        return Float.float16ToFloat(BlockEncoder.half(unit));
    }

    private int multiple(float value, float unit) {
        return unit == 0 ? 0 : Math.clamp(Math.round(value / unit), lowest, highest);
    }

    /// Of each group's multiples and their neighbours, keeps those of the smallest error.
    private void tryNeighbours(int search) {
        int first = search * LANES;
        System.arraycopy(scaleCodes, first, bestScales, 0, LANES);
        System.arraycopy(leastCodes, first, bestLeasts, 0, LANES);
        Arrays.fill(bestErrors, Float.POSITIVE_INFINITY);
        int reach = symmetric ? 0 : 1; // of least values
        for (int scaleStep = -1; scaleStep <= 1; scaleStep++) {
            for (int leastStep = -reach; leastStep <= reach; leastStep++) {
                for (int lane = 0; lane < LANES; lane++) {
                    scales[lane] = scaleUnits[first + lane] * neighbour(scaleCodes[first + lane], scaleStep);
                    leasts[lane] = -leastUnits[first + lane] * neighbour(leastCodes[first + lane], leastStep);
                }
                searches[search].measure(scales, leasts, errors);
                for (int lane = 0; lane < LANES; lane++) {
                    if (errors[lane] < bestErrors[lane]) {
                        bestErrors[lane] = errors[lane];
                        bestScales[lane] = neighbour(scaleCodes[first + lane], scaleStep);
                        bestLeasts[lane] = neighbour(leastCodes[first + lane], leastStep);
                    }
                }
            }
        }
        System.arraycopy(bestScales, 0, scaleCodes, first, LANES);
        System.arraycopy(bestLeasts, 0, leastCodes, first, LANES);
    }

    private int neighbour(int code, int step) {
        return Math.clamp(code + step, lowest, highest);
    }

    private void round(int search) {
        int first = search * LANES;
        for (int lane = 0; lane < LANES; lane++) {
            scales[lane] = scaleUnits[first + lane] * scaleCodes[first + lane];
            leasts[lane] = -leastUnits[first + lane] * leastCodes[first + lane];
        }
        float[] rounded = searches[search].round(scales, leasts);
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < size; i++) {
                levels[(first + lane) * size + i] = (int) rounded[i * LANES + lane];
            }
        }
    }

    private void write(int block, MemorySegment target, long at) {
        int group = block * groups;
        if (symmetric) {
            target.set(SHORT, at + 208, BlockEncoder.half(scaleUnits[group]));
            writeSixBits(block * BLOCK, target, at);
            for (int i = 0; i < groups; i++) {
                target.set(BYTE, at + 192 + i, (byte) scaleCodes[group + i]);
            }
            return;
        }
        target.set(SHORT, at, BlockEncoder.half(scaleUnits[group]));
        target.set(SHORT, at + 2, BlockEncoder.half(leastUnits[group]));
        writeCodes(group, target, at + 4);
        if (format == BlockFormat.Q5_K) {
            writeFifthBits(block * BLOCK, target, at + 16);
            writeFourBits(block * BLOCK, target, at + 48);
        } else {
            writeFourBits(block * BLOCK, target, at + 16);
        }
    }

    /// Eight scales and eight least values of six bits in twelve bytes.
    private void writeCodes(int group, MemorySegment target, long at) {
        for (int j = 0; j < 4; j++) {
            int scale = scaleCodes[group + j];
            int least = leastCodes[group + j];
            int laterScale = scaleCodes[group + j + 4];
            int laterLeast = leastCodes[group + j + 4];
            target.set(BYTE, at + j, (byte) (scale | laterScale >> 4 << 6));
            target.set(BYTE, at + 4 + j, (byte) (least | laterLeast >> 4 << 6));
            target.set(BYTE, at + 8 + j, (byte) (laterScale & 15 | (laterLeast & 15) << 4));
        }
    }

    private void writeFourBits(int from, MemorySegment target, long at) {
        for (int pair = 0; pair < 4; pair++) {
            for (int i = 0; i < 32; i++) {
                int low = levels[from + 64 * pair + i] & 15;
                int high = levels[from + 64 * pair + 32 + i] & 15;
                target.set(BYTE, at + 32 * pair + i, (byte) (low | high << 4));
            }
        }
    }

    private void writeFifthBits(int from, MemorySegment target, long at) {
        for (int i = 0; i < 32; i++) {
            int bits = 0;
            for (int j = 0; j < 8; j++) {
                bits |= levels[from + 32 * j + i] >> 4 << j;
            }
            target.set(BYTE, at + i, (byte) bits);
        }
    }

    private void writeSixBits(int from, MemorySegment target, long at) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int first = levels[from + 128 * half + i] + 32;
                int second = levels[from + 128 * half + 32 + i] + 32;
                int third = levels[from + 128 * half + 64 + i] + 32;
                int fourth = levels[from + 128 * half + 96 + i] + 32;
                target.set(BYTE, at + 64 * half + i, (byte) (first & 15 | (third & 15) << 4));
                target.set(BYTE, at + 64 * half + 32 + i, (byte) (second & 15 | (fourth & 15) << 4));
                int upper = first >> 4 | second >> 4 << 2 | third >> 4 << 4 | fourth >> 4 << 6;
                target.set(BYTE, at + 128 + 32 * half + i, (byte) upper);
            }
        }
    }
}
