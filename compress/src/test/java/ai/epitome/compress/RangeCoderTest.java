package ai.epitome.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/// What goes in comes out, and costs what its probabilities say.
class RangeCoderTest {
    /// Bytes by which a whole code may differ from the sum: it ends where its interval happens to hold a short number.
    private static final double END = 2;

    /// A symbol, or a bit where `bit` is not negative.
    private record Step(long cumulative, long frequency, long total, int bit) {
        static Step symbol(long cumulative, long frequency, long total) {
            return new Step(cumulative, frequency, total, -1);
        }

        static Step bit(int bit, int one) {
            return new Step(0, one, BitPredictor.ONE, bit);
        }

        double bits() {
            double p = frequency / (double) total;
            return -Math.log(bit == 0 ? 1 - p : p) / Math.log(2);
        }

        void encode(RangeEncoder encoder) {
            if (bit >= 0) {
                encoder.bit(bit, (int) frequency);
            } else {
                encoder.symbol(cumulative, frequency, total);
            }
        }

        boolean decodes(RangeDecoder decoder) {
            if (bit >= 0) {
                return decoder.bit((int) frequency) == bit;
            }
            long target = decoder.target(total);
            decoder.symbol(cumulative, frequency, total);
            return target >= cumulative && target < cumulative + frequency;
        }
    }

    private static byte[] assertRoundTrip(List<Step> steps) {
        RangeEncoder encoder = new RangeEncoder();
        double bits = 0;
        for (Step step : steps) {
            step.encode(encoder);
            bits += step.bits();
        }
        byte[] code = encoder.finish();
        assertThat((double) code.length).isBetween(bits / 8 - END, bits / 8 * 1.0001 + END);
        RangeDecoder decoder = new RangeDecoder(code);
        for (int i = 0; i < steps.size(); i++) {
            assertThat(steps.get(i).decodes(decoder)).as("step %d", i).isTrue();
        }
        return code;
    }

    @Property(tries = 300)
    void symbolsAndBitsOfAnyProbabilities(@ForAll long seed, @ForAll @IntRange(max = 4000) int count) {
        Random random = new Random(seed);
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            steps.add(random.nextBoolean() ? anySymbol(random) : anyBit(random));
        }
        assertRoundTrip(steps);
    }

    private static Step anySymbol(Random random) {
        long most = 1L << random.nextInt(1, 43); // beyond, rounding shows
        long total = random.nextBoolean() ? most : random.nextLong(1, most) + 1;
        long frequency = switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> total - 1;
            default -> random.nextLong(1, total);
        };
        long room = total - frequency;
        long cumulative = switch (random.nextInt(3)) {
            case 0 -> 0;
            case 1 ->
                frequency < total >> 10 ? room - 1 : room; // a rare last one costs less: it gets what is left over
            default -> random.nextLong(room + 1);
        };
        return Step.symbol(cumulative, frequency, total);
    }

    private static Step anyBit(Random random) {
        int one = switch (random.nextInt(3)) {
            case 0 -> 1;
            case 1 -> BitPredictor.ONE - 1;
            default -> random.nextInt(1, BitPredictor.ONE);
        };
        return Step.bit(random.nextInt(2), one);
    }

    /// Bits that come as they were predicted cost next to nothing, and a model's worth is lost where the coder adds to
    /// that.
    @Property(tries = 20)
    void nearlyCertainSymbolsCostWhatTheyShould(@ForAll long seed) {
        Random random = new Random(seed);
        List<Step> steps = new ArrayList<>();
        int most = (1 << 24) - 255;
        for (int i = 0; i < 200_000; i++) {
            int below = random.nextInt(256);
            steps.add(
                    switch (random.nextInt(3)) {
                        case 0 -> Step.symbol(below, most, 1 << 24);
                        case 1 -> Step.bit(1, BitPredictor.ONE - 1);
                        default -> Step.bit(0, 1);
                    });
        }
        assertRoundTrip(steps);
    }

    /// An interval that closes in on 1/2 leaves digits 7f ff ff ...; the last step carries through all of them, or not.
    @Property(tries = 200)
    void aCarryGoesThroughAnyNumberOfDigits(@ForAll @IntRange(min = 8, max = 2000) int halvings) {
        byte[] half = new byte[halvings / 8 + 100];
        half[0] = (byte) 0x80;
        RangeDecoder guide = new RangeDecoder(half);
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < halvings; i++) {
            steps.add(Step.symbol(Math.clamp(guide.target(256) - 64, 0, 128), 128, 256));
            assertThat(steps.getLast().decodes(guide)).isTrue();
        }
        long target = guide.target(256);
        assertThat(target).isBetween(1L, 254L);
        assertDigits(steps, Step.symbol(target + 1, 255 - target, 256), 0x80, 0x00);
        assertDigits(steps, Step.symbol(0, target, 256), 0x7f, 0xff);
    }

    private static void assertDigits(List<Step> steps, Step last, int first, int next) {
        List<Step> all = new ArrayList<>(steps);
        all.add(last);
        byte[] code = assertRoundTrip(all);
        assertThat(code[0]).isEqualTo((byte) first);
        for (int i = 1; i < steps.size() / 8; i++) {
            assertThat(code[i]).isEqualTo((byte) next);
        }
    }

    @Test
    void nothingIsNoBytes() {
        assertThat(new RangeEncoder().finish()).isEmpty();
    }

    @Test
    void garbageEndsSoonAfterItsBytes() {
        Random random = new Random(5);
        for (int length = 0; length < 100; length++) {
            byte[] garbage = new byte[length];
            random.nextBytes(garbage);
            RangeDecoder decoder = new RangeDecoder(garbage);
            int most = (length + 9) * 8; // each such bit costs one
            assertThatThrownBy(() -> {
                        for (int i = 0; i < most; i++) {
                            decoder.bit(BitPredictor.ONE / 2);
                        }
                    })
                    .isInstanceOf(MalformedCodeException.class)
                    .hasMessageContaining("the code has " + garbage.length + " bytes");
        }
    }

    @Test
    void everyTargetOfGarbageLiesBelowTheTotal() {
        byte[] ones = new byte[1000];
        Arrays.fill(ones, (byte) 0xff);
        RangeDecoder decoder = new RangeDecoder(ones);
        for (int i = 0; i < 150; i++) {
            long total = i % 2 == 0 ? 1 << 30 : RangeEncoder.MAX_TOTAL - 7;
            long target = decoder.target(total);
            assertThat(target).isBetween(0L, total - 1);
            decoder.symbol(target, 1, total);
        }
    }
}
