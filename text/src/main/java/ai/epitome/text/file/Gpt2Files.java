package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairVocabulary;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.SpecialTokens;
import ai.epitome.text.split.Splitting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The two files that GPT-2 came with, which Hugging Face calls `vocab.json` and `merges.txt`: `encoder.json` maps
/// tokens to ids, `vocab.bpe` has a merge a line behind a line `#version`.
final class Gpt2Files {
    private static final int LONGEST_LINE = 2 * BytePairVocabulary.LONGEST_TOKEN + 1;

    private Gpt2Files() {}

    static BytePairTokenizer read(InputStream encoder, InputStream merges, String where) throws IOException {
        var builder = new MergeListBuilder(where);
        List<AddedToken> addedTokens = readEncoder(encoder, builder, where);
        readMerges(merges, builder, where);
        return builder.build(Splitting.GPT2, Normalization.NONE, addedTokens, false);
    }

    private static List<AddedToken> readEncoder(InputStream encoder, MergeListBuilder builder, String where)
            throws IOException {
        var addedTokens = new ArrayList<AddedToken>();
        try (JsonParser parser = JsonFiles.MAPPER.createParser(encoder)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new MalformedTokenizerException(where, "the vocabulary is no JSON object");
            }
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String text = parser.currentName();
                if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
                    throw new MalformedTokenizerException(where, "the id of '" + text + "' is no whole number");
                }
                builder.token(text, parser.getLongValue());
                if (text.equals(SpecialTokens.END_OF_TEXT)) {
                    addedTokens.add(new AddedToken((int) parser.getLongValue(), text, true));
                }
            }
        } catch (JacksonException e) {
            throw JsonFiles.malformed(where, e);
        }
        return addedTokens;
    }

    private static void readMerges(InputStream merges, MergeListBuilder builder, String where) throws IOException {
        var reader = new BufferedReader(new InputStreamReader(merges, StandardCharsets.UTF_8));
        boolean first = true;
        for (String line = BoundedLines.next(reader, LONGEST_LINE, where);
                line != null;
                line = BoundedLines.next(reader, LONGEST_LINE, where)) {
            boolean header = first && line.startsWith("#version");
            if (!header && !line.isEmpty()) {
                builder.merge(line);
            }
            first = false;
        }
    }
}
