package ai.epitome.serve.store;

/// A file that was uploaded, or that a batch has made, without its content.
///
/// @param owner id of the key that made it, or empty
/// @param createdAt seconds since 1970
/// @param bytes of its content
public record StoredFile(String id, String owner, long createdAt, String filename, String purpose, long bytes) {}
