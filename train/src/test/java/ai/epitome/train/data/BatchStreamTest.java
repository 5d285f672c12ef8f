package ai.epitome.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class BatchStreamTest {
    private static final int VOCABULARY = 70_000;
    private static Path folder;
    private static int files;

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("batches");
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        try (Stream<Path> inside = Files.walk(folder)) {
            for (Path path : inside.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// Documents of the given numbers of tokens, each token another number, so that every token can be followed.
    private static TokenShards shards(List<Integer> lengths, boolean endOfText) throws IOException {
        TokenTable table = TokenTable.of(new DoubledBytes(VOCABULARY, endOfText));
        Path file = folder.resolve("shard-" + files++);
        int end = VOCABULARY - 1;
        try (TokenShardWriter writer = new TokenShardWriter(file, table, "00".repeat(32))) {
            int token = 0;
            for (int length : lengths) {
                writer.beginDocument();
                if (endOfText) {
                    writer.write(end);
                }
                for (int i = 0; i < length; i++) {
                    writer.write(token++);
                }
            }
            if (endOfText) {
                writer.write(end);
            }
            writer.finish();
        }
        return TokenShards.open(List.of(file), table, "00".repeat(32));
    }

    private static List<Integer> epochTargets(BatchStream stream, long epoch, int batchRows) {
        List<Integer> targets = new ArrayList<>();
        long first = epoch * stream.rowsPerEpoch();
        for (long cursor = first; cursor < first + stream.rowsPerEpoch(); cursor += batchRows) {
            Batch batch = stream.batch(cursor);
            int rows = (int) Math.min(batchRows, first + stream.rowsPerEpoch() - cursor);
            for (int i = 0; i < rows * batch.length(); i++) {
                if (batch.targets()[i] != Batch.NO_TARGET) {
                    targets.add(batch.targets()[i]);
                }
            }
        }
        return targets;
    }

    @Property(tries = 100)
    void everyTokenIsATargetOnceAnEpoch(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 1, max = 60) Integer> lengths,
            @ForAll boolean endOfText,
            @ForAll boolean packed,
            @ForAll @IntRange(min = 1, max = 33) int length,
            @ForAll @IntRange(min = 1, max = 7) int batchRows,
            @ForAll @IntRange(min = 0, max = 3) int epoch,
            @ForAll long seed)
            throws IOException {
        try (TokenShards shards = shards(lengths, endOfText)) {
            boolean tooShort =
                    packed ? !endOfText && lengths.stream().allMatch(n -> n == 1) : shards.tokens() <= length;
            if (tooShort) {
                assertThatThrownBy(() -> open(shards, packed, seed, batchRows, length))
                        .isInstanceOf(CorpusException.class)
                        .hasMessageContaining("give more text");
                return;
            }
            BatchStream stream = open(shards, packed, seed, batchRows, length);
            List<Integer> expected = new ArrayList<>();
            int[] all = shards.read(0, (int) shards.tokens());
            long document = 0;
            for (int i = 0; i < all.length; i++) {
                boolean begins = document < shards.documents() && shards.documentStart(document) == i;
                document += begins ? 1 : 0;
                // The first token is never predicted; packed without end-of-text, no document's first token is.
                if (i > 0 && (!begins || !packed || endOfText)) {
                    expected.add(all[i]);
                }
            }
            assertThat(epochTargets(stream, epoch, batchRows)).containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    private static BatchStream open(TokenShards shards, boolean packed, long seed, int batchRows, int length)
            throws CorpusException {
        return packed
                ? BatchStream.packed(shards, seed, batchRows, length)
                : BatchStream.windows(shards, seed, batchRows, length);
    }

    @Property(tries = 100)
    void targetsAreTheTokensAfterTheInputs(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 2, max = 60) Integer> lengths,
            @ForAll boolean endOfText,
            @ForAll boolean packed,
            @ForAll @IntRange(min = 1, max = 20) int length,
            @ForAll @IntRange(min = 0, max = 1000) int cursor)
            throws IOException {
        try (TokenShards shards = shards(lengths, endOfText)) {
            if (shards.tokens() <= length) {
                return;
            }
            Batch batch = open(shards, packed, 1, 3, length).batch(cursor);
            int[] all = shards.read(0, (int) shards.tokens());
            long bytes = 0;
            for (int i = 0; i < 3 * length; i++) {
                int input = batch.inputs()[i];
                int target = batch.targets()[i];
                boolean lastOfRow = i % length == length - 1;
                if (target == Batch.NO_TARGET) {
                    continue;
                }
                bytes += endOfText && target == VOCABULARY - 1
                        ? 0
                        : shards.table().byteLengths()[target];
                boolean border = input == VOCABULARY - 1 || target == VOCABULARY - 1;
                assertThat(border || indexOf(all, target) == indexOf(all, input) + 1)
                        .isTrue();
                boolean sameSegment =
                        !lastOfRow && (!packed || batch.segmentStarts()[i + 1] == batch.segmentStarts()[i]);
                boolean ring = !packed && !lastOfRow && input == all[all.length - 2];
                if (sameSegment && !ring && batch.targets()[i + 1] != Batch.NO_TARGET) {
                    assertThat(batch.inputs()[i + 1]).isEqualTo(target);
                }
            }
            assertThat(batch.bytes()).isEqualTo(bytes);
        }
    }

    private static int indexOf(int[] all, int token) {
        for (int i = 0; i < all.length; i++) {
            if (all[i] == token) {
                return i;
            }
        }
        return -1;
    }

    @Property(tries = 100)
    void packedSegmentsLieInsideOneDocument(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 2, max = 40) Integer> lengths,
            @ForAll boolean endOfText,
            @ForAll @IntRange(min = 1, max = 25) int length)
            throws IOException {
        try (TokenShards shards = shards(lengths, endOfText)) {
            BatchStream stream = BatchStream.packed(shards, 3, 1, length);
            for (long row = 0; row < stream.rowsPerEpoch(); row++) {
                Batch batch = stream.batch(row);
                int[] starts = batch.segmentStarts();
                for (int t = 0; t < length; t++) {
                    assertThat(starts[t]).isBetween(0, t);
                    assertThat(starts[starts[t]]).isEqualTo(starts[t]);
                    boolean used = batch.targets()[t] != Batch.NO_TARGET;
                    if (used && starts[t] < t) {
                        assertThat(document(lengths, batch.inputs()[t - 1], batch.targets()[t - 1]))
                                .isEqualTo(document(lengths, batch.inputs()[t], batch.inputs()[t]));
                    }
                }
            }
        }
    }

    /// The document of the first of two tokens that is not end-of-text.
    private static int document(List<Integer> lengths, int token, int other) {
        int of = token == VOCABULARY - 1 ? other : token;
        int document = 0;
        for (int end = lengths.getFirst(); end <= of; end += lengths.get(document)) {
            document++;
        }
        return document;
    }

    @Example
    void packingWastesLittle() throws IOException {
        List<Integer> lengths = new ArrayList<>();
        Random random = new Random(5);
        for (int i = 0; i < 500; i++) {
            lengths.add(1 + random.nextInt(120));
        }
        try (TokenShards shards = shards(lengths, true)) {
            BatchStream stream = BatchStream.packed(shards, 3, 1, 128);
            double used = (shards.tokens() - 1.0) / (128.0 * stream.rowsPerEpoch());
            assertThat(used).isGreaterThan(0.95);
        }
    }

    @Property(tries = 50)
    void theCursorIsAllThatIsRemembered(
            @ForAll @IntRange(min = 0, max = 200) int cursor, @ForAll boolean packed, @ForAll long seed)
            throws IOException {
        try (TokenShards shards = shards(List.of(50, 3, 20, 71, 9), true)) {
            BatchStream one = open(shards, packed, seed, 4, 8);
            BatchStream other = open(shards, packed, seed, 4, 8);
            one.batch(cursor + 5);
            Batch expected = one.batch(cursor);
            assertSame(other.batch(cursor), expected);
            // Rows are numbered, not batches: two batches of two rows are one of four.
            BatchStream halves = open(shards, packed, seed, 2, 8);
            int[] joined = Arrays.copyOf(halves.batch(cursor).inputs(), 32);
            System.arraycopy(halves.batch(cursor + 2).inputs(), 0, joined, 16, 16);
            assertThat(joined).isEqualTo(expected.inputs());
        }
    }

    private static void assertSame(Batch batch, Batch expected) {
        assertThat(batch.inputs()).isEqualTo(expected.inputs());
        assertThat(batch.targets()).isEqualTo(expected.targets());
        assertThat(batch.segmentStarts()).isEqualTo(expected.segmentStarts());
        assertThat(batch.bytes()).isEqualTo(expected.bytes());
    }

    @Example
    void epochsDifferInOrderAndInCuts() throws IOException {
        try (TokenShards shards = shards(List.of(1000), false)) {
            BatchStream stream = BatchStream.windows(shards, 1, 1, 16);
            assertThat(stream.rowsPerEpoch()).isEqualTo(63);
            long cuts = LongStream.range(0, 10)
                    .map(epoch -> {
                        int[] starts = new int[16];
                        for (long row = 0; row < 63; row++) {
                            starts[stream.batch(epoch * 63 + row).inputs()[0] % 16]++;
                        }
                        int most = 0;
                        for (int i = 0; i < 16; i++) {
                            most = starts[i] > starts[most] ? i : most;
                        }
                        return most;
                    })
                    .distinct()
                    .count();
            assertThat(cuts).isGreaterThan(4);
            assertThat(epochTargets(stream, 0, 1)).isNotEqualTo(epochTargets(stream, 1, 1));
        }
    }

    @Example
    void anotherSeedIsAnotherOrder() throws IOException {
        try (TokenShards shards = shards(List.of(1000), false)) {
            assertThat(epochTargets(BatchStream.windows(shards, 1, 1, 16), 0, 1))
                    .isNotEqualTo(epochTargets(BatchStream.windows(shards, 2, 1, 16), 0, 1));
            assertThatThrownBy(() -> BatchStream.windows(shards, 1, 1, 16).batch(-1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> BatchStream.windows(shards, 1, 0, 16))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
