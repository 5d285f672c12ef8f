package ai.epitome.compress.mix;

/// Finds the length of records (rows of a table or an image, samples of sound) and tells what stood in the same
/// column before. A length is voted for whenever a byte comes at the same distance from its last occurrence as
/// that one from its own.
final class Records {
    private static final int LONGEST = 4096;
    /// Votes are halved after so many bytes.
    private static final int PERIOD = 4096;

    private final ByteHistory history;
    private final int[] lastPosition = new int[256];
    private final int[] lastDistance = new int[256];
    private final int[] votes = new int[LONGEST];
    private int length = 1;

    Records(ByteHistory history) {
        this.history = history;
    }

    void append() {
        int position = history.position();
        int value = history.last(1);
        int distance = position - lastPosition[value];
        if (distance > 1
                && distance < LONGEST
                && distance == lastDistance[value]
                && ++votes[distance] > votes[length]) {
            length = distance;
        }
        lastDistance[value] = distance;
        lastPosition[value] = position;
        if (position % PERIOD == 0) {
            for (int i = 0; i < LONGEST; i++) {
                votes[i] >>= 1;
            }
        }
    }

    /// The byte in the column of the next one, `rows` records ago.
    int above(int rows) {
        return history.last(rows * length);
    }

    /// Column of the next byte.
    int column() {
        return length > 1 ? history.position() % length : 0;
    }

    int length() {
        return length;
    }
}
