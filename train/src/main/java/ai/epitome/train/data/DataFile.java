package ai.epitome.train.data;

/// What is recorded of one input file, so that a run can be repeated on the same bytes.
///
/// @param name the path as it was given
/// @param size bytes on disk (packed, where the file is packed)
/// @param sha256 of those bytes, hexadecimal
/// @param looksBinary whether the unpacked beginning looks like something other than text
public record DataFile(String name, long size, String sha256, boolean looksBinary) {}
