package ai.epitome.serve.http;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/// Names of what the service makes and keeps: `resp_`, `file-` and others, and 96 random bits.
public final class ObjectId {
    private static final int RANDOM_BYTES = 12;

    private ObjectId() {}

    /// An id that nobody can guess.
    public static String next(String prefix) {
        byte[] random = new byte[RANDOM_BYTES];
        ThreadLocalRandom.current().nextBytes(random);
        return prefix + HexFormat.of().formatHex(random);
    }
}
