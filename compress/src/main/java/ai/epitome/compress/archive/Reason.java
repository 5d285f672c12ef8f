package ai.epitome.compress.archive;

/// Why an archive cannot be read, for programs.
public enum Reason {
    /// The bytes do not begin as an archive does.
    NOT_AN_ARCHIVE,
    /// A later version of the format, or a method that this version does not know.
    UNSUPPORTED_VERSION,
    /// No model was given, or another than the one that coded.
    MODEL_MISMATCH,
    /// This machine or version computes other predictions than the one that coded.
    NUMERICS_MISMATCH,
    /// The archive ends too early.
    TRUNCATED,
    /// A checksum or a rule of the format does not hold.
    CORRUPT
}
