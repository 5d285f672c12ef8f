package ai.epitome.compress.gpt;

import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.Progress;
import ai.epitome.compress.mix.MixingSize;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// Prints what the kernels run on, and a hash of everything that a trained and a learning network predict in a short
/// run: a program for Java virtual machines of different abilities.
final class ExactProbe {
    private ExactProbe() {}

    public static void main(String[] arguments) {
        ExactKernels kernels = ExactKernels.best();
        try (Workers workers = new Workers(Integer.parseInt(arguments[0]))) {
            System.out.println(kernels.describe());
            System.out.println(hash(workers, kernels));
        }
    }

    static String hash(Workers workers, ExactKernels kernels) {
        MessageDigest digest = ModelHashes.sha256();
        GptCoding coding = SmallCodings.coding(SmallCodings.BYTES, workers, kernels);
        digest.update(coding.probe());
        byte[] text = Arrays.copyOf(ExactLearnerTest.text(), 70);
        for (byte[] coded : coding.encode(new byte[][] {text, Arrays.copyOf(text, 9)}, Progress.NONE)) {
            digest.update(coded);
        }
        ExactLearner learner = new ExactLearner(ExactLearnerTest.SMALL, Runnable::run, kernels);
        int[] frequencies = new int[256];
        for (byte value : text) {
            learner.frequencies(frequencies);
            ByteBuffer bytes = ByteBuffer.allocate(1024);
            bytes.asIntBuffer().put(frequencies);
            digest.update(bytes);
            learner.append(value & 0xff);
        }
        LearningCoding learning = LearningCoding.of(1, Optional.of(new MixingSize(10, 10)), Runnable::run);
        digest.update(learning.probe());
        digest.update(learning.newCodec().encode(Arrays.copyOf(ExactLearnerTest.text(), 100)));
        return HexFormat.of().formatHex(digest.digest());
    }
}
