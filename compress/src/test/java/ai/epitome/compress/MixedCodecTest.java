package ai.epitome.compress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class MixedCodecTest {
    private static final byte[] TEXT = "to be, or not to be\n".repeat(40).getBytes(StandardCharsets.US_ASCII);

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @Test
    void theCodeIsAsLongAsThePredictionsSay() {
        for (byte[] plain : List.of(TEXT, random(5000), new byte[3000], new byte[0])) {
            byte[] code = new MixedCodec(new OrderTwoPredictor()).encode(plain);
            double bytes = bits(plain) / 8;
            assertThat((double) code.length).isBetween(bytes - 2, bytes * 1.0001 + 2);
        }
    }

    private static double bits(byte[] plain) {
        OrderTwoPredictor predictor = new OrderTwoPredictor();
        double nats = 0;
        for (byte value : plain) {
            for (int shift = 7; shift >= 0; shift--) {
                double one = predictor.probability() / (double) BitPredictor.ONE;
                int bit = value >>> shift & 1;
                nats -= Math.log(bit == 1 ? one : 1 - one);
                predictor.update(bit);
            }
        }
        return nats / Math.log(2);
    }

    /// Each block costs less than it would alone, and blocks that are stored have been learned from too.
    @Test
    void blocksLearnFromThoseBefore() {
        MixedCodec encoder = new MixedCodec(new OrderTwoPredictor());
        byte[] noise = random(300);
        byte[] first = encoder.encode(TEXT);
        encoder.encode(noise);
        byte[] third = encoder.encode(TEXT);
        assertThat(third.length).isLessThan(first.length);
        MixedCodec decoder = new MixedCodec(new OrderTwoPredictor());
        assertThat(decoder.decode(first, TEXT.length)).isEqualTo(TEXT);
        decoder.learn(noise);
        assertThat(decoder.decode(third, TEXT.length)).isEqualTo(TEXT);
    }

    @Test
    void theProbeTellsPredictorsApart() {
        MixedCoding coding = new MixedCoding(Method.STORED, OrderTwoPredictor::new, OrderTwoPredictor::new, 0);
        assertThat(coding.probe()).hasSize(8).isEqualTo(coding.probe());
        Supplier<BitPredictor> others = () -> new BitPredictor() {
            private final OrderTwoPredictor predictor = new OrderTwoPredictor();

            @Override
            public int probability() {
                return predictor.probability() ^ 1;
            }

            @Override
            public void update(int bit) {
                predictor.update(bit);
            }
        };
        byte[] other = new MixedCoding(Method.STORED, others, others, 0).probe();
        assertThat(other).isNotEqualTo(coding.probe());
    }
}
