package ai.epitome.text.file;

import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.split.Splitting;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;

/// `pre_tokenizer` of `tokenizer.json`, to and from [Splitting].
final class PreTokenizerJson {
    private final String where;
    private final List<String> patterns = new ArrayList<>();
    private boolean byteLevel;

    private PreTokenizerJson(String where) {
        this.where = where;
    }

    /// The splitting that the node describes, or null if it has no `ByteLevel` step.
    static Splitting read(JsonNode node, String where) throws MalformedTokenizerException {
        var reader = new PreTokenizerJson(where);
        reader.step(node);
        if (!reader.byteLevel) {
            return null;
        }
        var splitting = new Splitting(reader.patterns);
        try {
            splitting.splitter();
        } catch (IllegalArgumentException e) {
            throw new MalformedTokenizerException(where, e);
        }
        return splitting;
    }

    private void step(JsonNode node) throws MalformedTokenizerException {
        String type = node.path("type").asString("");
        require(!byteLevel, "\"pre_tokenizer\" has the step \"" + type + "\" behind \"ByteLevel\"");
        switch (type) {
            case "Sequence" -> {
                for (JsonNode step : node.path("pretokenizers")) {
                    step(step);
                }
            }
            case "Split" -> split(node);
            case "Digits" -> add(node.path("individual_digits").asBoolean(false) ? "\\p{N}" : "\\p{N}+");
            case "ByteLevel" -> {
                require(
                        !node.path("add_prefix_space").asBoolean(true),
                        "\"add_prefix_space\" is true: text would not decode to itself");
                if (node.path("use_regex").asBoolean(true)) {
                    add(Splitting.GPT2.patterns().getFirst());
                }
                byteLevel = true;
            }
            default ->
                throw new MalformedTokenizerException(
                        where,
                        "pre-tokenizer \"" + type + "\" cannot be used; known are Sequence, Split, Digits and"
                                + " ByteLevel");
        }
    }

    private void split(JsonNode node) throws MalformedTokenizerException {
        String behavior = node.path("behavior").asString("");
        boolean invert = node.path("invert").asBoolean(false);
        // Removing what no pattern matches would lose text; where the pattern covers everything it is the same.
        require(
                behavior.equals("Isolated") || behavior.equals("Removed") && invert,
                "\"Split\" with behavior \"" + behavior + "\" would lose or join text; only \"Isolated\" can be used");
        JsonNode pattern = node.path("pattern");
        if (pattern.path("Regex").isString()) {
            add(pattern.path("Regex").stringValue());
        } else {
            require(pattern.path("String").isString(), "\"Split\" has no pattern");
            add(pattern.path("String").stringValue().replaceAll("[^\\p{L}\\p{N}\\s]", "\\\\$0"));
        }
    }

    private void add(String pattern) throws MalformedTokenizerException {
        require(patterns.size() < Splitting.MOST_PATTERNS, "more than " + Splitting.MOST_PATTERNS + " splitting steps");
        patterns.add(pattern);
    }

    private void require(boolean condition, String rule) throws MalformedTokenizerException {
        if (!condition) {
            throw new MalformedTokenizerException(where, rule);
        }
    }

    /// Writes the splitting as a value.
    static void write(Splitting splitting, JsonGenerator json) {
        if (splitting.equals(Splitting.NONE) || splitting.equals(Splitting.GPT2)) {
            writeByteLevel(splitting.equals(Splitting.GPT2), json);
            return;
        }
        json.writeStartObject();
        json.writeStringProperty("type", "Sequence");
        json.writeArrayPropertyStart("pretokenizers");
        for (String pattern : splitting.patterns()) {
            json.writeStartObject();
            json.writeStringProperty("type", "Split");
            json.writeObjectPropertyStart("pattern");
            json.writeStringProperty("Regex", pattern);
            json.writeEndObject();
            json.writeStringProperty("behavior", "Isolated");
            json.writeBooleanProperty("invert", false);
            json.writeEndObject();
        }
        writeByteLevel(false, json);
        json.writeEndArray();
        json.writeEndObject();
    }

    static void writeByteLevel(boolean useRegex, JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("type", "ByteLevel");
        json.writeBooleanProperty("add_prefix_space", false);
        json.writeBooleanProperty("trim_offsets", true);
        json.writeBooleanProperty("use_regex", useRegex);
        json.writeEndObject();
    }
}
