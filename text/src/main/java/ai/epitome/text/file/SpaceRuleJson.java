package ai.epitome.text.file;

import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.SpaceRule;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;

/// What `tokenizer.json` says of spaces where its vocabulary is SentencePiece's, to and from [SpaceRule]:
///
/// ```
/// "normalizer":    {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
///                   {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
/// "pre_tokenizer": null | {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}
/// ```
final class SpaceRuleJson {
    private static final String SPACE = "\u2581";

    private final String where;
    private boolean prefix;
    private boolean missing;
    private boolean first;
    private boolean apart;
    private boolean escaped;

    private SpaceRuleJson(String where) {
        this.where = where;
    }

    /// @throws MalformedTokenizerException if the nodes ask for anything else
    static SpaceRule read(JsonNode normalizer, JsonNode preTokenizer, String where) throws MalformedTokenizerException {
        var reader = new SpaceRuleJson(where);
        reader.normalizer(normalizer);
        reader.preTokenizer(preTokenizer);
        if (!reader.escaped) {
            throw new MalformedTokenizerException(
                    where,
                    "neither \"ByteLevel\" in \"pre_tokenizer\", nor \"Metaspace\" or a \"Replace\" of spaces by U+2581:"
                            + " only byte-level BPE and SentencePiece's BPE can be read");
        }
        return new SpaceRule(reader.prefix, reader.missing, reader.first, reader.apart);
    }

    private void normalizer(JsonNode node) throws MalformedTokenizerException {
        String type = node.path("type").asString("");
        switch (type) {
            case "" -> {}
            case "Sequence" -> {
                for (JsonNode step : node.path("normalizers")) {
                    normalizer(step);
                }
            }
            case "Prepend" -> {
                require(node.path("prepend").asString("").equals(SPACE), "\"Prepend\" of anything but U+2581");
                prefix = true;
            }
            case "Replace" -> {
                boolean spaces =
                        node.path("pattern").path("String").asString("").equals(" ")
                                && node.path("content").asString("").equals(SPACE);
                require(spaces, "\"Replace\" of anything but spaces by U+2581");
                escaped = true;
            }
            default -> require(false, "normalizer \"" + type + "\" in a vocabulary of SentencePiece's kind");
        }
    }

    private void preTokenizer(JsonNode node) throws MalformedTokenizerException {
        String type = node.path("type").asString("");
        switch (type) {
            case "" -> {}
            case "Sequence" -> {
                for (JsonNode step : node.path("pretokenizers")) {
                    preTokenizer(step);
                }
            }
            case "Metaspace" -> metaspace(node);
            case "Split" ->
                require(
                        escaped
                                && node.path("pattern")
                                        .path("String")
                                        .asString("")
                                        .equals(" "),
                        "\"Split\" by anything but the spaces that are U+2581 by then");
            default -> require(false, "pre-tokenizer \"" + type + "\" in a vocabulary of SentencePiece's kind");
        }
    }

    private void metaspace(JsonNode node) throws MalformedTokenizerException {
        require(node.path("replacement").asString(SPACE).equals(SPACE), "\"Metaspace\" by anything but U+2581");
        boolean old = node.path("add_prefix_space").asBoolean(true);
        String scheme = node.path("prepend_scheme").asString(old ? "always" : "never");
        require(scheme.matches("always|first|never"), "\"prepend_scheme\" \"" + scheme + "\"");
        prefix = !scheme.equals("never");
        first = scheme.equals("first");
        missing = true;
        apart = node.path("split").asBoolean(true);
        escaped = true;
    }

    private void require(boolean condition, String what) throws MalformedTokenizerException {
        if (!condition) {
            throw new MalformedTokenizerException(where, what + " cannot be used");
        }
    }

    /// Writes both properties.
    static void write(SpaceRule rule, JsonGenerator json) {
        if (rule.missing()) {
            json.writeNullProperty("normalizer");
            json.writeObjectPropertyStart("pre_tokenizer");
            json.writeStringProperty("type", "Metaspace");
            json.writeStringProperty("replacement", SPACE);
            json.writeStringProperty("prepend_scheme", rule.prefix() ? rule.first() ? "first" : "always" : "never");
            json.writeBooleanProperty("split", rule.apart());
            json.writeEndObject();
            return;
        }
        json.writeObjectPropertyStart("normalizer");
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("normalizers");
        if (rule.prefix()) {
            json.writeStartObject();
            json.writeStringProperty("type", "Prepend");
            json.writeStringProperty("prepend", SPACE);
            json.writeEndObject();
        }
        writeReplace(" ", SPACE, json);
        json.writeEndArray();
        json.writeEndObject();
        json.writeNullProperty("pre_tokenizer");
    }

    /// Writes `decoder`.
    static void writeDecoder(SpaceRule rule, JsonGenerator json) {
        json.writeObjectPropertyStart("decoder");
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("decoders");
        writeReplace(SPACE, " ", json);
        for (String type : new String[] {"ByteFallback", "Fuse"}) {
            json.writeStartObject();
            json.writeStringProperty("type", type);
            json.writeEndObject();
        }
        if (rule.prefix()) {
            json.writeStartObject();
            json.writeStringProperty("type", "Strip");
            json.writeStringProperty("content", " ");
            json.writeNumberProperty("start", 1);
            json.writeNumberProperty("stop", 0);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void writeReplace(String what, String by, JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("type", "Replace");
        json.writeObjectPropertyStart("pattern");
        json.writeStringProperty("String", what);
        json.writeEndObject();
        json.writeStringProperty("content", by);
        json.writeEndObject();
    }
}
