package ai.epitome.text.file;

import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// The JSON reader for files of unknown origin: bounded in nesting, in length of names, strings and numbers, and as
/// a whole.
final class JsonFiles {
    /// Qwen's and Llama's files are 7 to 11 MB; the largest in use, with 260,000 tokens, is 33 MB.
    static final long LARGEST_FILE = 1L << 29;

    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(32)
                            .maxNameLength(4 * BytePairVocabulary.LONGEST_TOKEN)
                            .maxStringLength(8 * BytePairVocabulary.LONGEST_TOKEN)
                            .maxNumberLength(40)
                            .maxDocumentLength(LARGEST_FILE)
                            .build())
                    // Every token of a vocabulary is a name, and no two are the same.
                    .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .build())
            // Small values are read out of the middle of a document, which goes on after them.
            .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFiles() {}

    /// What Jackson says of a file, and where, which it does not always know: of numbers that are too long, for one.
    static MalformedTokenizerException malformed(String where, JacksonException e) {
        String place = e.getLocation() == null ? "" : " at " + e.getLocation().offsetDescription();
        return new MalformedTokenizerException(where, "not valid JSON: " + e.getOriginalMessage() + place);
    }
}
