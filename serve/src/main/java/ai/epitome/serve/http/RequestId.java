package ai.epitome.serve.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import java.security.SecureRandom;
import java.util.HexFormat;

/// Names of requests: `req_`, the time in milliseconds, and 80 random bits. So rows of one time lie together in an
/// index.
public final class RequestId {
    public static final HeaderName HEADER = HeaderNames.create("x-request-id");

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int RANDOM_BYTES = 10;

    private RequestId() {}

    /// `req_`, the time in 12 hexadecimal digits and 20 that are random: ids sort by time and cannot be
    /// guessed.
    public static String next() {
        byte[] random = new byte[RANDOM_BYTES];
        RANDOM.nextBytes(random);
        return "req_" + HexFormat.of().toHexDigits(System.currentTimeMillis(), 12)
                + HexFormat.of().formatHex(random);
    }
}
