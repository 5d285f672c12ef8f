package ai.epitome.compress;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.function.Supplier;

/// Coding bit by bit, each chain of blocks with a predictor of its own.
///
/// @param predictors makes predictors that have seen nothing
/// @param small makes smaller ones that compute alike, for the probe
/// @param memory bytes of the heap that a predictor takes, about
public record MixedCoding(Method method, Supplier<BitPredictor> predictors, Supplier<BitPredictor> small, long memory)
        implements Coding {
    private static final int PROBE_BYTES = 8;
    private static final byte[] PROBE_TEXT =
            "to be, or not to be: that is the question 0123456789 <a href=\"x\"> to be, or not to be\n"
                    .repeat(3)
                    .getBytes(StandardCharsets.US_ASCII);

    @Override
    public BlockCodec newCodec() {
        return new MixedCodec(predictors.get());
    }

    /// A hash of all probabilities of a fixed text.
    @Override
    public byte[] probe() {
        return probe(small.get());
    }

    /// The hash of what this predictor says.
    public static byte[] probe(BitPredictor predictor) {
        MessageDigest digest = ModelHashes.sha256();
        for (byte value : PROBE_TEXT) {
            for (int shift = 7; shift >= 0; shift--) {
                int probability = predictor.probability();
                digest.update((byte) (probability >>> 8));
                digest.update((byte) probability);
                predictor.update(value >>> shift & 1);
            }
        }
        return Arrays.copyOf(digest.digest(), PROBE_BYTES);
    }
}
