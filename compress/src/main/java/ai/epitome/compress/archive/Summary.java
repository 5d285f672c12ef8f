package ai.epitome.compress.archive;

/// How large things are.
///
/// @param plain bytes before compression
/// @param archive bytes of the whole archive
public record Summary(long plain, long archive, long blocks) {}
