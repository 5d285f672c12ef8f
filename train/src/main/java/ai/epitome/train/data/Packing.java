package ai.epitome.train.data;

import java.util.Arrays;
import java.util.BitSet;

/// Which segments share a row: the longest first, each in the row with the least room that still takes it, else in a
/// new one. That is best-fit decreasing, as in Ding et al., "Fewer Truncations Improve Language Modeling" (2024).
///
/// @param rowStart row r has the places `rowStart[r] .. rowStart[r + 1] - 1`
/// @param segments the segment at each place
record Packing(int[] rowStart, int[] segments) {
    int rows() {
        return rowStart.length - 1;
    }

    /// @param lengths of the segments, from 1 to `rowLength`
    static Packing bestFit(int[] lengths, int rowLength) {
        int[] order = longestFirst(lengths, rowLength);
        int[] rowOf = rows(lengths, order, rowLength);
        int rows = Arrays.stream(rowOf).max().orElse(-1) + 1;
        int[] rowStart = new int[rows + 1];
        for (int row : rowOf) {
            rowStart[row + 1]++;
        }
        Arrays.parallelPrefix(rowStart, Integer::sum);
        int[] next = Arrays.copyOf(rowStart, rows);
        int[] segments = new int[lengths.length];
        for (int i : order) {
            segments[next[rowOf[i]]++] = i;
        }
        return new Packing(rowStart, segments);
    }

    /// The row of each segment.
    private static int[] rows(int[] lengths, int[] order, int rowLength) {
        int[] rowOf = new int[lengths.length];
        // Rows with the same room left form a chain: newest[room], then older[row], ending with -1.
        int[] newest = new int[rowLength + 1];
        int[] older = new int[lengths.length];
        Arrays.fill(newest, -1);
        BitSet rooms = new BitSet(rowLength + 1);
        int rows = 0;
        for (int i : order) {
            int size = lengths[i];
            int room = rooms.nextSetBit(size);
            int row;
            if (room < 0) {
                room = rowLength;
                row = rows++;
            } else {
                row = newest[room];
                newest[room] = older[row];
                rooms.set(room, newest[room] >= 0);
            }
            rowOf[i] = row;
            older[row] = newest[room - size];
            newest[room - size] = row;
            rooms.set(room - size);
        }
        return rowOf;
    }

    /// Indices sorted by falling length, equal ones in their order (counting sort).
    private static int[] longestFirst(int[] lengths, int rowLength) {
        int[] place = new int[rowLength + 2];
        for (int length : lengths) {
            place[rowLength - length + 1]++;
        }
        Arrays.parallelPrefix(place, Integer::sum);
        int[] order = new int[lengths.length];
        for (int i = 0; i < lengths.length; i++) {
            order[place[rowLength - lengths[i]]++] = i;
        }
        return order;
    }
}
