package ai.epitome.serve.moderation.training;

import ai.epitome.serve.moderation.Category;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/// A text, and what it is of.
///
/// @param hash of the text, SHA-256 in hexadecimal digits
public record LabelledText(String text, String hash, Set<Category> categories) {
    private static final int FOLDS = 5;
    /// Whoever labels texts takes them in the order of their hashes: the first digits say which are labelled.
    private static final int DIGIT = 40;

    static LabelledText of(String text, Set<Category> categories) {
        return new LabelledText(text, hash(text), categories);
    }

    /// Whether no classifier learns from it: one text in four, by a digit of its hash.
    public boolean isHeldOut() {
        return hash.charAt(DIGIT) < '4';
    }

    /// Which fifth of the others it belongs to.
    int fold() {
        return Integer.parseInt(hash, DIGIT + 1, DIGIT + 7, 16) % FOLDS;
    }

    static int folds() {
        return FOLDS;
    }

    static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
