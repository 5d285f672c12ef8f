package ai.epitome.train.data;

import tools.jackson.databind.JsonNode;

/// One JSON object of a file, and where it stands there.
///
/// @param file its name
/// @param line on which it begins, from 1
/// @param json the object
public record JsonRecord(String file, long line, JsonNode json) {
    /// An error about it.
    public CorpusException wrong(String what) {
        return new CorpusException("%s, line %d: %s".formatted(file, line, what));
    }
}
