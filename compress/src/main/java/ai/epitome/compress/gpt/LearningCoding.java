package ai.epitome.compress.gpt;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.DistributionCodec;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.MixedCodec;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import ai.epitome.tensor.exact.ExactKernels;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Executor;

/// Coding with a network that begins without weights and learns as it codes ([ExactLearner]), alone or mixed with the
/// predictions of contexts.
public final class LearningCoding implements Coding {
    /// Bytes of settings that say which network it is; those of mixing follow.
    public static final int SETTINGS = 1;

    private static final int PROBE_BYTES = 16;
    private static final int PROBED = 120;

    private final LearnerShape shape;
    private final Optional<MixingSize> mixing;
    private final Executor executor;
    private final ExactKernels kernels = ExactKernels.best();
    private final Method method;

    private LearningCoding(LearnerShape shape, byte[] settings, Optional<MixingSize> mixing, Executor executor) {
        this.shape = shape;
        this.mixing = mixing;
        this.executor = executor;
        method = new Method(mixing.isPresent(), true, Optional.empty(), Method.Numerics.EXACT, settings);
    }

    /// For new archives.
    ///
    /// @param length of what each codec will see, about
    /// @param mixing where predictions are mixed
    /// @param executor runs steps of training: on another thread, they take half of the time
    public static LearningCoding of(long length, Optional<MixingSize> mixing, Executor executor) {
        return numbered(LearnerShape.number(length), mixing, executor);
    }

    /// For an archive that says `settings`.
    ///
    /// @throws MalformedCodeException when there is no such network
    public static LearningCoding of(byte[] settings, Optional<MixingSize> mixing, Executor executor) {
        return numbered(settings[0], mixing, executor);
    }

    private static LearningCoding numbered(int number, Optional<MixingSize> mixing, Executor executor) {
        byte[] own = {(byte) number};
        byte[] settings = mixing.map(
                        size -> new byte[] {(byte) number, (byte) size.slotBits(), (byte) size.historyBits()})
                .orElse(own);
        return new LearningCoding(LearnerShape.numbered(number), settings, mixing, executor);
    }

    @Override
    public Method method() {
        return method;
    }

    @Override
    public long memory() {
        return shape.memory() + mixing.map(MixingSize::memory).orElse(0L);
    }

    @Override
    public BlockCodec newCodec() {
        ExactLearner learner = new ExactLearner(shape, executor, kernels);
        return mixing.isPresent()
                ? new MixedCodec(new MixingPredictor(mixing.get(), learner))
                : new DistributionCodec(learner);
    }

    /// A hash of what a small network of this kind predicts while it learns, and mixed with contexts.
    @Override
    public byte[] probe() {
        MessageDigest digest = ModelHashes.sha256();
        ExactLearner learner = new ExactLearner(LearnerShape.PROBE, Runnable::run, kernels);
        int[] frequencies = new int[256];
        ByteBuffer bytes = ByteBuffer.allocate(4 * frequencies.length);
        for (int i = 0; i < PROBED; i++) {
            learner.frequencies(frequencies);
            bytes.clear().asIntBuffer().put(frequencies);
            digest.update(bytes.array());
            learner.append("the probe ".charAt(i * i % 10));
        }
        mixing.ifPresent(_ -> digest.update(MixedCoding.probe(probePredictor())));
        return Arrays.copyOf(digest.digest(), PROBE_BYTES);
    }

    private BitPredictor probePredictor() {
        return new MixingPredictor(MixingSize.PROBE, new ExactLearner(LearnerShape.PROBE, Runnable::run, kernels));
    }
}
