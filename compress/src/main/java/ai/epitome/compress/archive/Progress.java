package ai.epitome.compress.archive;

/// Hears how far the work has come.
@FunctionalInterface
public interface Progress {
    /// Nobody listens.
    Progress NONE = (_, _) -> {};

    /// After each block.
    ///
    /// @param plain bytes before or after compression
    /// @param archive bytes of the archive
    void at(long plain, long archive);
}
