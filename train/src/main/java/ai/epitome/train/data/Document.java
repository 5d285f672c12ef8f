package ai.epitome.train.data;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// One text of a corpus, as bytes: nothing is decoded, normalised or repaired.
///
/// @param text the bytes; the array is shared, not copied
/// @param source the file (or name) it came from
/// @param position where it begins in that source: the line, from 1, in a `.jsonl` file, else the byte offset
public record Document(byte[] text, String source, long position) {

    /// The SHA-256 of the text (32 bytes): what decides the side of a document in [HeldOut.ByHash].
    public byte[] sha256() {
        return newSha256().digest(text);
    }

    static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
