package ai.epitome.train.data;

import java.util.List;

/// What one pass over a [Corpus] found.
///
/// @param files the inputs in reading order
/// @param documents how many non-empty documents they hold
/// @param bytes bytes of text in those documents
/// @param sha256 hash over all documents in order, hexadecimal: equal means the same text in the same order
public record CorpusSummary(List<DataFile> files, long documents, long bytes, String sha256) {
    public CorpusSummary {
        files = List.copyOf(files);
    }

    /// The names of files whose beginning does not look like text. A byte model may be trained on them all the same.
    public List<String> binaryLooking() {
        return files.stream().filter(DataFile::looksBinary).map(DataFile::name).toList();
    }
}
