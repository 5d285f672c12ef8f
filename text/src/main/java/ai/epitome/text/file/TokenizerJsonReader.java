package ai.epitome.text.file;

import ai.epitome.text.AddedToken;
import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.Normalization;
import ai.epitome.text.SpaceRule;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/// Reads Hugging Face's `tokenizer.json` if it describes a byte-level BPE, or SentencePiece's BPE as pairs
/// ([SpaceRuleJson]):
///
/// ```
/// { "added_tokens":  [ {"id": 50256, "content": "<|endoftext|>", "special": true, ...}, ... ],
///   "normalizer":    null | {"type": "NFC"} | {"type": "Sequence", "normalizers": [...]},
///   "pre_tokenizer": {"type": "Sequence", "pretokenizers": [ Split | Digits | ByteLevel, ... ]},
///   "post_processor": ByteLevel | TemplateProcessing | {"type": "Sequence", "processors": [...]},
///   "decoder": ..., "truncation": ..., "padding": ...                             (not needed)
///   "model": {"type": "BPE", "vocab": {"Ġthe": 262, ...}, "merges": ["Ġ t", ...] | [["Ġ", "t"], ...],
///             "ignore_merges": false} }
/// ```
///
/// Vocabulary and merges, nearly all of the file, are read as a stream; the rest as small trees.
final class TokenizerJsonReader {
    private static final int MOST_ADDED_TOKENS = 1 << 17;

    private final String where;
    private final MergeListBuilder builder;
    private final List<AddedToken> addedTokens = new ArrayList<>();
    private JsonNode normalizer = MissingNode.getInstance();
    private JsonNode preTokenizer = MissingNode.getInstance();
    private String unknown = "";
    private boolean byteFallback;
    private OptionalInt beginOfText = OptionalInt.empty();
    private boolean wholePieces;
    private boolean model;

    private TokenizerJsonReader(String where) {
        this.where = where;
        this.builder = new MergeListBuilder(where);
    }

    /// @param where the file, for error messages
    /// @throws MalformedTokenizerException if the file is not JSON, or no byte-level BPE
    static Tokenizer read(InputStream input, String where) throws IOException {
        var reader = new TokenizerJsonReader(where);
        try (JsonParser parser = JsonFiles.MAPPER.createParser(input)) {
            reader.readFile(parser);
        } catch (JacksonException e) {
            throw JsonFiles.malformed(where, e);
        }
        return reader.build();
    }

    private Tokenizer build() throws MalformedTokenizerException {
        if (!model) {
            throw malformed("no \"model\"; is this a tokenizer.json?");
        }
        if (!isByteLevel(preTokenizer)) {
            require(!wholePieces, "\"ignore_merges\" in a vocabulary of SentencePiece's kind cannot be used");
            SpaceRule spaces = SpaceRuleJson.read(normalizer, preTokenizer, where);
            return builder.buildPieces(spaces, addedTokens, beginOfText, unknown, byteFallback);
        }
        require(!byteFallback, "\"byte_fallback\" is true, which a byte-level vocabulary has no use for");
        Splitting splitting = PreTokenizerJson.read(preTokenizer, where);
        BytePairTokenizer tokenizer = builder.build(splitting, normalization(normalizer), addedTokens, wholePieces);
        try {
            return ByteTokenizerFile.asByteTokenizer(tokenizer.withBeginOfText(beginOfText));
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
    }

    private void readFile(JsonParser parser) throws MalformedTokenizerException {
        expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the file");
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "added_tokens" -> readAddedTokens(parser);
                case "normalizer" -> normalizer = tree(parser);
                case "pre_tokenizer" -> preTokenizer = tree(parser);
                case "post_processor" -> beginOfText = PostProcessorJson.beginOfText(tree(parser));
                case "model" -> readModel(parser);
                default -> parser.skipChildren();
            }
        }
    }

    private void readModel(JsonParser parser) throws MalformedTokenizerException {
        expect(parser, parser.currentToken(), JsonToken.START_OBJECT, "\"model\"");
        if (model) {
            throw malformed("\"model\" appears twice");
        }
        model = true;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "type" -> require("BPE".equals(parser.getString()), "\"model.type\" is not \"BPE\"");
                case "vocab" -> readVocabulary(parser);
                case "merges" -> readMerges(parser);
                case "ignore_merges" -> wholePieces = parser.currentToken() == JsonToken.VALUE_TRUE;
                case "continuing_subword_prefix", "end_of_word_suffix" -> {
                    JsonNode value = tree(parser);
                    require(
                            value.isNull() || value.asString("x").isEmpty(),
                            "\"" + name + "\" is set, which byte-level BPE has no use for");
                }
                case "byte_fallback" -> byteFallback = parser.currentToken() == JsonToken.VALUE_TRUE;
                case "unk_token" -> unknown = tree(parser).asString("");
                case "dropout" -> {
                    JsonNode value = tree(parser);
                    require(value.isNull() || value.asDouble(1) == 0, "\"dropout\" is set, so encoding is random");
                }
                default -> parser.skipChildren();
            }
        }
    }

    private void readVocabulary(JsonParser parser) throws MalformedTokenizerException {
        expect(parser, parser.currentToken(), JsonToken.START_OBJECT, "\"vocab\"");
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String text = parser.currentName();
            expect(parser, parser.nextToken(), JsonToken.VALUE_NUMBER_INT, "the id of '" + text + "'");
            builder.token(text, parser.getLongValue());
        }
    }

    private void readMerges(JsonParser parser) throws MalformedTokenizerException {
        expect(parser, parser.currentToken(), JsonToken.START_ARRAY, "\"merges\"");
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() == JsonToken.START_ARRAY) {
                expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, "the left side of a merge");
                String left = parser.getString();
                expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, "the right side of a merge");
                builder.merge(left, parser.getString());
                expect(parser, parser.nextToken(), JsonToken.END_ARRAY, "the end of a merge");
            } else {
                expect(parser, parser.currentToken(), JsonToken.VALUE_STRING, "a merge");
                builder.merge(parser.getString());
            }
        }
    }

    private void readAddedTokens(JsonParser parser) throws MalformedTokenizerException {
        expect(parser, parser.currentToken(), JsonToken.START_ARRAY, "\"added_tokens\"");
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            require(addedTokens.size() < MOST_ADDED_TOKENS, "more than " + MOST_ADDED_TOKENS + " added tokens");
            expect(parser, parser.currentToken(), JsonToken.START_OBJECT, "an added token");
            JsonNode token = tree(parser);
            JsonNode id = token.path("id");
            JsonNode content = token.path("content");
            require(
                    id.isIntegralNumber() && id.canConvertToInt() && content.isString(),
                    "added token " + addedTokens.size() + " needs an integer \"id\" and a string \"content\"");
            try {
                addedTokens.add(new AddedToken(
                        id.intValue(),
                        content.stringValue(),
                        token.path("special").asBoolean(false)));
            } catch (IllegalArgumentException e) {
                throw new MalformedTokenizerException(where, e);
            }
        }
    }

    private static boolean isByteLevel(JsonNode node) {
        return node.path("type").asString("").equals("ByteLevel")
                || node.path("pretokenizers").valueStream().anyMatch(TokenizerJsonReader::isByteLevel);
    }

    private Normalization normalization(JsonNode node) throws MalformedTokenizerException {
        String type = node.path("type").asString("");
        if (node.isNull() || node.isMissingNode()) {
            return Normalization.NONE;
        }
        if (type.equals("Sequence")) {
            JsonNode steps = node.path("normalizers");
            require(steps.isArray() && steps.size() <= 1, "a \"normalizer\" of several steps cannot be used");
            return steps.isEmpty() ? Normalization.NONE : normalization(steps.get(0));
        }
        return switch (type) {
            case "NFC" -> Normalization.NFC;
            case "NFD" -> Normalization.NFD;
            case "NFKC" -> Normalization.NFKC;
            case "NFKD" -> Normalization.NFKD;
            default -> throw malformed("normalizer \"" + type + "\" cannot be used; known are NFC, NFD, NFKC and NFKD");
        };
    }

    private static JsonNode tree(JsonParser parser) {
        return JsonFiles.MAPPER.readTree(parser);
    }

    private void expect(JsonParser parser, JsonToken found, JsonToken expected, String what)
            throws MalformedTokenizerException {
        if (found != expected) {
            throw malformed(what + " should be " + expected + " but is " + found + " at "
                    + parser.currentLocation().offsetDescription());
        }
    }

    private void require(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw malformed(rule);
        }
    }

    private MalformedTokenizerException malformed(String rule) {
        return new MalformedTokenizerException(where, rule);
    }
}
