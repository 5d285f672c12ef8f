package ai.epitome.compress.mix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class MixingPredictorTest {
    private static final byte[] TEXT = text();

    /// Sentences by chance from few words: some order, not too much.
    private static byte[] text() {
        String[] words = "the of a compressor model learns from bytes that came before and tells next one".split(" ");
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        while (text.length() < 20_000) {
            text.append(words[(int) (words.length * random.nextDouble() * random.nextDouble())]);
            text.append(random.nextInt(9) == 0 ? ".\n" : " ");
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(3).nextBytes(bytes);
        return bytes;
    }

    private static MixingPredictor predictor(byte[] bytes) {
        return new MixingPredictor(MixingSize.of(bytes.length));
    }

    /// Bits per byte.
    private static double cost(BitPredictor predictor, byte[] bytes) {
        double bits = 0;
        for (byte value : bytes) {
            for (int i = 7; i >= 0; i--) {
                int bit = value >> i & 1;
                int p = predictor.probability();
                assertThat(p).isBetween(1, BitPredictor.ONE - 1);
                bits -= Math.log((bit == 1 ? p : BitPredictor.ONE - p) / (double) BitPredictor.ONE) / Math.log(2);
                predictor.update(bit);
            }
        }
        return bits / bytes.length;
    }

    @Property(tries = 20)
    void twoPredictorsAgree(@ForAll @Size(min = 1, max = 300) byte[] bytes) {
        MixingPredictor one = predictor(bytes);
        MixingPredictor other = predictor(bytes);
        for (byte value : bytes) {
            for (int i = 7; i >= 0; i--) {
                assertThat(one.probability()).isEqualTo(other.probability());
                one.update(value >> i & 1);
                other.update(value >> i & 1);
            }
        }
    }

    @Test
    void probabilitiesAreTheSameEverywhere() {
        MixingPredictor predictor = predictor(TEXT);
        int hash = 0;
        for (byte value : TEXT) {
            for (int i = 7; i >= 0; i--) {
                hash = 31 * hash + predictor.probability();
                predictor.update(value >> i & 1);
            }
        }
        // A change of the model changes this, and archives made before cannot be read any more.
        assertThat(hash).isEqualTo(1857042658);
    }

    @Test
    void randomBytesCostLittleMoreThanTheyAre() {
        byte[] bytes = random(50_000);
        assertThat(cost(predictor(bytes), bytes)).isBetween(8.0, 8.1);
    }

    @Test
    void constantBytesCostNearlyNothing() {
        byte[] bytes = new byte[20_000];
        Arrays.fill(bytes, (byte) 'a');
        assertThat(cost(predictor(bytes), bytes)).isLessThan(0.01);
    }

    @Test
    void periodsAreFound() {
        byte[] period = random(1000);
        byte[] bytes = new byte[20_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = period[i % period.length];
        }
        // The first period costs 8 bits a byte: 0.4 over all.
        assertThat(cost(predictor(bytes), bytes)).isBetween(0.4, 0.45);
    }

    @Test
    void recordsAreFound() {
        // Rows of 37 bytes, each column near what it was: no order of context repeats, only columns do.
        Random random = new Random(5);
        byte[] bytes = new byte[37 * 1000];
        byte[] row = random(37);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = random.nextInt(3) == 0 ? (byte) random.nextInt(256) : row[i % 37];
        }
        // A third is random: 8 / 3 + the entropy of which third, 0.92, is 3.58.
        assertThat(cost(predictor(bytes), bytes)).isLessThan(4.2);
    }

    @Test
    void textIsLearned() {
        // A word from this distribution is about 3.1 bits, its end 0.5, for 5.2 bytes.
        assertThat(cost(predictor(TEXT), TEXT)).isBetween(0.6, 0.9);
    }

    @Test
    void proseBeatsWhatIsAskedOfIt() throws IOException {
        Path alice = Path.of(System.getProperty("epitome.shared", "../../shared"), "data/compression/alice29.txt");
        assumeThat(alice).as("real text").exists();
        byte[] bytes = Files.readAllBytes(alice);
        assertThat(cost(predictor(bytes), bytes)).isLessThan(1.90);
    }

    @Test
    void aModelThatKnowsTheAnswerIsBelieved() {
        byte[] bytes = random(20_000);
        double cost = cost(new MixingPredictor(MixingSize.of(bytes.length), new Oracle(bytes, true)), bytes);
        assertThat(cost).isLessThan(0.05);
    }

    @Test
    void aModelThatKnowsNothingCostsLittle() {
        double alone = cost(predictor(TEXT), TEXT);
        ByteDistribution uniform = new ByteDistribution() {
            @Override
            public void frequencies(int[] target) {
                Arrays.fill(target, TOTAL / 256);
            }

            @Override
            public void append(int value) {}
        };
        assertThat(cost(new MixingPredictor(MixingSize.of(TEXT.length), uniform), TEXT))
                .isLessThan(alone * 1.02);
    }

    @Test
    void aModelThatIsWrongIsFoundOut() {
        double alone = cost(predictor(TEXT), TEXT);
        double misled = cost(new MixingPredictor(MixingSize.of(TEXT.length), new Oracle(TEXT, false)), TEXT);
        assertThat(misled).isLessThan(alone * 1.2);
    }

    /// Knows each byte, or is as sure of another one.
    private static final class Oracle implements ByteDistribution {
        private final byte[] bytes;
        private final boolean right;
        private int position;

        Oracle(byte[] bytes, boolean right) {
            this.bytes = bytes;
            this.right = right;
        }

        @Override
        public void frequencies(int[] target) {
            Arrays.fill(target, 1);
            int known = position < bytes.length ? bytes[position] & 0xff : 0;
            target[right ? known : known * 7 + position & 0xff] = TOTAL - 255;
        }

        @Override
        public void append(int value) {
            assertThat((byte) value).isEqualTo(bytes[position]);
            position++;
        }
    }

    @Test
    void memoryGrowsWithTheInput() {
        assertThat(MixingSize.of(0).memory()).isLessThan(64L << 20);
        assertThat(MixingSize.of(1000).memory()).isLessThan(64L << 20);
        assertThat(MixingSize.of(1L << 40).memory()).isLessThan(1L << 30);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new MixingSize(30, 20))
                .withMessageContaining("30");
    }
}
