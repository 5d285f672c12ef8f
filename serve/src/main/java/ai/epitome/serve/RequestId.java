package ai.epitome.serve;

import java.security.SecureRandom;
import java.util.HexFormat;

/// Names of requests: `req_`, the time in milliseconds, and 80 random bits. So rows of one time lie together in an
/// index.
final class RequestId {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int RANDOM_BYTES = 10;

    private RequestId() {}

    static String next() {
        byte[] random = new byte[RANDOM_BYTES];
        RANDOM.nextBytes(random);
        return "req_" + HexFormat.of().toHexDigits(System.currentTimeMillis(), 12)
                + HexFormat.of().formatHex(random);
    }
}
