package ai.epitome.compress;

/// Hears how far the work has come.
@FunctionalInterface
public interface Progress {
    /// Nobody listens.
    Progress NONE = (_, _) -> {};

    /// After each block, and in between where many are coded at a time.
    ///
    /// @param plain bytes before or after compression
    /// @param archive bytes of the archive, or of its code
    void at(long plain, long archive);
}
