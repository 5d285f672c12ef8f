package ai.epitome.serve.account;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;

/// A key as its holder has it: `ep-` and 256 random bits in 43 characters of base64url.
///
/// Its SHA-256 is what is stored. Slow, salted hashes are for passwords, which can be guessed; nobody guesses
/// 256 random bits, however fast a guess is, and each request has to be checked in microseconds.
public final class KeySecret {
    /// Secret scanners and people recognise a key by it.
    public static final String PREFIX = "ep-";

    private static final int BYTES = 32;
    private static final Pattern FORM = Pattern.compile(PREFIX + "[A-Za-z0-9_-]{43}");
    private static final int SHOWN = 4;
    private static final SecureRandom RANDOM = new SecureRandom();

    private KeySecret() {}

    static String generate() {
        byte[] bytes = new byte[BYTES];
        RANDOM.nextBytes(bytes);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// Whether it could be a key; what could not is refused without asking the database.
    static boolean isWellFormed(String secret) {
        return FORM.matcher(secret).matches();
    }

    /// First and last characters: 48 bits of 256.
    static String hint(String secret) {
        return secret.substring(0, PREFIX.length() + SHOWN) + "..." + secret.substring(secret.length() - SHOWN);
    }

    static byte[] hash(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
