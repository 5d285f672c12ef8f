package ai.epitome.compress.gpt;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.Coding;
import ai.epitome.compress.Method;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;

/// A trained model's predictions, byte by byte, mixed with those of contexts.
///
/// @param mixed the same without a model
public record MixedGptCoding(GptCoding model, MixedCoding mixed, MixingSize size) implements Coding {
    private static final int PROBE_BYTES = 16;
    /// Words that come again, upper case, digits, two bytes that are no text.
    private static final byte[] PROBE_TEXT =
            "The walk takes the tokens' bytes, the 2 walks take THE tokens' bytes.\n\u00ff\u0000"
                    .getBytes(StandardCharsets.ISO_8859_1);

    /// The settings of both, in this order.
    @Override
    public Method method() {
        Method pretrained = model.method();
        return new Method(
                true,
                false,
                pretrained.model(),
                pretrained.numerics(),
                joined(pretrained.settings(), mixed.method().settings()));
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /// A hash of what both predict alone, and of a short text's code by both together, with little memory.
    @Override
    public byte[] probe() {
        MessageDigest digest = ModelHashes.sha256();
        digest.update(model.probe());
        digest.update(mixed.probe());
        digest.update(codec(MixingSize.PROBE).encode(PROBE_TEXT));
        return Arrays.copyOf(digest.digest(), PROBE_BYTES);
    }

    @Override
    public boolean usesThreads() {
        return true;
    }

    @Override
    public BlockCodec newCodec() {
        return codec(size);
    }

    private BlockCodec codec(MixingSize size) {
        TokenWalk walk = model.newWalk();
        return new TokenCodec(model.tokens(), walk, new MixingPredictor(size, walk));
    }
}
